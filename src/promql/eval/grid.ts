/**
 * The steps at which an expression is evaluated, and the data that each step looks at. All times are whole
 * milliseconds. Windows are open on the left and closed on the right, as in Prometheus 3.
 */
import type { Lookups } from '../../model/index.ts';
import { TooManySamplesError } from '../errors.ts';
import { type DurationContext, resolveDuration } from '../parse/durations.ts';
import type {
  AtModifier,
  DurationNode,
  MatrixSelector,
  SubqueryExpr,
  VectorSelector,
} from '../parse/tree.ts';

/** `steps` evaluation times from `startMs` on, `stepMs` apart; none when steps is 0. */
export interface Grid {
  readonly startMs: number;
  readonly stepMs: number;
  readonly steps: number;
  /** What the steps were asked up to, where that is known: the last step may lie before it. */
  readonly endMs?: number;
}

/** More steps than this, of a query or of a subquery, are refused: every series has a column of so many values. */
const stepsMax = 1 << 20;

/** Throws TooManySamplesError for more than stepsMax steps. */
export function gridOf(startMs: number, endMs: number, stepMs: number): Grid {
  if (endMs < startMs) return { startMs, stepMs: 1, steps: 0 };
  // An instant may come without a step.
  if (endMs === startMs) return { startMs, endMs, stepMs: Math.max(1, stepMs), steps: 1 };
  const steps = Math.floor((endMs - startMs) / stepMs) + 1;
  if (steps > stepsMax) throw new TooManySamplesError();
  return { startMs, endMs, stepMs, steps };
}

/** What modifiers and durations refer to: the outermost query. */
export interface QueryTimes extends DurationContext {
  readonly startMs: number;
  readonly endMs: number;
}

/** The time that a modified selector or subquery looks at: fixed by `@`, else moving with the step. */
export interface Shift {
  readonly atMs: number | undefined;
  readonly offsetMs: number;
}

/** Throws ExecutionError when an offset's arithmetic gives no duration for these times. */
export function shiftOf(node: { at?: AtModifier; offset?: DurationNode }, times: QueryTimes): Shift {
  const offsetMs = node.offset === undefined ? 0 : resolveDuration(node.offset, times, 'any');
  return { atMs: atTime(node.at, times), offsetMs };
}

function atTime(at: AtModifier | undefined, times: QueryTimes): number | undefined {
  if (at === undefined) return undefined;
  if (at.kind === 'timestamp') return at.timestampMs;
  return at.kind === 'start' ? times.startMs : times.endMs;
}

/** The time looked at from step `index`. */
export function lookupMs(grid: Grid, shift: Shift, index: number): number {
  return (shift.atMs ?? grid.startMs + index * grid.stepMs) - shift.offsetMs;
}

/** The instants at which an instant selector looks for its newest samples. */
export function lookupsOf(node: VectorSelector, grid: Grid, times: QueryTimes): Lookups {
  const shift = shiftOf(node, times);
  const isFixed = shift.atMs !== undefined;
  return { firstMs: lookupMs(grid, shift, 0), stepMs: grid.stepMs, steps: isFixed ? 1 : grid.steps };
}

export interface TimeRange {
  /** Both inclusive. */
  readonly fromMs: number;
  readonly toMs: number;
}

function reach(grid: Grid, shift: Shift, lengthMs: number): TimeRange {
  const first = lookupMs(grid, shift, 0);
  const last = lookupMs(grid, shift, grid.steps - 1);
  return { fromMs: first - lengthMs + 1, toMs: last };
}

/** The samples that an instant selector may need on the grid. */
export function instantReach(
  node: VectorSelector,
  grid: Grid,
  times: QueryTimes,
  lookbackMs: number,
): TimeRange {
  const { fromMs, toMs } = reach(grid, shiftOf(node, times), lookbackMs);
  return { fromMs, toMs: node.extension === 'smoothed' ? toMs + lookbackMs : toMs };
}

/** The samples that a range selector may need on the grid; extended ones also look beyond their range. */
export function rangeReach(
  node: MatrixSelector,
  grid: Grid,
  times: QueryTimes,
  lookbackMs: number,
): TimeRange {
  const { extension } = node.selector;
  const rangeMs = resolveDuration(node.range, times, 'positive');
  const { fromMs, toMs } = reach(grid, shiftOf(node.selector, times), rangeMs);
  return {
    fromMs: extension === undefined ? fromMs : fromMs - lookbackMs,
    toMs: extension === 'smoothed' ? toMs + lookbackMs : toMs,
  };
}

/** The inner steps of a subquery: absolute multiples of its step inside all windows of the outer grid. */
export function subqueryGrid(node: SubqueryExpr, grid: Grid, times: QueryTimes, defaultStepMs: number): Grid {
  const shift = shiftOf(node, times);
  const rangeMs = resolveDuration(node.range, times, 'positive');
  const stepMs = node.step === undefined ? defaultStepMs : resolveDuration(node.step, times, 'positive');
  const leftMs = lookupMs(grid, shift, 0) - rangeMs;
  const startMs = (Math.floor(leftMs / stepMs) + 1) * stepMs;
  return gridOf(startMs, lookupMs(grid, shift, grid.steps - 1), stepMs);
}
