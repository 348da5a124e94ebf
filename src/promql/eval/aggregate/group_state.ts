/**
 * What an aggregation keeps of one group, one element per step: it is fed whole series, joined with the state of other
 * series, and finished into the group's result. The same states serve a query in one place and travel between nodes;
 * every partition of the series, merged in any order, ends in the same result.
 */
import type { ByteReader, ByteWriter } from '../../../base/index.ts';
import type { FloatHistogram, Labels } from '../../../model/index.ts';
import type { AggregateExpr } from '../../parse/tree.ts';
import type { StepSeries } from '../../types.ts';
import type { Annotations } from '../annotations.ts';
import { isEmptyColumn } from '../values.ts';

/** What a group's result is made for. */
export interface Finish {
  readonly labels: Labels;
  readonly dropName: boolean;
  readonly expr: AggregateExpr;
  readonly annotations: Annotations;
}

export interface GroupState {
  add(series: StepSeries): void;
  /** Adds the state of the same aggregation over other series; that one is used up. */
  merge(other: GroupState): void;
  /** The series of the result, none that is empty. Only once. */
  finish(context: Finish): StepSeries[];
  /** The labels of series that are kept as such; they travel apart, in this order. */
  memberLabels(): readonly Labels[];
  write(writer: ByteWriter): void;
}

/** What all groups of an aggregation have in common. */
export interface Setup {
  readonly steps: number;
  /** k, ratio or quantile at each step; empty where there is no such parameter. */
  readonly parameter: Float64Array;
  /** The label that count_values makes of the values; empty where none is made. */
  readonly label: string;
}

/** What a state is read with. */
export interface ReadContext extends Setup {
  readonly reader: ByteReader;
  /** The labels of the next member. Throws ByteFormatError when there are no more. */
  nextLabels(): Labels;
  /** Before so many columns are made: throws ByteFormatError when that is too much. */
  claim(columns: number): void;
}

/** One series with the group's labels, or none when no step has a value. */
export function groupSeries(
  { labels, dropName }: Finish,
  values: Float64Array,
  present: Uint8Array,
  histograms?: (FloatHistogram | null)[],
): StepSeries[] {
  if (isEmptyColumn(present)) return [];
  return [
    {
      labels,
      values,
      present,
      ...(histograms === undefined ? {} : { histograms }),
      ...(dropName ? { dropName } : {}),
    },
  ];
}

/** Says that histograms were among the input of an aggregation that is of floats alone. */
export function noteIgnored({ expr, annotations }: Finish): void {
  const span = expr.op === 'topk' || expr.op === 'bottomk' ? expr.span : expr.expr.span;
  annotations.info(`ignored histogram in ${expr.op} aggregation`, span);
}

const noLabels: readonly Labels[] = [];

/** For states that keep no series. */
export function noMembers(): readonly Labels[] {
  return noLabels;
}
