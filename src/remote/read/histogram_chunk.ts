/**
 * Chunks of native histograms as Prometheus' storage has them (tsdb/docs/format/chunks.md, "Histogram chunk data"): the
 * first histogram says which buckets there are, the others come as differences. Of a counter a chunk holds only what
 * grows, so whatever shrinks, or has other buckets, begins a new one.
 */
import {
  CounterResetHint,
  customBucketsSchema,
  deltasFromCounts,
  type FloatHistogram,
  type Span,
  staleNaNWords,
} from '../../model/index.ts';
import { hasIntegerCounts } from '../write_histogram.ts';
import { BitWriter } from './bit_writer.ts';
import { putVarbitInt, putVarbitUint } from './varbit.ts';
import { XorWindow } from './xor_value.ts';

/** The header's byte by CounterResetHint. */
const headers = [0b0000_0000, 0b1000_0000, 0b0100_0000, 0b1100_0000] as const;
/** Bounds up to here, in thousandths, are written as whole numbers. */
const boundThousandthsMax = 33_554_430;

const writer = new BitWriter();
const float = new Float64Array(1);
const floatWords = new Uint32Array(float.buffer);

/** Whether `next` may follow `previous` in a chunk. */
export function mayFollow(previous: FloatHistogram, next: FloatHistogram): boolean {
  if (previous.isStale || next.isStale || hasIntegerCounts(previous) !== hasIntegerCounts(next)) return false;
  const isGauge = next.counterResetHint === CounterResetHint.Gauge;
  if (isGauge !== (previous.counterResetHint === CounterResetHint.Gauge)) return false;
  if (!isGauge && next.counterResetHint === CounterResetHint.Reset) return false;
  const sameLayout =
    previous.schema === next.schema &&
    previous.zeroThreshold === next.zeroThreshold &&
    sameSpans(previous.positiveSpans, next.positiveSpans) &&
    sameSpans(previous.negativeSpans, next.negativeSpans) &&
    previous.customValues.length === next.customValues.length &&
    previous.customValues.every((bound, i) => bound === next.customValues[i]);
  return sameLayout && (isGauge || !next.detectReset(previous));
}

function sameSpans(a: readonly Span[], b: readonly Span[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ offset, length }, i) => offset === b[i]?.offset && length === b[i]?.length)
  );
}

/** The encoding of chunks that hold this one: whether its counts are integers. */
export function isIntegerChunk(histogram: FloatHistogram): boolean {
  return histogram.isStale || hasIntegerCounts(histogram);
}

/** Of histograms each of which may follow the one before; there is at least one. */
export function encodeHistogramChunk(
  timestamps: Float64Array,
  histograms: readonly FloatHistogram[],
): Uint8Array<ArrayBuffer> {
  const first = histograms[0] as FloatHistogram;
  writer.reset();
  writer.bits(histograms.length, 16);
  writer.bits(headers[first.counterResetHint] as number, 8);
  writeLayout(first);
  if (isIntegerChunk(first)) writeIntegers(timestamps, histograms);
  else writeFloats(timestamps, histograms);
  return writer.finish();
}

function writeLayout(histogram: FloatHistogram): void {
  writeZeroThreshold(histogram.zeroThreshold);
  putVarbitInt(writer, histogram.schema);
  writeSpans(histogram.positiveSpans);
  writeSpans(histogram.negativeSpans);
  if (histogram.schema !== customBucketsSchema) return;
  putVarbitUint(writer, histogram.customValues.length);
  for (const bound of histogram.customValues) writeBound(bound);
}

/** One byte for 0 and for powers of two from 2^-243 to 2^10, else a marker and all bits. */
function writeZeroThreshold(threshold: number): void {
  const exponent = Math.log2(threshold);
  if (threshold === 0) writer.bits(0, 8);
  else if (Number.isInteger(exponent) && exponent >= -243 && exponent <= 10 && 2 ** exponent === threshold) {
    writer.bits(exponent + 244, 8);
  } else {
    writer.bits(0xff, 8);
    writeFloat(threshold);
  }
}

