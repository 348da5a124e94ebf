/**
 * Runs the same actors under virtual time with an interleaving drawn from a seed: at every step one of the ready actors,
 * chosen at random, handles one message. Between steps all promise reactions run to their end, so an actor that awaits
 * something virtual (an ask, `delay` on the clock) is ready again in a reproducible order. Several systems may share one
 * scheduler; that is how a whole cluster runs in one thread.
 */
import { type Random, seededRandom } from '../../base/index.ts';
import type { Runnable, Scheduler } from '../dispatcher.ts';
import { VirtualClock } from './virtual_clock.ts';

/** Steps in one run after which something must be looping. */
const stepsMaxDefault = 1_000_000;

export class DeterministicScheduler implements Scheduler {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly #ready: Runnable[] = [];
  /** Handled turns since the beginning. */
  steps = 0;

  constructor(seed: number, startMs?: number) {
    this.random = seededRandom(seed);
    this.clock = new VirtualClock(startMs, this.random);
  }

  schedule(task: Runnable): void {
    this.#ready.push(task);
  }

  /** Runs `run` at some turn from now on, in competition with the actors. */
  post(run: () => void): void {
    const once = (): boolean => {
      run();
      return false;
    };
    this.schedule({ runTurn: once, turnTook: () => {}, turnMessages: 1 });
  }

  /** One turn of one ready actor; false when none is ready. */
  async step(): Promise<boolean> {
    await settlePromises();
    const count = this.#ready.length;
    if (count === 0) return false;
    const at = this.random.below(count);
    const task = this.#ready[at] as Runnable;
    this.#ready[at] = this.#ready[count - 1] as Runnable;
    this.#ready.pop();
    this.steps++;
    if (task.runTurn(1)) this.#ready.push(task);
    return true;
  }

  /** Until no actor is ready. Time stands still. */
  async runUntilIdle(stepsMax: number = stepsMaxDefault): Promise<void> {
    for (let i = 0; await this.step(); i++) {
      if (i >= stepsMax) throw new Error(`still not idle after ${stepsMax} steps`);
    }
  }

  /** Lets `forMs` of virtual time pass, running actors and timers in turn. */
  async runFor(forMs: number): Promise<void> {
    const untilMs = this.clock.monotonicMs() + forMs;
    await this.runUntilIdle();
    while (this.clock.runNext(untilMs)) await this.runUntilIdle();
    this.clock.advance(untilMs - this.clock.monotonicMs());
  }

  /** Lets time pass until the promise settles; fails when nothing is left that could settle it, or after `maxMs`. */
  async runUntilSettled<T>(promise: Promise<T>, maxMs = 3_600_000): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    const untilMs = this.clock.monotonicMs() + maxMs;
    for (;;) {
      while (!settled && (await this.step()));
      if (settled) return promise;
      if (!this.clock.runNext(untilMs)) throw new Error('the promise can no longer settle in virtual time');
    }
  }
}

/** An immediate comes after every microtask, however many they chain. */
function settlePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
