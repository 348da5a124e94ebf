/**
 * Values during evaluation: columns with one element per step. A value belongs to whoever evaluated it, so
 * operators may overwrite the columns of their operands.
 */
import { type FloatHistogram, type Labels, metadataLabels } from '../../model/index.ts';
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

/** Is given one series after the other. Where it is said that they pass by, their columns are overwritten afterwards. */
export type TakeSeries = (series: StepSeries) => void;

export type Value = ScalarValue | StringValue | VectorValue;

/** The labels without the metric's name, type and unit. */
export function withoutMetadata(labels: Labels): Labels {
  return labels.without(metadataLabels);
}

/** Values that are present, over all series and steps: what the limit on samples counts. */
export function sampleCount(series: readonly StepSeries[]): number {
  let count = 0;
  for (const { present, histograms } of series) {
    // Searching is much faster than adding up, and most series have a value at every step.
    if (!present.includes(0)) count += present.length;
    else for (let i = 0; i < present.length; i++) count += present[i] as number;
    if (histograms !== undefined) count += histogramSurplus(histograms, present);
  }
  return count;
}

/** By how much the histograms that are present exceed one sample each. */
function histogramSurplus(histograms: readonly (FloatHistogram | null)[], present: Uint8Array): number {
  let surplus = 0;
  for (const [i, histogram] of histograms.entries()) {
    if (histogram !== null && present[i] === 1) surplus += histogramSize(histogram) - 1;
  }
  return surplus;
}

/** How many samples a histogram counts as: as many as it has room for in Prometheus' memory, 16 bytes each. */
export function histogramSize(histogram: FloatHistogram): number {
  const { positiveSpans, negativeSpans, positiveBuckets, negativeBuckets, customValues } = histogram;
  const words =
    positiveSpans.length +
    negativeSpans.length +
    positiveBuckets.length +
    negativeBuckets.length +
    customValues.length;
  return Math.trunc((histogramHeaderBytes + words * 8) / 16);
}

/** The fields of fixed size, and the time. */
const histogramHeaderBytes = 176;

/** `present` holds 1 where a step has a value, else 0. */
export function isEmptyColumn(present: Uint8Array): boolean {
  return !present.includes(1);
}

/** 1 at every step at which at least one of the series has a value. */
export function anyPresent(series: readonly StepSeries[], steps: number): Uint8Array {
  const any = new Uint8Array(steps);
  for (const { present } of series)
    for (let i = 0; i < steps; i++) any[i] = (any[i] as number) | (present[i] as number);
  return any;
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
    else byKey.set(key, mergeInto(first, one));
  }
  return byKey.size === series.length ? series : [...byKey.values()];
}

/** The target with the source's values, which it takes into its own columns. */
function mergeInto(target: StepSeries, source: StepSeries): StepSeries {
  const { values, present } = target;
  const isMixed = target.histograms !== undefined || source.histograms !== undefined;
  const histograms = isMixed ? (target.histograms ?? noHistograms(present.length)) : undefined;
  for (let i = 0; i < source.present.length; i++) {
    if (source.present[i] !== 1) continue;
    if (present[i] === 1) throw new ExecutionError(sameLabelsetMessage);
    present[i] = 1;
    values[i] = source.values[i] as number;
    if (histograms !== undefined) histograms[i] = source.histograms?.[i] ?? null;
  }
  return histograms === target.histograms || histograms === undefined ? target : { ...target, histograms };
}

/** A column that may take histograms. */
export function noHistograms(steps: number): (FloatHistogram | null)[] {
  return new Array<FloatHistogram | null>(steps).fill(null);
}

/** The histogram of a step, if that is its value. */
export function histogramAt({ histograms, present }: StepSeries, step: number): FloatHistogram | undefined {
  if (histograms === undefined || present[step] !== 1) return undefined;
  return histograms[step] ?? undefined;
}

/** Only the steps that have floats: what functions of floats see. Changes `present`; gives series that are left. */
export function floatsOnly(series: readonly StepSeries[]): StepSeries[] {
  if (!series.some(({ histograms }) => histograms !== undefined)) return [...series];
  const kept: StepSeries[] = [];
  for (const one of series) {
    const { histograms, ...floats } = one;
    if (histograms === undefined) kept.push(one);
    else {
      for (const [i, histogram] of histograms.entries()) if (histogram !== null) one.present[i] = 0;
      if (!isEmptyColumn(one.present)) kept.push(floats);
    }
  }
  return kept;
}

/**
 * What functions and operators do to the name of a result. With delayed removal series are only marked, and the
 * names go when the query ends; otherwise they go now and equal label sets are judged now.
 */
export function dropNames(series: StepSeries[], delayed: boolean): StepSeries[] {
  if (delayed) return series.map((one) => (one.dropName === true ? one : { ...one, dropName: true }));
  const areOfOneMetric = haveSameMetadata(series);
  const dropped = series.map((one) => ({ ...one, labels: withoutMetadata(one.labels) }));
  // Label sets that differed still do.
  return areOfOneMetric ? dropped : mergeSameLabels(dropped);
}

/**
 * As dropNames, for functions of range vectors: two series that become one are refused even if they have no step in
 * common, as in Prometheus.
 */
export function dropNamesOfWindows(series: StepSeries[], delayed: boolean): StepSeries[] {
  if (delayed || haveSameMetadata(series)) return dropNames(series, delayed);
  const dropped = series.map((one) => ({ ...one, labels: withoutMetadata(one.labels) }));
  if (new Set(dropped.map(({ labels }) => labels.key())).size < dropped.length) {
    throw new ExecutionError(sameLabelsetMessage);
  }
  return dropped;
}

function haveSameMetadata(series: readonly StepSeries[]): boolean {
  const first = series[0]?.labels;
  return first === undefined || series.every(({ labels }) => hasSameMetadata(labels, first));
}

/** Whether two label sets that differ still do without the metadata. */
export function hasSameMetadata(a: Labels, b: Labels): boolean {
  for (const name of metadataLabels) if (a.get(name) !== b.get(name)) return false;
  return true;
}

/** The end of a query with delayed removal. */
export function dropMarkedNames(series: StepSeries[]): StepSeries[] {
  // Every operator leaves label sets that differ: only names that go can make two of them equal.
  if (!series.some(({ dropName }) => dropName === true)) return series;
  return mergeSameLabels(
    series.map((one) => {
      if (one.dropName !== true) return one;
      const { dropName: _, ...rest } = one;
      return { ...rest, labels: withoutMetadata(one.labels) };
    }),
  );
}
