/**
 * Values during evaluation: columns with one element per step. A value belongs to whoever evaluated it, so
 * operators may overwrite the columns of their operands.
 */
import { type Labels, metricNameLabel } from '../../model/index.ts';
import { ExecutionError } from '../errors.ts';
import type { StepSeries } from '../types.ts';

export interface ScalarValue {
  readonly type: 'scalar';
  readonly values: Float64Array;
}

export interface StringValue {
  readonly type: 'string';
  readonly text: string;
}

export interface VectorValue {
  readonly type: 'vector';
  readonly series: StepSeries[];
}

export type Value = ScalarValue | StringValue | VectorValue;

/** Labels that say what a metric is, gone once its values mean something else. */
export const metadataLabels: ReadonlySet<string> = new Set([metricNameLabel, '__type__', '__unit__']);

/** The labels without the metric's name, type and unit. */
export function withoutMetadata(labels: Labels): Labels {
  return labels.without(metadataLabels);
}

/** Values that are present, over all series and steps: what the limit on samples counts. */
export function sampleCount(series: readonly StepSeries[]): number {
  let count = 0;
  for (const { present } of series) for (let i = 0; i < present.length; i++) count += present[i] as number;
  return count;
}

/** `present` holds 1 where a step has a value, else 0. */
export function isEmptyColumn(present: Uint8Array): boolean {
  return !present.includes(1);
}

/** Leaves out series without any value. */
export function withoutEmpty(series: readonly StepSeries[]): StepSeries[] {
  return series.filter(({ present }) => !isEmptyColumn(present));
}

export const sameLabelsetMessage = 'vector cannot contain metrics with the same labelset';

/**
 * Joins series of equal labels into one, in the place of the first. Throws ExecutionError when two of them have
 * a value at the same step.
 */
export function mergeSameLabels(series: StepSeries[]): StepSeries[] {
  if (series.length < 2) return series;
  const byKey = new Map<string, StepSeries>();
  for (const one of series) {
    const key = one.labels.key();
    const first = byKey.get(key);
    if (first === undefined) byKey.set(key, one);
    else mergeInto(first, one);
  }
  return byKey.size === series.length ? series : [...byKey.values()];
}

function mergeInto(target: StepSeries, source: StepSeries): void {
  for (let i = 0; i < source.present.length; i++) {
    if (source.present[i] !== 1) continue;
    if (target.present[i] === 1) throw new ExecutionError(sameLabelsetMessage);
    target.present[i] = 1;
    target.values[i] = source.values[i] as number;
  }
}

/**
 * What functions and operators do to the name of a result. With delayed removal series are only marked, and the
 * names go when the query ends; otherwise they go now and equal label sets are judged now.
 */
export function dropNames(series: StepSeries[], delayed: boolean): StepSeries[] {
  if (delayed) return series.map((one) => (one.dropName === true ? one : { ...one, dropName: true }));
  return mergeSameLabels(series.map((one) => ({ ...one, labels: withoutMetadata(one.labels) })));
}

/** The end of a query with delayed removal. */
export function dropMarkedNames(series: StepSeries[]): StepSeries[] {
  if (!series.some(({ dropName }) => dropName === true)) return mergeSameLabels(series);
  return mergeSameLabels(
    series.map((one) => {
      if (one.dropName !== true) return one;
      return { labels: withoutMetadata(one.labels), values: one.values, present: one.present };
    }),
  );
}
