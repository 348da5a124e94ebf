/**
 * The evaluator: walks the tree and hands each node to its operator. Operators work on whole series, column by
 * column; the walk keeps count of samples and lets other events in between them.
 */
import type { FloatHistogram } from '../../model/index.ts';
import { ExecutionError, QueryError } from '../errors.ts';
import { functionTable } from '../functions/table.ts';
import { type Expr, type RemoteExpr, type UnaryExpr, unwrapParens } from '../parse/tree.ts';
import type { StepSeries } from '../types.ts';
import { evaluateAggregate } from './aggregate/aggregate.ts';
import { evaluateBinary } from './binary/binary.ts';
import { mayPass, passBinary } from './binary/passing_binary.ts';
import type { Evaluator, QueryContext, ResultSamples } from './context.ts';
import type { Grid } from './grid.ts';
import { SampleCounts } from './sample_counts.ts';
import { evaluateSelector, passSelector } from './selector.ts';
import {
  dropNames,
  mergeSameLabels,
  sampleCount,
  type TakeSeries,
  type Value,
  type VectorValue,
} from './values.ts';

/** Levels of the tree that are entered before the call stack is let go, so that its size never ends a query. */
const levelsPerStackMax = 100;

/** Evaluates on one grid; see Evaluator. */
export class TreeEvaluator implements Evaluator {
  readonly context: QueryContext;
  readonly grid: Grid;
  readonly counts: SampleCounts;
  #entered = 0;

  constructor(context: QueryContext, grid: Grid, counts: SampleCounts = new SampleCounts()) {
    this.context = context;
    this.grid = grid;
    this.counts = counts;
  }

  on(grid: Grid, counts?: SampleCounts): Evaluator {
    return new TreeEvaluator(this.context, grid, counts);
  }

  async evaluate(expr: Expr): Promise<Value> {
    const { context } = this;
    if (context.due) await context.pause();
    if (++this.#entered % levelsPerStackMax === 0) await undefined;
    const mark = context.begin();
    const tell = context.profile?.begin(expr);
    const value = await this.#node(expr);
    const result = this.#samplesOf(value);
    if (readsTimes(expr)) context.holdBriefly(result.atLastStep);
    context.settle(mark, result, isStepwise(expr));
    tell?.(value.type === 'vector' ? value.series.length : 0, result.samples);
    return value;
  }

  #samplesOf(value: Value): ResultSamples {
    if (value.type === 'vector') {
      const { series } = value;
      return { samples: sampleCount(series), isShared: false, atLastStep: atLastStep(series) };
    }
    if (value.type === 'string') return { samples: 0, isShared: true, atLastStep: 0 };
    return { samples: this.grid.steps, isShared: true, atLastStep: 1 };
  }

  async vector(expr: Expr): Promise<VectorValue> {
    const value = await this.evaluate(expr);
    if (value.type !== 'vector')
      throw new ExecutionError(`an instant vector was expected, not a ${value.type}`);
    return value;
  }

  async each(expr: Expr, take: TakeSeries): Promise<void> {
    const { context } = this;
    const pass = this.#passing(unwrapParens(expr));
    if (pass === undefined) {
      for (const series of (await this.vector(expr)).series) {
        take(series);
        if (context.due) await context.pause();
      }
      return;
    }
    if (context.due) await context.pause();
    const mark = context.begin();
    const tell = context.profile?.begin(expr);
    let count = 0;
    let samples = 0;
    let last = 0;
    await pass((series) => {
      count++;
      samples += sampleCount([series]);
      last += atLastStep([series]);
      take(series);
    });
    context.settle(mark, { samples, isShared: false, atLastStep: last }, isStepwise(expr));
    tell?.(count, samples);
  }

