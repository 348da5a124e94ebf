/** Each aggregation's state: how it begins, and how it is read from bytes. */
import type { AggregateOp } from '../../parse/tree.ts';
import { CountValuesState } from './count_values.ts';
import { CountState } from './counts.ts';
import { ExtremumState } from './extrema.ts';
import { type ExtremesOp, ExtremesState } from './extremes.ts';
import type { GroupState, ReadContext, Setup } from './group_state.ts';
import { QuantileState } from './quantile.ts';
import { type SelectOp, SelectState } from './select.ts';
import { SumState } from './sum.ts';
import { VarianceState } from './variance.ts';

interface StateKind {
  /** The state keeps the columns of series that are added to it. */
  readonly keepsColumns?: boolean;
  create(setup: Setup): GroupState;
  /** Throws ByteFormatError. */
  read(context: ReadContext): GroupState;
}

const sumKind = (op: 'sum' | 'avg'): StateKind => ({
  create: (setup) => new SumState(op, setup),
  read: (context) => SumState.read(op, context),
});
const countKind = (op: 'count' | 'group'): StateKind => ({
  create: (setup) => new CountState(op, setup),
  read: (context) => CountState.read(op, context),
});
const extremumKind = (op: 'min' | 'max'): StateKind => ({
  create: (setup) => new ExtremumState(op, setup),
  read: (context) => ExtremumState.read(op, context),
});
const varianceKind = (op: 'stddev' | 'stdvar'): StateKind => ({
  create: (setup) => new VarianceState(op, setup),
  read: (context) => VarianceState.read(op, context),
});
const extremesKind = (op: ExtremesOp): StateKind => ({
  create: (setup) => new ExtremesState(op, setup),
  read: (context) => ExtremesState.read(op, context),
});
const selectKind = (op: SelectOp): StateKind => ({
  keepsColumns: true,
  create: (setup) => new SelectState(op, setup),
  read: (context) => SelectState.read(op, context),
});

export const stateKinds: Readonly<Record<AggregateOp, StateKind>> = {
  sum: sumKind('sum'),
  avg: sumKind('avg'),
  count: countKind('count'),
  group: countKind('group'),
  min: extremumKind('min'),
  max: extremumKind('max'),
  stddev: varianceKind('stddev'),
  stdvar: varianceKind('stdvar'),
  topk: extremesKind('topk'),
  bottomk: extremesKind('bottomk'),
  limitk: selectKind('limitk'),
  limit_ratio: selectKind('limit_ratio'),
  quantile: {
    keepsColumns: true,
    create: (setup) => new QuantileState(setup),
    read: (context) => QuantileState.read(context),
  },
  count_values: {
    create: (setup) => new CountValuesState(setup),
    read: (context) => CountValuesState.read(context),
  },
};
