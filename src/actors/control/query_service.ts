/**
 * Queries as the HTTP APIs and the rules start them: at most so many at a time, the rest in a bounded line, each on the
 * next worker in turn, cancelled there when the client goes away.
 */
import { CodedError } from '../../base/index.ts';
import type { MakeAsk } from '../../runtime/index.ts';
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
  #inside = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get inside(): number {
    return this.#inside;
  }

  async enter(signal: AbortSignal): Promise<void> {
    if (this.#inside < this.#max) {
      this.#inside++;
      return;
    }
    if (this.#waiting.size >= this.#max * waitingPerRunningMax) {
      throw new CodedError(actorErrorCodes.tooManyQueries, 'too many queries are waiting, try again later');
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(wake);
        reject(signal.reason);
      };
      const wake = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
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
    this.#waiting.delete(next);
    next();
  }
}

export class QueryService {
  readonly #workers: LocalWorkers;
  readonly #gate: Gate;
  #lastId = 0;

  constructor(workers: LocalWorkers, concurrencyMax: number) {
    this.#workers = workers;
    this.#gate = new Gate(concurrencyMax);
  }

  get running(): number {
    return this.#gate.inside;
  }

  query(spec: QuerySpec, signal: AbortSignal): Promise<AnswerMessage> {
    return this.#run(spec.limits.timeoutMs, signal, (id) => (replyTo) => ({
      type: 'query',
      id,
      spec,
      replyTo,
    }));
  }

  vector(spec: QuerySpec, signal: AbortSignal): Promise<VectorMessage> {
    return this.#run(spec.limits.timeoutMs, signal, (id) => (replyTo) => ({
      type: 'vector',
      id,
      spec,
      replyTo,
    }));
  }

  lookup(spec: LookupSpec, signal: AbortSignal): Promise<AnswerMessage> {
    return this.#run(lookupTimeoutMs, signal, (id) => (replyTo) => ({ type: 'lookup', id, spec, replyTo }));
  }

  async #run<R>(
    timeoutMs: number,
    signal: AbortSignal,
    make: (id: number) => MakeAsk<WorkerMessage, R>,
  ): Promise<R> {
    await this.#gate.enter(signal);
    const id = ++this.#lastId;
    try {
      const worker = this.#workers.next();
      const cancel = (): void => {
        worker.tell({ type: 'cancel', id });
      };
      signal.addEventListener('abort', cancel, { once: true });
      try {
        return await worker.ask<R>(make(id), timeoutMs + marginMs);
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    } finally {
      this.#gate.leave();
    }
  }
}