  /** What hands out the series of an expression one after the other, where its operator can. */
  #passing(node: Expr): ((take: TakeSeries) => Promise<void>) | undefined {
    if (node.kind === 'vector') return (take) => passSelector(node, this, take);
    if (node.kind === 'binary' && mayPass(node, this.context)) return (take) => passBinary(node, this, take);
    const pass = node.kind === 'call' ? functionTable[node.func].pass : undefined;
    return node.kind === 'call' && pass !== undefined ? (take) => pass(node, this, take) : undefined;
  }

  async scalar(expr: Expr): Promise<Float64Array> {
    const value = await this.evaluate(expr);
    if (value.type !== 'scalar') throw new ExecutionError(`a scalar was expected, not a ${value.type}`);
    return value.values;
  }

  async #node(expr: Expr): Promise<Value> {
    switch (expr.kind) {
      case 'number':
        return { type: 'scalar', values: new Float64Array(this.grid.steps).fill(expr.value) };
      case 'string':
        return { type: 'string', text: expr.value };
      case 'paren':
        return this.#node(expr.expr);
      case 'vector':
        return evaluateSelector(expr, this);
      case 'unary':
        return this.#unary(expr);
      case 'binary':
        return evaluateBinary(expr, this);
      case 'aggregate':
        return evaluateAggregate(expr, this);
      case 'call':
        return functionTable[expr.func].evaluate(expr, this);
      case 'remote':
        return this.#remote(expr);
      case 'matrix':
      case 'subquery':
        throw new ExecutionError('a range vector has no value at a step');
    }
  }

  async #unary(expr: UnaryExpr): Promise<Value> {
    const value = await this.#node(expr.expr);
    if (expr.op === '+' || value.type === 'string') return value;
    if (value.type === 'scalar') {
      negate(value.values);
      return value;
    }
    for (const { values, histograms } of value.series) {
      negate(values);
      if (histograms !== undefined) negateHistograms(histograms);
    }
    return { type: 'vector', series: dropNames(value.series, this.context.options.delayedNameRemoval) };
  }

  #remote(expr: RemoteExpr): VectorValue {
    const result = this.context.remote.get(expr.fragment.id);
    if (result === undefined) throw new ExecutionError(`fragment ${expr.fragment.id} was not fetched`);
    if (result instanceof QueryError) throw result;
    const { matrix, samples } = result;
    const { grid } = this;
    const sameStep = grid.steps === 1 || matrix.stepMs === grid.stepMs;
    if (matrix.startMs !== grid.startMs || matrix.steps !== grid.steps || !sameStep) {
      throw new ExecutionError(`fragment ${expr.fragment.id} was evaluated on other steps`);
    }
    // Now that its turn has come: what is said last of a text tells where.
    this.context.annotations.merge(result.warnings, result.infos);
    if (samples !== undefined) {
      this.counts.addStats(samples);
      this.context.heldElsewhere(samples);
      this.context.profile?.tellElsewhere(expr.fragment.id, samples);
    }
    return { type: 'vector', series: mergeSameLabels([...matrix.series]) };
  }
}

/** Functions that work on series, not on values. */
const labelFunctions: ReadonlySet<string> = new Set(['label_replace', 'label_join']);
const timeFunctions: ReadonlySet<string> = new Set(['timestamp', 'start_timestamp']);

/**
 * What Prometheus computes step by step, holding operands and results at once: operators, and functions of values. Others
 * count for themselves what they hold.
 */
function isStepwise(expr: Expr): boolean {
  const node = unwrapParens(expr);
  if (node.kind === 'unary') return isStepwise(node.expr);
  if (node.kind === 'aggregate') return node.op === 'count_values';
  if (node.kind !== 'call') return node.kind === 'binary' || node.kind === 'number';
  if (labelFunctions.has(node.func) || readsTimes(node)) return false;
  return node.args.every((arg) => !isRange(unwrapParens(arg)));
}

/** The times of samples are read where they lie, as a selector's. */
function readsTimes(expr: Expr): boolean {
  if (expr.kind !== 'call' || !timeFunctions.has(expr.func)) return false;
  return expr.args.every((arg) => unwrapParens(arg).kind === 'vector');
}

function isRange({ kind }: Expr): boolean {
  return kind === 'matrix' || kind === 'subquery';
}

/** How many series have a value at the last step. */
function atLastStep(series: readonly StepSeries[]): number {
  let count = 0;
  for (const { present } of series) if (present[present.length - 1] === 1) count++;
  return count;
}

function negate(values: Float64Array): void {
  for (let i = 0; i < values.length; i++) values[i] = -(values[i] as number);
}

function negateHistograms(histograms: (FloatHistogram | null)[]): void {
  for (const [i, histogram] of histograms.entries()) {
    if (histogram !== null) histograms[i] = histogram.scale(-1);
  }
}
