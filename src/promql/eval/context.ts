/**
 * What all operators of one running query share: the data that was fetched, annotations, options, and the
 * guards against running too long or holding too much.
 */
import type { Clock } from '../../base/index.ts';
import type { SeriesColumns } from '../../model/index.ts';
import { MemoryLimitError, type QueryError, TooManySamplesError } from '../errors.ts';
import { Pace } from '../pace.ts';
import type { Expr, VectorSelector } from '../parse/tree.ts';
import type { RemoteResult, SampleStats } from '../types.ts';
import type { Annotations } from './annotations.ts';
import type { Grid, QueryTimes } from './grid.ts';
import type { QueryProfile } from './profile.ts';
import { type HeldMark, HeldSamples, type SampleCounts } from './sample_counts.ts';
import type { TakeSeries, Value, VectorValue } from './values.ts';

export interface QueryOptions {
  readonly lookbackMs: number;
  readonly samplesMax: number;
  readonly memoryMax: number;
  /** The step of subqueries that name none. */
  readonly subqueryStepMs: number;
  readonly delayedNameRemoval: boolean;
  readonly useStartTimes: boolean;
  /** Series carry the types of their metrics as labels. */
  readonly typeLabels: boolean;
}

/** Of a value at a step, with the bit that says that it is there. */
const cellBytes = 9;

/** Series times steps that one operator may hold: 600 MB. */
const cellsMax = 1 << 26;

/** A node's result by its samples. */
export interface ResultSamples {
  readonly samples: number;
  /** A scalar: the same wherever it is computed. */
  readonly isShared: boolean;
  readonly atLastStep: number;
}

interface NodeMark {
  readonly held: HeldMark;
  readonly operandSamples: number;
}

/** State of one query. */
export class QueryContext extends Pace {
  readonly options: QueryOptions;
  readonly times: QueryTimes;
  readonly annotations: Annotations;
  /** Told what each operator gives, where somebody wants to know. */
  readonly profile: QueryProfile | undefined;
  readonly data: Map<VectorSelector, readonly SeriesColumns[]> = new Map<
    VectorSelector,
    readonly SeriesColumns[]
  >();
  /** Of each fragment; an error is thrown when its turn comes, which it does where nothing fails before. */
  readonly remote: Map<number, RemoteResult | QueryError> = new Map<number, RemoteResult | QueryError>();
  readonly #clock: Clock;
  readonly #held = new HeldSamples();
  /** Values at the last step of what was evaluated since a node began: its operands. */
  #operandSamples = 0;
  #series = 0;
  #dataBytes = 0;
  readonly #startedMs: number;

  constructor(
    options: QueryOptions,
    times: QueryTimes,
    annotations: Annotations,
    deps: {
      clock: Clock;
      signal: AbortSignal;
      profile?: QueryProfile | undefined;
    },
  ) {
    super(deps.clock, deps.signal);
    this.profile = deps.profile;
    this.options = options;
    this.times = times;
    this.annotations = annotations;
    this.#clock = deps.clock;
    this.#startedMs = deps.clock.monotonicMs();
  }

  /** Throws TooManySamplesError above the limit. */
  hold(samples: number): void {
    this.#held.add(samples, false);
    this.#check(0);
  }

  /** For the window at hand: throws TooManySamplesError when so many beside those that are held are above the limit. */
  holdBriefly(samples: number): void {
    this.#held.look(0, samples);
    this.#check(samples);
  }

  /**
   * A node begins: what is held, and a count of its operands' values, until `settle`. What other places hold for a node
   * is `heldElsewhere`.
   */
  begin(): NodeMark {
    const mark = { held: this.#held.mark(), operandSamples: this.#operandSamples };
    this.#operandSamples = 0;
    return mark;
  }

  /**
   * A node is done: back to what was held before it, plus its result. Prometheus computes some nodes step by step: of such
   * a node operands and result are held together, and the operands' values at the step at hand once more.
   */
  settle({ held, operandSamples }: NodeMark, result: ResultSamples, isStepwise: boolean): void {
    if (isStepwise) {
      const beside = result.samples + this.#operandSamples;
      this.#held.look(result.isShared ? 0 : beside, result.isShared ? beside : 0);
      this.#check(beside);
    }
    this.#held.backTo(held);
    this.#held.add(result.samples, result.isShared);
    this.#operandSamples = operandSamples + result.atLastStep;
    this.#check(0);
  }

  /** What other places held for the part of the query that comes next. */
  heldElsewhere(stats: SampleStats): void {
    this.#held.look(stats.peakSamples - stats.peakShared, stats.peakShared);
    this.#check(stats.peakSamples);
  }

  /** So far, with what an evaluator has counted. */
  stats({ total, perStep }: SampleCounts): SampleStats {
    const { peak, peakShared } = this.#held;
    const workMs = this.#clock.monotonicMs() - this.#startedMs;
    const stats = { totalSamples: total, peakSamples: peak, peakShared, series: this.#series, workMs };
    return perStep === undefined ? stats : { ...stats, samplesPerStep: perStep };
  }

  /** Data that was fetched for the query. Throws MemoryLimitError above the limit. */
  holdData(series: number, bytes: number): void {
    this.#series += series;
    this.#dataBytes += bytes;
    if (this.#dataBytes > this.options.memoryMax) throw new MemoryLimitError(this.options.memoryMax);
  }

  /** The data fetched so far is let go. */
  releaseData(): void {
    this.#dataBytes = 0;
    this.data.clear();
  }

  /** Before columns for so many series are made: sparse ones cost memory that their samples don't show. */
  reserve(series: number, grid: Grid): void {
    const cells = series * grid.steps;
    if (cells > cellsMax) throw new TooManySamplesError();
    if (this.#dataBytes + cells * cellBytes > this.options.memoryMax) {
      throw new MemoryLimitError(this.options.memoryMax);
    }
  }

  #check(beside: number): void {
    if (this.#held.total + beside > this.options.samplesMax) throw new TooManySamplesError();
  }
}

/** Evaluates expressions on one grid; given to functions, which evaluate their arguments with it. */
export interface Evaluator {
  readonly context: QueryContext;
  readonly grid: Grid;
  /** What is looked at on this grid. */
  readonly counts: SampleCounts;
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
  /** The same query on other steps, whose samples are counted apart: by default they don't count. */
  on(grid: Grid, counts?: SampleCounts): Evaluator;
}
