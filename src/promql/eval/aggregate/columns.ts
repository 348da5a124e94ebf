/**
 * Accumulators: how one group of series becomes one series. Each holds one element per step in typed arrays and
 * is fed whole series. The first six also are the partial aggregates that travel between nodes: their state can
 * be merged with that of other inputs (see distribute/).
 */
import type { StepSeries } from '../../types.ts';

/** The result of a group. */
export interface GroupColumns {
  readonly values: Float64Array;
  readonly present: Uint8Array;
}

/** One group of an aggregation whose result is one series. */
export interface Accumulator {
  add(series: StepSeries): void;
  finish(): GroupColumns;
}
