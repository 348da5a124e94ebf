/**
 * What all operators of one running query share: the data that was fetched, annotations, options, and the
 * guards against running too long or holding too much.
 */
import type { Clock } from '../../base/index.ts';
import type { SeriesColumns } from '../../model/index.ts';
import { TooManySamplesError } from '../errors.ts';
import type { Expr, VectorSelector } from '../parse/tree.ts';
import type { RemoteResult } from '../types.ts';
import type { Annotations } from './annotations.ts';
import type { Grid, QueryTimes } from './grid.ts';
import type { QueryProfile } from './profile.ts';
import type { TakeSeries, Value, VectorValue } from './values.ts';

export interface QueryOptions {
  readonly lookbackMs: number;
  readonly samplesMax: number;
  /** The step of subqueries that name none. */
  readonly subqueryStepMs: number;
  readonly delayedNameRemoval: boolean;
  readonly useStartTimes: boolean;
}

/** Evaluation runs at most this long before it lets other events in. */
const sliceMs = 20;

/** Series times steps that one operator may hold: 600 MB. */
const cellsMax = 1 << 26;

/** State of one query. */
export class QueryContext {
  readonly options: QueryOptions;
  readonly times: QueryTimes;
  readonly annotations: Annotations;
  /** Told what each operator gives, where somebody wants to know. */
  readonly profile: QueryProfile | undefined;
  readonly data: Map<VectorSelector, readonly SeriesColumns[]> = new Map<
    VectorSelector,
    readonly SeriesColumns[]
  >();
  readonly remote: Map<number, RemoteResult> = new Map<number, RemoteResult>();
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #sliceEndMs: number;
  #samples = 0;

  constructor(
    options: QueryOptions,
    times: QueryTimes,
    annotations: Annotations,
    deps: { clock: Clock; signal: AbortSignal; profile?: QueryProfile | undefined },
  ) {
    this.profile = deps.profile;
    this.options = options;
    this.times = times;
    this.annotations = annotations;
    this.#clock = deps.clock;
    this.#signal = deps.signal;
    this.#sliceEndMs = deps.clock.monotonicMs() + sliceMs;
  }

  /** Samples held now. */
  get samples(): number {
    return this.#samples;
  }

  /** Throws TooManySamplesError above the limit. */
  hold(samples: number): void {
    this.#samples += samples;
    if (this.#samples > this.options.samplesMax) throw new TooManySamplesError();
  }

  /** Throws TooManySamplesError when so many beside those that are held are above the limit. */
  holdBriefly(samples: number): void {
    if (this.#samples + samples > this.options.samplesMax) throw new TooManySamplesError();
  }

  /** Before columns for so many series are made: sparse ones cost memory that their samples don't show. */
  reserve(series: number, grid: Grid): void {
    if (series * grid.steps > cellsMax) throw new TooManySamplesError();
  }

  /** Goes back to what was held before an operator ran, plus its result. */
  settle(before: number, result: number): void {
    this.#samples = before;
    this.hold(result);
  }

  /** Whether the slice is used up; then `pause` is due. */
  get due(): boolean {
    return this.#clock.monotonicMs() >= this.#sliceEndMs;
  }

  /** Lets other events in, so that timeouts and cancellation are noticed. Throws the signal's reason. */
  async pause(): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.after(0, resolve));
    this.#signal.throwIfAborted();
    this.#sliceEndMs = this.#clock.monotonicMs() + sliceMs;
  }
}

/** Evaluates expressions on one grid; given to functions, which evaluate their arguments with it. */
export interface Evaluator {
  readonly context: QueryContext;
  readonly grid: Grid;
  evaluate(expr: Expr): Promise<Value>;
  /** Evaluates an expression of type instant vector. */
  vector(expr: Expr): Promise<VectorValue>;
  /**
   * The same, one series after the other: their columns belong to who takes them until the next comes, and are only to be
   * read.
   */
  each(expr: Expr, take: TakeSeries): Promise<void>;
  /** Evaluates an expression of type scalar: one value per step. */
  scalar(expr: Expr): Promise<Float64Array>;
  /** The same query on other steps. */
  on(grid: Grid): Evaluator;
}
