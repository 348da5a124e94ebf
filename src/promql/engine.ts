/**
 * The engine: parses, fetches, evaluates, and turns columns into a result, under the limits of one query. The
 * clock is the only source of time; a query that takes long lets other events in, so that its deadline and its
 * cancellation are noticed.
 */
import { type Clock, CodedError } from '../base/index.ts';
import { type FloatHistogram, Labels } from '../model/index.ts';
import { ExecutionError, QueryCanceledError, QueryError, QueryTimeoutError } from './errors.ts';
import { evaluatePartially } from './eval/aggregate/aggregate.ts';
import type { AggregateState } from './eval/aggregate/aggregate_state.ts';
import { Annotations } from './eval/annotations.ts';
import { QueryContext, type QueryOptions } from './eval/context.ts';
import { TreeEvaluator } from './eval/evaluate.ts';
import { extendedSamples } from './eval/extended.ts';
import { type Grid, gridOf } from './eval/grid.ts';
import { partsFor } from './eval/parts.ts';
import { prefetch, type Sources } from './eval/prefetch.ts';
import type { QueryProfile } from './eval/profile.ts';
import { SampleCounts } from './eval/sample_counts.ts';
import {
  dropMarkedNames,
  histogramSize,
  sameLabelsetMessage,
  type Value,
  withoutMetadata,
} from './eval/values.ts';
import { evaluateRange, moveWindow, Window } from './eval/windows.ts';
import { typeOf } from './parse/check.ts';
import { type ParserOptions, parseExpr } from './parse/parser.ts';
import { type AggregateExpr, type Expr, unwrapParens } from './parse/tree.ts';
import { InstantVector, instantValue, rangeValue, sortedByLabels } from './result.ts';
import type {
  EngineLimits,
  MatrixSeries,
  QueryRange,
  QueryResult,
  QueryValue,
  SampleStats,
} from './types.ts';

export interface EngineFeatures extends ParserOptions {
  /** Names are dropped when the query ends rather than by each function. Default false. */
  readonly delayedNameRemoval?: boolean;
  /** Start times of samples show resets of counters and are given by start_timestamp(). Default false. */
  readonly useStartTimestamps?: boolean;
  /** The label `__type__` of series tells which are counters, rather than their names. Default false. */
  readonly typeAndUnitLabels?: boolean;
}

export interface EngineOptions {
  /** For queries that don't bring their own. */
  readonly limits: EngineLimits;
  readonly features?: EngineFeatures;
  /** The step of subqueries that name none: the global evaluation interval. */
  readonly subqueryStepMs?: number;
  readonly clock: Clock;
}

const defaultSubqueryStepMs = 60_000;

export interface EvaluationRange extends QueryRange {
  readonly instant: boolean;
}

/** What a query may set differently from the engine's defaults. */
export interface EvaluationOptions {
  /** What the spans of a query given as a tree refer to, for the positions in annotations. */
  readonly text?: string;
  readonly limits?: Partial<EngineLimits>;
  readonly subqueryStepMs?: number;
  /** Is told of each operator; for a query given as a tree, so that the operators can be named. */
  readonly profile?: QueryProfile;
  /** Counts the samples of each step, too. */
  readonly countsSteps?: boolean;
}

interface Run {
  readonly expr: Expr;
  readonly grid: Grid;
  readonly context: QueryContext;
  readonly evaluator: TreeEvaluator;
  readonly timings: RunTimings;
  /** Brings the data that the expression reads, in the place of what was there. */
  readonly fetch: (sources: Sources) => Promise<void>;
}

