/**
 * The actors of one thread: their tree, their clock, their run queue and their metrics. Nothing here is global; a test
 * may run several systems in one process, each on virtual time.
 */
import type { Registry } from 'prom-client';
import { type Clock, errorText, type Logger, type Random } from '../base/index.ts';
import type { ActorRef } from './actor_ref.ts';
import type { ActorProps } from './behavior.ts';
import { Cell, type CellHost } from './cell.ts';
import { DeadlineWheel } from './deadlines.ts';
import { EventLoopScheduler, type Scheduler } from './dispatcher.ts';
import { nameTakenError } from './errors.ts';
import { type KindStats, RuntimeStats, registerRuntimeMetrics } from './metrics.ts';
import { VirtualActors, type VirtualOptions } from './virtual.ts';

export interface ActorSystemDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Default: the event loop's. */
  readonly scheduler?: Scheduler;
  readonly registry?: Registry;
  readonly log: Logger;
  readonly name: string;
  /** Told when a top-level actor escalates (it has stopped by then). Default: the log line alone. */
  readonly onEscalated?: (path: string, error: unknown) => void;
}

export class ActorSystem implements CellHost {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly log: Logger;
  readonly deadlines: DeadlineWheel;
  readonly stats: RuntimeStats = new RuntimeStats();
  readonly #cells: Map<string, Cell<never>> = new Map();
  readonly #top: Set<Cell<never>> = new Set();
  readonly #onEscalated: ((path: string, error: unknown) => void) | undefined;
  #closed = false;

  constructor(deps: ActorSystemDeps) {
    this.name = deps.name;
    this.clock = deps.clock;
    this.random = deps.random;
    this.scheduler = deps.scheduler ?? new EventLoopScheduler(deps.clock);
    this.log = deps.log.child({ system: deps.name });
    this.deadlines = new DeadlineWheel(deps.clock);
    this.#onEscalated = deps.onEscalated;
    if (deps.registry !== undefined) registerRuntimeMetrics(this.stats, deps.registry);
  }

  /** Starts a top-level actor at `/name`. Throws `actor_name_taken`, and an Error after shutdown. */
  spawn<M>(props: ActorProps<M>, name: string): ActorRef<M> {
    return this.spawnCell(props, name);
  }

  /** `spawn` for the runtime's own parts, which need the cell behind the ref. */
  spawnCell<M>(props: ActorProps<M>, name: string): Cell<M> {
    if (this.#closed) throw new Error(`actor system ${this.name} is shut down`);
    const path = `/${name}`;
    if (this.#cells.has(path)) throw nameTakenError(path);
    const cell = new Cell(this, undefined, props, path);
    this.#top.add(cell as unknown as Cell<never>);
    return cell;
  }

  /** Actors addressed by key that live where `place` says; see virtual.ts. Once per kind. */
  virtual<M>(options: VirtualOptions<M>): VirtualActors<M> {
    return new VirtualActors<M>(this, options);
  }

  /** Graceful: drains the mailbox, stops children, resolves when stopped. */
  stop<M>(ref: ActorRef<M>): Promise<void> {
    return this.#cells.get(ref.path)?.stop() ?? Promise.resolve();
  }

  /** Stops after the current message; what waits in the mailbox goes to dead letters, its asks fail. */
  kill<M>(ref: ActorRef<M>): Promise<void> {
    return this.#cells.get(ref.path)?.stop('discard') ?? Promise.resolve();
  }

  /** The living local actor at a path. */
  find(path: string): Cell<never> | undefined {
    return this.#cells.get(path);
  }

  /** Every path alive, children included. */
  get paths(): string[] {
    return [...this.#cells.keys()];
  }

  /** Stops all actors gracefully; what hasn't stopped after `deadlineMs` loses its mailbox. No spawn afterwards. */
  async shutdown(deadlineMs: number): Promise<void> {
    this.#closed = true;
    const stopping = Promise.all([...this.#top].map((cell) => cell.stop()));
    const late = this.clock.after(deadlineMs, () => {
      for (const cell of [...this.#top]) cell.abandon();
    });
    await stopping;
    late.cancel();
    this.deadlines.close();
  }

  statsOf(kind: string): KindStats {
    return this.stats.of(kind);
  }

  cellStarted(cell: Cell<never>): void {
    this.#cells.set(cell.path, cell);
  }

  cellStopped(cell: Cell<never>): void {
    this.#cells.delete(cell.path);
    this.#top.delete(cell);
  }

  escalated(path: string, error: unknown): void {
    this.log.error(
      { actor: path, err: errorText(error) },
      'failure escalated to the top, actor stays stopped',
    );
    this.#onEscalated?.(path, error);
  }
}
