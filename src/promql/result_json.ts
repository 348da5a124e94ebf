/** From results to the JSON of the HTTP API, exactly as Prometheus prints it. */
import { assert } from '../base/index.ts';
import { type FloatHistogram, formatFloat, formatFloatJson, type Labels } from '../model/index.ts';
import { JsonBytes } from './json_bytes.ts';
import type { MatrixSeries, QueryResult, VectorSample } from './types.ts';

/** Bytes that are handed out at once, or a series more. */
const blockBytes = 1 << 16;

/** `{"resultType":...,"result":...}`. A range query's result is always a matrix. */
export function resultToJson(result: Pick<QueryResult, 'value'>, instant: boolean): string {
  const decoder = new TextDecoder();
  let json = '';
  for (const block of resultBlocks(result, instant)) json += decoder.decode(block, { stream: true });
  return `${json}}`;
}

/** The same in UTF-8, without the brace that ends it, block by block: the whole may be too large for a string. */
export function* resultBlocks(
  { value }: Pick<QueryResult, 'value'>,
  instant: boolean,
): Generator<Uint8Array<ArrayBuffer>> {
  assert(instant || value.type === 'matrix', 'a range query gives a matrix');
  const out = new JsonBytes(blockBytes);
  out.raw(`{"resultType":"${value.type}","result":[`);
  switch (value.type) {
    case 'scalar':
      out.raw(`${value.timestampMs / 1000},"${formatFloat(value.value)}"`);
      break;
    case 'string':
      out.raw(`${value.timestampMs / 1000},`);
      out.string(value.text);
      break;
    case 'vector':
      for (const [i, sample] of value.samples.entries()) {
        writeSample(out, sample, i > 0);
        if (out.length >= blockBytes) yield out.take();
      }
      break;
    case 'matrix': {
      const times = new PointTimes();
      for (const [i, series] of value.series.entries()) {
        writeSeries(out, series, times.of(series.timestamps), i > 0);
        if (out.length >= blockBytes) yield out.take();
      }
    }
  }
  out.raw(']');
  yield out.take();
}

function writeMetric(out: JsonBytes, { flat }: Labels, isBehind: boolean): void {
  out.raw(isBehind ? ',{"metric":{' : '{"metric":{');
  for (let i = 0; i < flat.length; i += 2) {
    if (i > 0) out.raw(',');
    out.string(flat[i] as string);
    out.raw(':');
    out.string(flat[i + 1] as string);
  }
  out.raw('}');
}

function writeSample(out: JsonBytes, sample: VectorSample, isBehind: boolean): void {
  const { labels, timestampMs, value, histogram } = sample;
  writeMetric(out, labels, isBehind);
  out.raw(histogram === undefined ? ',"value":[' : ',"histogram":[');
  // Without decimals or with three: not as a scalar's, which has as many as it needs.
  out.time(timestampMs);
  out.raw(',');
  if (histogram === undefined) out.value(value);
  else out.raw(histogramJson(histogram));
  out.raw(']}');
}

/** The beginning of each point, for all series that have the same times. */
class PointTimes {
  #timestamps: Float64Array | undefined;
  #texts: PointTexts = { bytes: new Uint8Array(0), ends: new Int32Array(0) };

  of(timestamps: Float64Array): PointTexts {
    if (timestamps === this.#timestamps) return this.#texts;
    const out = new JsonBytes(timestamps.length * 16);
    const ends = new Int32Array(timestamps.length);
    for (let i = 0; i < timestamps.length; i++) {
      out.raw('[');
      out.time(timestamps[i] as number);
      out.raw(',');
      ends[i] = out.length;
    }
    this.#timestamps = timestamps;
    this.#texts = { bytes: out.take(), ends };
    return this.#texts;
  }
}

interface PointTexts {
  readonly bytes: Uint8Array;
  readonly ends: Int32Array;
}

/** Floats and histograms of a series are listed apart. */
function writeSeries(out: JsonBytes, series: MatrixSeries, times: PointTexts, isBehind: boolean): void {
  const { labels, values, histograms } = series;
  const { bytes, ends } = times;
  writeMetric(out, labels, isBehind);
  const list = (name: string, isListed: (i: number) => boolean, write: (i: number) => void): void => {
    out.raw(`,"${name}":[`);
    let isFirst = true;
    for (let i = 0; i < ends.length; i++) {
      if (!isListed(i)) continue;
      if (!isFirst) out.raw(',');
      isFirst = false;
      out.copy(bytes, i === 0 ? 0 : (ends[i - 1] as number), ends[i] as number);
      write(i);
      out.raw(']');
    }
    out.raw(']');
  };
  const isHistogram = (i: number): boolean => (histograms?.[i] ?? null) !== null;
  const hasHistogram = histograms?.some((histogram) => histogram !== null) === true;
  if (!hasHistogram || histograms.some((histogram) => histogram === null)) {
    list(
      'values',
      (i) => !isHistogram(i),
      (i) => out.value(values[i] as number),
    );
  }
  if (hasHistogram)
    list('histograms', isHistogram, (i) => out.raw(histogramJson(histograms[i] as FloatHistogram)));
  out.raw('}');
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
