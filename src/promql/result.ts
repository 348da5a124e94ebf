/**
 * From columns to results, and from results to the JSON of the HTTP API, exactly as Prometheus prints it.
 */
import { assert } from '../base/index.ts';
import { type FloatHistogram, formatFloat, formatFloatJson, formatTimestamp } from '../model/index.ts';
import type { Grid } from './eval/grid.ts';
import { histogramAt, type Value } from './eval/values.ts';
import { stepTimes, toColumns } from './eval/windows.ts';
import type { MatrixSeries, QueryResult, QueryValue, VectorSample } from './types.ts';

/** The value of an instant query, in the order in which it was computed. */
export function instantValue(value: Value, atMs: number): QueryValue {
  if (value.type === 'string') return { type: 'string', timestampMs: atMs, text: value.text };
  if (value.type === 'scalar') return { type: 'scalar', timestampMs: atMs, value: value.values[0] as number };
  const samples: VectorSample[] = [];
  for (const one of value.series) {
    const { labels, values, present } = one;
    if (present[0] !== 1) continue;
    const histogram = histogramAt(one, 0);
    const sample = { labels, timestampMs: atMs, value: values[0] as number };
    samples.push(histogram === undefined ? sample : { ...sample, histogram });
  }
  return { type: 'vector', samples };
}

/** The value of a range query, ordered by labels. */
export function rangeValue(
  value: Exclude<Value, { type: 'string' }>,
  grid: Grid,
  noLabels: MatrixSeries['labels'],
): QueryValue {
  if (value.type === 'scalar') {
    return {
      type: 'matrix',
      series: [{ labels: noLabels, timestamps: stepTimes(grid), values: value.values }],
    };
  }
  const times = stepTimes(grid);
  const series = value.series.map((one) => toColumns(one, times)).filter(({ values }) => values.length > 0);
  return { type: 'matrix', series: sortedByLabels(series) };
}

export function sortedByLabels(series: readonly MatrixSeries[]): MatrixSeries[] {
  return [...series].sort((a, b) => a.labels.compare(b.labels));
}

/** `{"resultType":...,"result":...}`. A range query's result is always a matrix. */
export function resultToJson(result: Pick<QueryResult, 'value'>, instant: boolean): string {
  return `${[...resultPieces(result, instant)].join('')}}`;
}

/** The same without the brace that ends it, in pieces of one series or a few values: the whole may be too large for a string. */
export function* resultPieces(result: Pick<QueryResult, 'value'>, instant: boolean): Generator<string> {
  const { value } = result;
  assert(instant || value.type === 'matrix', 'a range query gives a matrix');
  switch (value.type) {
    case 'scalar':
      yield `{"resultType":"scalar","result":[${value.timestampMs / 1000},"${formatFloat(value.value)}"]`;
      break;
    case 'string':
      yield `{"resultType":"string","result":[${value.timestampMs / 1000},${JSON.stringify(value.text)}]`;
      break;
    case 'vector':
      yield '{"resultType":"vector","result":[';
      for (const [i, sample] of value.samples.entries())
        yield i === 0 ? sampleJson(sample) : `,${sampleJson(sample)}`;
      yield ']';
      break;
    case 'matrix':
      yield '{"resultType":"matrix","result":[';
      for (const [i, series] of value.series.entries())
        yield i === 0 ? seriesJson(series) : `,${seriesJson(series)}`;
      yield ']';
      break;
  }
}

/** The time without decimals or with three: not as a scalar's, which has as many as it needs. */
function point(timestampMs: number, value: number): string {
  return `[${formatTimestamp(timestampMs)},"${formatFloatJson(value)}"]`;
}

/** Characters that stand in JSON as they are. */
const plainText = /^[\w /.:+=-]*$/;

function textJson(text: string): string {
  return plainText.test(text) ? `"${text}"` : JSON.stringify(text);
}

function labelsJson({ flat }: MatrixSeries['labels']): string {
  let json = '{';
  for (let i = 0; i < flat.length; i += 2) {
    json += `${i === 0 ? '' : ','}${textJson(flat[i] as string)}:${textJson(flat[i + 1] as string)}`;
  }
  return `${json}}`;
}

function sampleJson({ labels, timestampMs, value, histogram }: VectorSample): string {
  const metric = labelsJson(labels);
  if (histogram !== undefined) {
    return `{"metric":${metric},"histogram":${histogramPoint(timestampMs, histogram)}}`;
  }
  return `{"metric":${metric},"value":${point(timestampMs, value)}}`;
}

/** Floats and histograms of a series are listed apart. */
function seriesJson({ labels, timestamps, values, histograms }: MatrixSeries): string {
  const floats: string[] = [];
  const others: string[] = [];
  for (let i = 0; i < timestamps.length; i++) {
    const at = timestamps[i] as number;
    const histogram = histograms?.[i];
    if (histogram) others.push(histogramPoint(at, histogram));
    else floats.push(point(at, values[i] as number));
  }
  const parts = [`"metric":${labelsJson(labels)}`];
  if (floats.length > 0 || others.length === 0) parts.push(`"values":[${floats.join(',')}]`);
  if (others.length > 0) parts.push(`"histograms":[${others.join(',')}]`);
  return `{${parts.join(',')}}`;
}

function histogramPoint(timestampMs: number, histogram: FloatHistogram): string {
  return `[${formatTimestamp(timestampMs)},${histogramJson(histogram)}]`;
}

/** Which bounds belong to a bucket, as the HTTP API numbers it. */
const boundaries = { upper: 0, lower: 1, neither: 2, both: 3 } as const;

/** Empty buckets are left out, and so is the list when there are no others. */
function histogramJson(histogram: FloatHistogram): string {
  const buckets: string[] = [];
  for (const { lower, upper, lowerInclusive, upperInclusive, count } of histogram.allBuckets()) {
    if (count === 0) continue;
    const boundary = lowerInclusive
      ? upperInclusive
        ? boundaries.both
        : boundaries.lower
      : upperInclusive
        ? boundaries.upper
        : boundaries.neither;
    const texts = [lower, upper, count].map((value) => `"${formatFloatJson(value)}"`);
    buckets.push(`[${boundary},${texts.join(',')}]`);
  }
  const totals = `"count":"${formatFloatJson(histogram.count)}","sum":"${formatFloatJson(histogram.sum)}"`;
  return buckets.length === 0 ? `{${totals}}` : `{${totals},"buckets":[${buckets.join(',')}]}`;
}