function writeSpans(spans: readonly Span[]): void {
  putVarbitUint(writer, spans.length);
  for (const { offset, length } of spans) {
    putVarbitUint(writer, length);
    putVarbitInt(writer, offset);
  }
}

function writeBound(bound: number): void {
  const thousandths = Math.round(bound * 1000);
  if (bound * 1000 < 0 || bound * 1000 > boundThousandthsMax || thousandths / 1000 !== bound) {
    writer.bits(0, 1);
    writeFloat(bound);
  } else putVarbitUint(writer, thousandths + 1);
}

function writeFloat(value: number): void {
  float[0] = value;
  writer.wide(floatWords[0] as number, floatWords[1] as number, 64);
}

/** The sum's bits; those of the marker are not held by the number. */
function sumWords({ sum, isStale }: FloatHistogram): readonly [number, number] {
  if (isStale) return staleNaNWords;
  float[0] = sum;
  return [floatWords[0] as number, floatWords[1] as number];
}

/** Whole numbers whose differences of differences are written. */
class Sloped {
  #value = 0;
  #delta = 0;

  start(value: number): void {
    this.#value = value;
  }

  next(value: number): void {
    const delta = value - this.#value;
    putVarbitInt(writer, delta - this.#delta);
    this.#value = value;
    this.#delta = delta;
  }
}

function writeIntegers(timestamps: Float64Array, histograms: readonly FloatHistogram[]): void {
  const [time, count, zeroCount] = [new Sloped(), new Sloped(), new Sloped()];
  const sum = new XorWindow();
  let buckets: Sloped[] = [];
  let previous: readonly [number, number] = [0, 0];
  for (const [i, histogram] of histograms.entries()) {
    const words = sumWords(histogram);
    const deltas = [
      ...deltasFromCounts(histogram.positiveBuckets),
      ...deltasFromCounts(histogram.negativeBuckets),
    ];
    if (i === 0) {
      putVarbitInt(writer, timestamps[0] as number);
      putVarbitUint(writer, histogram.count);
      putVarbitUint(writer, histogram.zeroCount);
      writer.wide(words[0], words[1], 64);
      for (const delta of deltas) putVarbitInt(writer, delta);
      time.start(timestamps[0] as number);
      count.start(histogram.count);
      zeroCount.start(histogram.zeroCount);
      buckets = deltas.map((delta) => {
        const sloped = new Sloped();
        sloped.start(delta);
        return sloped;
      });
    } else {
      time.next(timestamps[i] as number);
      count.next(histogram.count);
      zeroCount.next(histogram.zeroCount);
      sum.write(writer, words[0] ^ previous[0], words[1] ^ previous[1]);
      for (const [j, delta] of deltas.entries()) buckets[j]?.next(delta);
    }
    previous = words;
  }
}

/** Floats whose differences to the ones before are written. */
class Xored {
  readonly #window = new XorWindow();
  #low = 0;
  #high = 0;

  next(value: number, isFirst: boolean): void {
    float[0] = value;
    const low = floatWords[0] as number;
    const high = floatWords[1] as number;
    if (isFirst) writer.wide(low, high, 64);
    else this.#window.write(writer, low ^ this.#low, high ^ this.#high);
    this.#low = low;
    this.#high = high;
  }
}

function writeFloats(timestamps: Float64Array, histograms: readonly FloatHistogram[]): void {
  const time = new Sloped();
  let columns: Xored[] = [];
  for (const [i, histogram] of histograms.entries()) {
    const { count, zeroCount, sum, positiveBuckets, negativeBuckets } = histogram;
    const values = [count, zeroCount, sum, ...positiveBuckets, ...negativeBuckets];
    if (i === 0) {
      putVarbitInt(writer, timestamps[0] as number);
      time.start(timestamps[0] as number);
      columns = values.map(() => new Xored());
    } else time.next(timestamps[i] as number);
    for (const [j, value] of values.entries()) columns[j]?.next(value, i === 0);
  }
}
