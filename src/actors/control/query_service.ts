/**
 * Queries as the HTTP APIs and the rules start them: at most so many at a time, the rest in a bounded line, each on the
 * next worker in turn, cancelled there when the client goes away.
 */
import { type Clock, CodedError } from '../../base/index.ts';
import { QueryTimeoutError } from '../../promql/index.ts';
import { type MakeAsk, runtimeErrorCodes } from '../../runtime/index.ts';
import { actorErrorCodes } from '../errors.ts';
import type {
  AnswerMessage,
  LookupSpec,
  QuerySpec,
  VectorMessage,
  WorkerMessage,
} from '../worker/messages.ts';
import type { LocalWorkers } from './local_workers.ts';

/** What the coordinating worker may take beyond the query's own time-out. */
const marginMs = 1_000;
const lookupTimeoutMs = 60_000;
/** Queries that wait for their turn, per running one allowed. */
const waitingPerRunningMax = 50;

/** Lets `max` through at a time; `enter` rejects when the line is full or the signal aborts. */
class Gate {
  readonly #max: number;
  readonly #waiting = new Set<() => void>();
  readonly #clock: Clock;
  #inside = 0;

  constructor(max: number, clock: Clock) {
    this.#max = max;
    this.#clock = clock;
  }

  get inside(): number {
    return this.#inside;
  }

  /** Rejects with `too_many_queries`, with the signal's reason, or with a time-out after `waitMs`. */
  async enter(signal: AbortSignal, waitMs: number): Promise<void> {
    signal.throwIfAborted();
    if (this.#inside < this.#max) {
      this.#inside++;
      return;
    }
    if (this.#waiting.size >= this.#max * waitingPerRunningMax) {
      throw new CodedError(actorErrorCodes.tooManyQueries, 'too many queries are waiting, try again later');
    }
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', onAbort);
        timer.cancel();
      };
      const onAbort = (): void => {
        end();
        reject(signal.reason);
      };
      const wake = (): void => {
        end();
        resolve();
      };
      const timer = this.#clock.after(waitMs, () => {
        end();
        reject(new QueryTimeoutError('query queue'));
      });
      this.#waiting.add(wake);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Hands the place to the one who waited longest. */
  leave(): void {
    const next = this.#waiting.values().next().value;
    if (next === undefined) {
      this.#inside--;
      return;
    }
    next();
  }
}

export class QueryService {
  readonly #workers: LocalWorkers;
  readonly #gate: Gate;
  readonly #clock: Clock;
  #lastId = 0;

  constructor(workers: LocalWorkers, concurrencyMax: number, clock: Clock) {
    this.#workers = workers;
    this.#gate = new Gate(concurrencyMax, clock);
    this.#clock = clock;
  }

  get running(): number {
    return this.#gate.inside;
  }

  query(spec: QuerySpec, signal: AbortSignal): Promise<AnswerMessage> {
    return this.#run(spec.limits.timeoutMs, signal, (id, leftMs) => (replyTo) => ({
      type: 'query',
      id,
      spec: within(spec, leftMs),
      replyTo,
    }));
  }

  vector(spec: QuerySpec, signal: AbortSignal): Promise<VectorMessage> {
    return this.#run(spec.limits.timeoutMs, signal, (id, leftMs) => (replyTo) => ({
      type: 'vector',
      id,
      spec: within(spec, leftMs),
      replyTo,
    }));
  }

  lookup(spec: LookupSpec, signal: AbortSignal): Promise<AnswerMessage> {
    return this.#run(lookupTimeoutMs, signal, (id) => (replyTo) => ({ type: 'lookup', id, spec, replyTo }));
  }

  /** The time in the line counts. */
  async #run<R>(
    timeoutMs: number,
    signal: AbortSignal,
    make: (id: number, leftMs: number) => MakeAsk<WorkerMessage, R>,
  ): Promise<R> {
    const startedMs = this.#clock.monotonicMs();
    await this.#gate.enter(signal, timeoutMs);
    const id = ++this.#lastId;
    const leftMs = Math.max(1, Math.ceil(timeoutMs - (this.#clock.monotonicMs() - startedMs)));
    try {
      const worker = this.#workers.next();
      const cancel = (): void => {
        worker.tell({ type: 'cancel', id });
      };
      signal.addEventListener('abort', cancel, { once: true });
      try {
        return await worker.ask<R>(make(id, leftMs), leftMs + marginMs);
      } catch (error) {
        // Nobody will take its answer.
        if (error instanceof CodedError && error.code === runtimeErrorCodes.deadline) cancel();
        throw error;
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    } finally {
      this.#gate.leave();
    }
  }
}

function within(spec: QuerySpec, timeoutMs: number): QuerySpec {
  return { ...spec, limits: { ...spec.limits, timeoutMs } };
}
