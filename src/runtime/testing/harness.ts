/** A system on virtual time with a seed, as nearly every test of an actor wants it. */
import { type Logger, silentLogger } from '../../base/index.ts';
import { ActorSystem } from '../system.ts';
import { DeterministicScheduler } from './deterministic_scheduler.ts';

export interface TestWorld {
  readonly scheduler: DeterministicScheduler;
  readonly system: ActorSystem;
}

/** One system of its own scheduler, or one more on a shared scheduler. */
export function testWorld(
  options: {
    seed?: number;
    name?: string;
    scheduler?: DeterministicScheduler;
    log?: Logger;
    onEscalated?: (path: string, error: unknown) => void;
  } = {},
): TestWorld {
  const scheduler = options.scheduler ?? new DeterministicScheduler(options.seed ?? 1);
  const system = new ActorSystem({
    clock: scheduler.clock,
    random: scheduler.random,
    scheduler,
    log: options.log ?? silentLogger,
    name: options.name ?? 'test',
    ...(options.onEscalated === undefined ? {} : { onEscalated: options.onEscalated }),
  });
  return { scheduler, system };
}
