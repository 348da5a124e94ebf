/**
 * Runs one query over the cluster: parses it, sends every aggregation that may be computed where the data lies as text,
 * merges the partial aggregates, fetches raw series for what is left, and finishes.
 */
import type { Clock } from '../base/index.ts';
import {
  decodePartial,
  distribute,
  type Engine,
  type EngineLimits,
  evaluatePartial,
  explain,
  type Fragment,
  finishPartial,
  mergePartials,
  Pace,
  QueryError,
  QueryProfile,
  type QueryRange,
  type QueryResult,
  type RemoteResult,
  selectorsOf,
} from '../promql/index.ts';
import { ClusterStorage, HoldersStorage } from './cluster_storage.ts';
import { IncompleteAnswerError, StaleTableError } from './errors.ts';
import { type Attempt, FanOut } from './fan_out.ts';
import { Gaps } from './missing.ts';
import { ExecuteKind, encodePartialRequest } from './payload.ts';
import type { Replicas } from './replicas.ts';

export interface CoordinatedQuery {
  readonly expr: string;
  readonly range: QueryRange & { readonly instant: boolean };
  readonly limits: EngineLimits;
  /** The step of subqueries that name none: the global evaluation interval. */
  readonly subqueryStepMs: number;
  /** False turns an answer that lacks data into IncompleteAnswerError. */
  readonly partialResponse: boolean;
  /** Counts the samples of each step. Default false. */
  readonly countsSteps?: boolean;
  /** Gives the plan of the query with what its operators did. Default false. */
  readonly explains?: boolean;
}

export interface CoordinatedResult extends QueryResult {
  /** True when data of the present may be missing: what a rule must not draw conclusions from. */
  readonly isUnsettled: boolean;
  readonly explain?: string;
}

export class Coordinator {
  readonly #engine: Engine;
  readonly #replicas: Replicas;
  readonly #clock: Clock;

  constructor(engine: Engine, replicas: Replicas, clock: Clock) {
    this.#engine = engine;
    this.#replicas = replicas;
    this.#clock = clock;
  }

  /** Rejects with QueryError (parse, limits, time), what `Replicas.assignment` throws, IncompleteAnswerError, or the signal's reason. */
  async run(query: CoordinatedQuery, signal: AbortSignal): Promise<CoordinatedResult> {
    // Whether there is anything to ask at all is no matter of the expression: told before the engine wraps it.
    this.#replicas.assignment();
    const gaps = new Gaps();
    const fanOut = new FanOut(this.#replicas, gaps);
    const parsed = this.#engine.parse(query.expr);
    const plan = distribute(parsed, () => true, query.range, query.expr);
    const profile = query.explains === true ? new QueryProfile(this.#clock) : undefined;
    const deadlineMs = query.limits.timeoutMs;
    const result = await this.#engine
      .evaluate(
        plan.expr,
        query.range,
        {
          storage: new ClusterStorage(fanOut, deadlineMs),
          remote: {
            fetch: (fragment, abort) =>
              fanOut.underOneTable(
                abort,
                selectorsOf(fragment.expr).map(({ matchers }) => matchers),
                (attempt) => this.#fetch(fragment, attempt, query, abort),
              ),
          },
        },
        signal,
        {
          limits: query.limits,
          text: query.expr,
          subqueryStepMs: query.subqueryStepMs,
          countsSteps: query.countsSteps === true,
          ...(profile === undefined ? {} : { profile }),
        },
      )
      .catch(throwUnwrapped);
    const gapWarnings = gaps.warnings();
    if (gapWarnings.length > 0 && !query.partialResponse) throw new IncompleteAnswerError(gapWarnings);
    return {
      value: result.value,
      infos: result.infos,
      warnings: [...gapWarnings, ...result.warnings],
      isUnsettled: gaps.isUnsettled,
      stats: result.stats,
      ...(profile === undefined ? {} : { explain: explain(plan, query.expr, profile) }),
    };
  }

  /** Partial aggregates from where shards lie whole; shards on the move are aggregated here, from raw series. */
  async #fetch(
    fragment: Fragment,
    attempt: Attempt,
    { expr, limits, subqueryStepMs, countsSteps = false }: CoordinatedQuery,
    signal: AbortSignal,
  ): Promise<RemoteResult> {
    const request = {
      kind: ExecuteKind.Partial,
      payload: (tableVersion: number): Uint8Array =>
        encodePartialRequest(
          { tableVersion, deadlineMs: limits.timeoutMs },
          { ...fragment, expr: fragment.text, ...limits, subqueryStepMs, countsSteps },
        ),
    };
    const { whole, scattered } = attempt.assignment;
    // What lies in this thread is aggregated here, too: without a message, and without encoding its state.
    const { near, far } = attempt.split(whole);
    const storage = new HoldersStorage(attempt, [...scattered, ...near], limits.timeoutMs);
    const [payloads, here] = await Promise.all([
      attempt.ask(far, request, signal),
      evaluatePartial(this.#engine, fragment.text, fragment, storage, signal, {
        limits,
        subqueryStepMs,
        countsSteps,
      }).catch(throwUnwrapped),
    ]);
    const pace = new Pace(this.#clock, signal);
    let merged = here;
    for (const payload of payloads) {
      merged = await mergePartials(merged, decodePartial(payload, here), pace);
      if (pace.due) await pace.pause();
    }
    return finishPartial(merged, fragment, pace, expr);
  }
}

/** A table that moved: the engine takes it for a failure of the expression, but it is one to try again. */
function throwUnwrapped(error: unknown): never {
  throw error instanceof QueryError && error.cause instanceof StaleTableError ? error.cause : error;
}
