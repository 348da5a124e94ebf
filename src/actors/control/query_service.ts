/**
 * Queries as the HTTP APIs and the rules start them: at most so many at a time, the rest in a bounded line, each on the
 * next worker in turn, cancelled there when the client goes away.
 */
import { type Clock, CodedError, errorText } from '../../base/index.ts';
import { QueryCanceledError, type QueryStats, QueryTimeoutError } from '../../promql/index.ts';
import { type MakeAsk, runtimeErrorCodes } from '../../runtime/index.ts';
import { actorErrorCodes } from '../errors.ts';
import { type StatsJson, statsJson } from '../query_stats.ts';
import type {
  AnswerMessage,
  LookupSpec,
  QuerySpec,
  VectorMessage,
  WorkerMessage,
} from '../worker/messages.ts';
import { Gate } from './gate.ts';
import type { LocalWorkers } from './local_workers.ts';
import type { QueryMetrics } from './query_metrics.ts';

/** What the coordinating worker may take beyond the query's own time-out. */
const marginMs = 1_000;
const lookupTimeoutMs = 60_000;
/** Queries that wait for their turn, per running one allowed. */
const waitingPerRunningMax = 50;

/** Who asked, in the words of the query log: `httpRequest` or `ruleGroup` with its fields. */
export type QueryOrigin = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A query that is over. */
export interface QueryRecord {
  readonly spec: QuerySpec;
  readonly origin: QueryOrigin;
  readonly stats: StatsJson;
  readonly error?: string;
}

export interface QueryServiceDeps {
  readonly workers: LocalWorkers;
  readonly concurrencyMax: number;
  readonly clock: Clock;
  readonly metrics: QueryMetrics;
  /** Told of each query that is over. Must not throw. */
  readonly onDone?: (record: QueryRecord) => void;
}

export class QueryService {
  readonly #workers: LocalWorkers;
  readonly #gate: Gate;
  readonly #clock: Clock;
  readonly #metrics: QueryMetrics;
  readonly #onDone: (record: QueryRecord) => void;
  #lastId = 0;

  constructor({ workers, concurrencyMax, clock, metrics, onDone = () => undefined }: QueryServiceDeps) {
    this.#workers = workers;
    this.#gate = new Gate({
      max: concurrencyMax,
      waitingMax: concurrencyMax * waitingPerRunningMax,
      whenFull: () =>
        new CodedError(actorErrorCodes.tooManyQueries, 'too many queries are waiting, try again later'),
    });
    this.#clock = clock;
    this.#metrics = metrics;
    this.#onDone = onDone;
  }

  get running(): number {
    return this.#gate.inside;
  }

  query(spec: QuerySpec, signal: AbortSignal, origin: QueryOrigin): Promise<AnswerMessage> {
    return this.#recorded(spec, origin, (turn) =>
      this.#run(spec.limits.timeoutMs, signal, turn, (id, left) => (replyTo) => ({
        type: 'query',
        id,
        spec: within(spec, left),
        replyTo,
      })),
    );
  }

  vector(spec: QuerySpec, signal: AbortSignal, origin: QueryOrigin): Promise<VectorMessage> {
    return this.#recorded(spec, origin, (turn) =>
      this.#run(spec.limits.timeoutMs, signal, turn, (id, left) => (replyTo) => ({
        type: 'vector',
        id,
        spec: within(spec, left),
        replyTo,
      })),
    );
  }

  lookup(spec: LookupSpec, signal: AbortSignal): Promise<AnswerMessage> {
    const turn = { queueSeconds: 0 };
    return this.#run(lookupTimeoutMs, signal, turn, (id) => (replyTo) => ({
      type: 'lookup',
      id,
      spec,
      replyTo,
    }));
  }

  /** Counts a query, and tells of it when it is over. */
  async #recorded<R extends { readonly stats?: QueryStats }>(
    spec: QuerySpec,
    origin: QueryOrigin,
    run: (turn: Turn) => Promise<R>,
  ): Promise<R> {
    const startedMs = this.#clock.monotonicMs();
    const turn = { queueSeconds: 0 };
    this.#metrics.running.inc();
    try {
      const result = await run(turn);
      const stats = statsJson(result.stats, spec, turn.queueSeconds);
      this.#metrics.evaluated(stats);
      this.#onDone({ spec, origin, stats });
      return result;
    } catch (error) {
      const otherSeconds = (this.#clock.monotonicMs() - startedMs) / 1000 - turn.queueSeconds;
      const stats = statsJson(undefined, spec, turn.queueSeconds, otherSeconds);
      this.#onDone({ spec, origin, stats, error: errorText(error) });
      throw error;
    } finally {
      this.#metrics.running.dec();
    }
  }

  /** Rejects with `too_many_queries`, QueryCanceledError, or QueryTimeoutError after `waitMs`. */
  async #enter(signal: AbortSignal, waitMs: number): Promise<void> {
    signal.throwIfAborted();
    const waiting = new AbortController();
    const onAbort = (): void => waiting.abort(new QueryCanceledError('query queue'));
    const timer = this.#clock.after(waitMs, () => waiting.abort(new QueryTimeoutError('query queue')));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#gate.enter(waiting.signal);
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** The time in the line counts. */
  async #run<R>(
    timeoutMs: number,
    signal: AbortSignal,
    turn: Turn,
    make: (id: number, left: Left) => MakeAsk<WorkerMessage, R>,
  ): Promise<R> {
    const startedMs = this.#clock.monotonicMs();
    try {
      await this.#enter(signal, timeoutMs);
    } finally {
      turn.queueSeconds = (this.#clock.monotonicMs() - startedMs) / 1000;
    }
    const id = ++this.#lastId;
    const { queueSeconds } = turn;
    const leftMs = Math.max(1, Math.ceil(timeoutMs - queueSeconds * 1000));
    try {
      const worker = this.#workers.next();
      const cancel = (): void => {
        worker.tell({ type: 'cancel', id });
      };
      signal.addEventListener('abort', cancel, { once: true });
      try {
        return await worker.ask<R>(make(id, { leftMs, queueSeconds }), leftMs + marginMs);
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

/** Told how long a query waited for its turn. */
interface Turn {
  queueSeconds: number;
}

interface Left {
  readonly leftMs: number;
  readonly queueSeconds: number;
}

function within(spec: QuerySpec, { leftMs, queueSeconds }: Left): QuerySpec {
  return { ...spec, queueSeconds, limits: { ...spec.limits, timeoutMs: leftMs } };
}