class RunTimings {
  readonly #clock: Clock;
  preparation = 0;
  sorting = 0;
  #lastMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastMs = clock.monotonicMs();
  }

  /** Seconds since the lap before. */
  lap(): number {
    const sinceMs = this.#lastMs;
    this.#lastMs = this.#clock.monotonicMs();
    return (this.#lastMs - sinceMs) / 1000;
  }

  /** Runs work that sorts the result. */
  sort<T>(work: () => T): T {
    const startMs = this.#clock.monotonicMs();
    const result = work();
    this.sorting = (this.#clock.monotonicMs() - startMs) / 1000;
    return result;
  }
}

interface PartialEvaluation {
  readonly grid: Grid;
  readonly state: AggregateState;
  readonly warnings: string[];
  readonly infos: string[];
  readonly samples: SampleStats;
}

/** Evaluates queries; holds no state between them. */
export class Engine {
  readonly #limits: EngineLimits;
  readonly #features: EngineFeatures;
  readonly #subqueryStepMs: number;
  readonly #clock: Clock;

  constructor(options: EngineOptions) {
    this.#limits = options.limits;
    this.#features = options.features ?? {};
    this.#subqueryStepMs = options.subqueryStepMs ?? defaultSubqueryStepMs;
    this.#clock = options.clock;
  }

  /** Throws ParseError; with the features that this engine has. */
  parse(text: string): Expr {
    return parseExpr(text, this.#features);
  }

  /**
   * Evaluates at range.startMs (instant) or at all steps of the range. Rejects with a QueryError: bad_data,
   * execution, timeout or canceled.
   */
  async evaluate(
    query: Expr | string,
    range: EvaluationRange,
    sources: Sources,
    signal: AbortSignal,
    options: EvaluationOptions = {},
  ): Promise<QueryResult> {
    const annotations = new Annotations(typeof query === 'string' ? query : options.text);
    return this.#run(query, range, annotations, signal, options, async (run) => {
      await run.fetch(sources);
      const value = await (range.instant ? evaluateInstant(run, range.startMs) : evaluateSteps(run));
      const { preparation, sorting } = run.timings;
      const timings = { preparation, evaluation: run.timings.lap(), sorting };
      const stats = { samples: run.context.stats(run.evaluator.counts), timings };
      return { value, warnings: annotations.warnings, infos: annotations.infos, stats };
    });
  }

  /** An aggregation over the series of the sources, not finished: see AggregateState. Rejects as `evaluate` does. */
  async evaluatePartial(
    expr: AggregateExpr,
    range: QueryRange,
    sources: Sources,
    signal: AbortSignal,
    options: EvaluationOptions = {},
  ): Promise<PartialEvaluation> {
    const annotations = new Annotations(options.text);
    const steps = { ...range, instant: false };
    return this.#run(expr, steps, annotations, signal, options, async (run) => {
      const parts = partsFor(expr, run.grid, sources.storage).values();
      const nextPart = async (): Promise<boolean> => {
        const { value: storage } = parts.next();
        if (storage !== undefined) await run.fetch({ ...sources, storage });
        return storage !== undefined;
      };
      await nextPart();
      const state = await evaluatePartially(expr, run.evaluator, nextPart);
      const samples = run.context.stats(run.evaluator.counts);
      return { grid: run.grid, state, warnings: annotations.warnings, infos: annotations.infos, samples };
    });
  }

  async #run<T>(
    query: Expr | string,
    range: EvaluationRange,
    annotations: Annotations,
    signal: AbortSignal,
    options: EvaluationOptions,
    evaluate: (run: Run) => Promise<T>,
  ): Promise<T> {
    const expr = typeof query === 'string' ? this.parse(query) : query;
    const limits = { ...this.#limits, ...options.limits };
    const guard = new Guard(this.#clock, limits.timeoutMs, signal);
    try {
      const grid = range.instant
        ? { startMs: range.startMs, stepMs: 1, steps: 1 }
        : gridOf(range.startMs, range.endMs, range.stepMs);
      const context = this.#context(
        range,
        annotations,
        limits,
        options.subqueryStepMs ?? this.#subqueryStepMs,
        { clock: this.#clock, signal: guard.signal, profile: options.profile },
      );
      const perStep = options.countsSteps === true ? new Float64Array(grid.steps) : undefined;
      const evaluator = new TreeEvaluator(context, grid, new SampleCounts(perStep));
      const timings = new RunTimings(this.#clock);
      const fetch = async (sources: Sources): Promise<void> => {
        context.releaseData();
        await guard.race(prefetch(expr, grid, context, sources, guard.signal));
        timings.preparation = timings.lap();
      };
      return await evaluate({ expr, grid, context, evaluator, timings, fetch });
    } catch (error) {
      throw asQueryError(error);
    } finally {
      guard.stop();
    }
  }

  #context(
    range: EvaluationRange,
    annotations: Annotations,
    limits: EngineLimits,
    subqueryStepMs: number,
    deps: ConstructorParameters<typeof QueryContext>[3],
  ): QueryContext {
    const options: QueryOptions = {
      lookbackMs: limits.lookbackMs,
      samplesMax: limits.samplesMax,
      memoryMax: limits.memoryMax ?? Number.POSITIVE_INFINITY,
      subqueryStepMs,
      delayedNameRemoval: this.#features.delayedNameRemoval === true,
      useStartTimes: this.#features.useStartTimestamps === true,
      typeLabels: this.#features.typeAndUnitLabels === true,
    };
    const endMs = range.instant ? range.startMs : range.endMs;
    const times = {
      startMs: range.startMs,
      endMs,
      stepMs: range.instant ? 0 : range.stepMs,
      rangeMs: endMs - range.startMs,
    };
    return new QueryContext(options, times, annotations, deps);
  }
}

async function evaluateSteps(run: Run): Promise<QueryValue> {
  const type = typeOf(run.expr);
  if (type === 'string' || type === 'matrix') {
    const shown = type === 'string' ? 'string' : 'range vector';
    throw new QueryError(
      'bad_data',
      `invalid expression type "${shown}" for range query, must be Scalar or instant Vector`,
    );
  }
  const value = await run.evaluator.evaluate(run.expr);
  if (value.type === 'string') throw new ExecutionError('a range query has no string result');
  return run.timings.sort(() => rangeValue(settleNames(value), run.grid, Labels.empty));
}

async function evaluateInstant(run: Run, atMs: number): Promise<QueryValue> {
  const node = unwrapParens(run.expr);
  if (node.kind === 'matrix' || node.kind === 'subquery') return evaluateWindow(node, run);
  if (typeOf(node) === 'vector') {
    const vector = new InstantVector(atMs);
    await run.evaluator.each(run.expr, (series) => vector.add(series));
    return vector.value();
  }
  const value = await run.evaluator.evaluate(run.expr);
  if (value.type === 'vector') throw new ExecutionError('an expression that is no vector gave one');
  return instantValue(value, atMs);
}

/** The samples in the window of a range selector, or the inner steps of a subquery. */
async function evaluateWindow(node: Expr, { evaluator, timings }: Run): Promise<QueryValue> {
  const inner = new SampleCounts();
  const range = await evaluateRange(node, evaluator, inner);
  evaluator.counts.addAt(0, inner.total);
  const { extension } = range;
  const series: MatrixSeries[] = [];
  for (const { labels, dropName, timestamps, values, histograms } of range.series) {
    const window = new Window();
    window.timestamps = timestamps;
    window.values = values;
    moveWindow(window, range, evaluator.grid, 0);
    const { from, to } = window;
    if (to === from) continue;
    if (node.kind === 'matrix') holdWindow(evaluator, to - from, histograms?.slice(from, to) ?? []);
    const plain = {
      timestamps: timestamps.subarray(from, to),
      values: values.subarray(from, to),
      ...(histograms === undefined ? {} : { histograms: histograms.slice(from, to) }),
    };
    if (extension !== undefined && histograms !== undefined) refuseExtended(extension, plain.histograms);
    const samples = extension === undefined ? plain : extendedSamples(window, extension);
    if (samples !== undefined)
      series.push({ labels: dropName === true ? withoutMetadata(labels) : labels, ...samples });
  }
  const keys = new Set(series.map(({ labels }) => labels.key()));
  if (keys.size < series.length) throw new ExecutionError(sameLabelsetMessage);
  return { type: 'matrix', series: timings.sort(() => sortedByLabels(series)) };
}

function holdWindow(
  { context, counts }: TreeEvaluator,
  samples: number,
  histograms: readonly (FloatHistogram | null)[],
): void {
  let size = samples;
  for (const histogram of histograms) if (histogram !== null) size += histogramSize(histogram) - 1;
  context.hold(size);
  counts.addAt(0, size);
}

/** Edges of histograms are only interpolated for functions. */
function refuseExtended(extension: string, histograms: MatrixSeries['histograms']): void {
  if (histograms?.some((histogram) => histogram !== null)) {
    throw new ExecutionError(`${extension} modifier is not supported with histograms`);
  }
}

function settleNames<V extends Value>(value: V): V {
  if (value.type !== 'vector') return value;
  return { ...value, series: dropMarkedNames(value.series) };
}

function asQueryError(error: unknown): unknown {
  if (error instanceof QueryError) return error;
  if (error instanceof CodedError) return new ExecutionError(error.message, { cause: error });
  return error;
}

/** A deadline and the caller's signal as one signal with the right reason. */
class Guard {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #onOuter: () => void;
  readonly #cancelTimer: () => void;

  constructor(clock: Clock, timeoutMs: number, outer: AbortSignal) {
    this.#outer = outer;
    this.#onOuter = () => this.#controller.abort(new QueryCanceledError('expression evaluation'));
    if (outer.aborted) this.#onOuter();
    else outer.addEventListener('abort', this.#onOuter, { once: true });
    const timer = clock.after(timeoutMs, () => {
      this.#controller.abort(new QueryTimeoutError('expression evaluation'));
    });
    this.#cancelTimer = () => timer.cancel();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Rejects with the signal's reason when it fires before `work` is done. */
  async race<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#controller;
    signal.throwIfAborted();
    return new Promise<T>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  stop(): void {
    this.#cancelTimer();
    this.#outer.removeEventListener('abort', this.#onOuter);
  }
}
