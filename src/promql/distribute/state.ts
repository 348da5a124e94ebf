/**
 * The aggregations that can be computed in parts. Each state can be merged with another of the same steps, in
 * any order, and be taken apart into columns for the wire:
 *
 * - sum: compensated pairs; merging adds the sums with compensation.
 * - avg: compensated sums and counts; a step whose sum would overflow holds a mean instead, and merging weighs
 *   means by counts.
 * - count, group: counts.  min, max: the extremum, NaN only when all values are NaN.
 */
import { AvgAccumulator } from '../eval/aggregate/avg.ts';
import type { Accumulator } from '../eval/aggregate/columns.ts';
import { CountAccumulator, ExtremumAccumulator } from '../eval/aggregate/extrema.ts';
import { SumAccumulator } from '../eval/aggregate/sum.ts';
import type { AggregateOp } from '../parse/tree.ts';

export type PartialOp = 'sum' | 'avg' | 'count' | 'group' | 'min' | 'max';

/** Wire codes; never reused. */
export const partialOps: readonly PartialOp[] = ['sum', 'avg', 'count', 'group', 'min', 'max'];

export function isPartialOp(op: AggregateOp): op is PartialOp {
  return (partialOps as readonly AggregateOp[]).includes(op);
}

/** Columns of numbers and at most one of flags, each with one element per step. */
export interface StateColumns {
  readonly numbers: readonly Float64Array[];
  readonly flags?: Uint8Array;
}

/** One group's state. */
export interface PartialState {
  readonly accumulator: Accumulator;
  /** Adds the state of the same aggregation over other input. */
  merge(other: PartialState): void;
  columns(): StateColumns;
}

class State<A extends Accumulator> implements PartialState {
  readonly accumulator: A;
  readonly #mergeInto: (target: A, source: A) => void;
  readonly #columns: (accumulator: A) => StateColumns;

  constructor(
    accumulator: A,
    mergeInto: (target: A, source: A) => void,
    columns: (accumulator: A) => StateColumns,
  ) {
    this.accumulator = accumulator;
    this.#mergeInto = mergeInto;
    this.#columns = columns;
  }

  merge(other: PartialState): void {
    if (!(other instanceof State)) throw new TypeError('states of two aggregations cannot be merged');
    this.#mergeInto(this.accumulator, other.accumulator as A);
  }

  columns(): StateColumns {
    return this.#columns(this.accumulator);
  }
}

/** An empty state over `steps` steps; its `columns()` are the live columns, which a decoder may fill. */
export function createState(op: PartialOp, steps: number): PartialState {
  switch (op) {
    case 'sum':
      return new State(
        new SumAccumulator(steps),
        (target, source) => target.merge(source),
        ({ sums, compensations, present }) => ({ numbers: [sums, compensations], flags: present }),
      );
    case 'avg':
      return new State(
        new AvgAccumulator(steps),
        (target, source) => target.merge(source),
        ({ totals, compensations, counts, isMean }) => ({
          numbers: [totals, compensations, counts],
          flags: isMean,
        }),
      );
    case 'count':
    case 'group':
      return new State(
        new CountAccumulator(steps, op === 'group' ? 1 : undefined),
        (target, source) => target.merge(source),
        ({ counts }) => ({ numbers: [counts] }),
      );
    case 'min':
    case 'max':
      return new State(
        new ExtremumAccumulator(steps, op),
        (target, source) => target.add(source),
        ({ values, present }) => ({ numbers: [values], flags: present }),
      );
  }
}
