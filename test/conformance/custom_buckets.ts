/**
 * `load_with_nhcb`: classic histograms (`_bucket`, `_count`, `_sum`) once more as native ones with custom buckets, under
 * their base name.
 */
import {
  customBucketsSchema,
  FloatHistogram,
  type Labels,
  LabelsBuilder,
  parseFloatText,
} from '../../src/model/index.ts';
import { type Point, ScriptError, type SeriesLine } from './series_line.ts';

interface ClassicSample {
  readonly buckets: Map<number, number>;
  count: number | undefined;
  sum: number;
}

interface Family {
  readonly labels: Labels;
  readonly samples: (ClassicSample | undefined)[];
}

const suffix = /_(bucket|count|sum)$/;

/** The native series that the classic ones of a load stand for. Throws ScriptError for counts that go down. */
export function customBucketSeries(series: readonly SeriesLine[]): SeriesLine[] {
  const families = new Map<string, Family>();
  for (const { labels, points } of series) {
    const kind = suffix.exec(labels.metricName)?.[1];
    if (kind === undefined) continue;
    const bound = parseFloatText(labels.get('le'));
    if (kind === 'bucket' && (bound === undefined || Number.isNaN(bound))) continue;
    const base = new LabelsBuilder(labels)
      .set('__name__', labels.metricName.replace(suffix, ''))
      .delete('le')
      .labels();
    const family = families.get(base.key()) ?? { labels: base, samples: [] };
    families.set(base.key(), family);
    for (const [index, point] of points.entries()) {
      if (point.kind !== 'float') continue;
      const sample = family.samples[index] ?? { buckets: new Map(), count: undefined, sum: 0 };
      family.samples[index] = sample;
      if (kind === 'count') sample.count = point.value;
      else if (kind === 'sum') sample.sum = point.value;
      else if (bound !== undefined && !sample.buckets.has(bound)) sample.buckets.set(bound, point.value);
    }
  }
  return [...families.values()].map(({ labels, samples }) => ({
    labels,
    points: Array.from(samples, (sample): Point => {
      if (sample === undefined) return { kind: 'none' };
      return { kind: 'histogram', histogram: nativeOf(sample), hintNamed: false };
    }),
  }));
}

function nativeOf(sample: ClassicSample): FloatHistogram {
  const bounds = [...sample.buckets.keys()].sort((a, b) => a - b);
  const highest = bounds.at(-1);
  const count = sample.count ?? (highest === undefined ? 0 : (sample.buckets.get(highest) ?? 0));
  if (highest !== Number.POSITIVE_INFINITY) {
    bounds.push(Number.POSITIVE_INFINITY);
    sample.buckets.set(Number.POSITIVE_INFINITY, count);
  }
  let previous = 0;
  const counts = Float64Array.from(bounds, (bound) => {
    const cumulative = sample.buckets.get(bound) ?? 0;
    const own = cumulative - previous;
    if (own < 0) throw new ScriptError(`count is not cumulative: ${cumulative} < ${previous}`);
    previous = cumulative;
    return own;
  });
  if (previous !== count) throw new ScriptError(`count mismatch: ${count} and ${previous}`);
  return new FloatHistogram({
    schema: customBucketsSchema,
    count,
    sum: sample.sum,
    positiveSpans: [{ offset: 0, length: counts.length }],
    positiveBuckets: counts,
    customValues: Float64Array.from(bounds.slice(0, -1)),
  }).compact();
}
