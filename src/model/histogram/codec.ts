/**
 * A histogram as bytes, for log records and answers between nodes; the format that holds it carries the version. In
 * order: flags, schema, count, sum; for exponential ones zero threshold and zero count, for ones of custom buckets the zero
 * count where it is not 0, as after a division by 0; the positive side; the negative side or the custom bounds. A side is its spans, then its counts as 64-bit floats.
 *
 * flags:  bit 0 integer · bit 1 stale · bits 2-3 counter reset hint · bit 4 custom buckets with a zero count
 */
import { ByteFormatError, type ByteReader, type ByteWriter } from '../../base/index.ts';
import { isCustomSchema } from './bounds.ts';
import { CounterResetHint, type HistogramFields, type Span } from './fields.ts';
import { FloatHistogram } from './float_histogram.ts';
import type { SpannedBuckets } from './spans.ts';

const integerFlag = 1;
const staleFlag = 2;
const hintShift = 2;
const hintMask = 0b11;
const customZeroFlag = 16;
const flagsMax = 0b11111;
const hints = [
  CounterResetHint.Unknown,
  CounterResetHint.Reset,
  CounterResetHint.NotReset,
  CounterResetHint.Gauge,
];

export function writeHistogram(writer: ByteWriter, histogram: HistogramFields): void {
  const kind = (histogram.isInteger ? integerFlag : 0) | (histogram.isStale ? staleFlag : 0);
  const hasCustomZero = isCustomSchema(histogram.schema) && !Object.is(histogram.zeroCount, 0);
  writer.u8(kind | (histogram.counterResetHint << hintShift) | (hasCustomZero ? customZeroFlag : 0));
  writer.varsint(histogram.schema);
  writer.f64(histogram.count);
  writer.f64(histogram.sum);
  if (isCustomSchema(histogram.schema)) {
    if (hasCustomZero) writer.f64(histogram.zeroCount);
    writeSide(writer, histogram.positiveSpans, histogram.positiveBuckets);
    writeFloats(writer, histogram.customValues);
    return;
  }
  writer.f64(histogram.zeroThreshold);
  writer.f64(histogram.zeroCount);
  writeSide(writer, histogram.positiveSpans, histogram.positiveBuckets);
  writeSide(writer, histogram.negativeSpans, histogram.negativeBuckets);
}

/** Not validated beyond its form. Throws ByteFormatError. */
export function readHistogram(reader: ByteReader): FloatHistogram {
  const flags = reader.u8();
  const counterResetHint = hints[(flags >> hintShift) & hintMask];
  if (counterResetHint === undefined || flags > flagsMax)
    throw new ByteFormatError(`histogram flags ${flags} exceed ${flagsMax}`);
  const schema = reader.varsint();
  const common = {
    schema,
    count: reader.f64(),
    sum: reader.f64(),
    counterResetHint,
    isInteger: (flags & integerFlag) !== 0,
    isStale: (flags & staleFlag) !== 0,
  };
  const hasCustomZero = (flags & customZeroFlag) !== 0;
  if (isCustomSchema(schema)) {
    const zeroCount = hasCustomZero ? reader.f64() : 0;
    const side = readSide(reader);
    const customValues = readFloats(reader);
    return new FloatHistogram({
      ...common,
      zeroCount,
      positiveSpans: side.spans,
      positiveBuckets: side.buckets,
      customValues,
    });
  }
  if (hasCustomZero) throw new ByteFormatError('a histogram without custom buckets has their zero count');
  const zeroThreshold = reader.f64();
  const zeroCount = reader.f64();
  const positive = readSide(reader);
  const negative = readSide(reader);
  return new FloatHistogram({
    ...common,
    zeroThreshold,
    zeroCount,
    positiveSpans: positive.spans,
    positiveBuckets: positive.buckets,
    negativeSpans: negative.spans,
    negativeBuckets: negative.buckets,
  });
}

function writeSide(writer: ByteWriter, spans: readonly Span[], buckets: Float64Array): void {
  writer.varint(spans.length);
  for (const { offset, length } of spans) {
    writer.varsint(offset);
    writer.varint(length);
  }
  writeFloats(writer, buckets);
}

function readSide(reader: ByteReader): SpannedBuckets {
  const spans: Span[] = [];
  // Ends with the bytes, however many spans are claimed: each takes two at least.
  for (let left = reader.varint(); left > 0; left--)
    spans.push({ offset: reader.varsint(), length: reader.varint() });
  return { spans, buckets: readFloats(reader) };
}

function writeFloats(writer: ByteWriter, values: Float64Array): void {
  writer.varint(values.length);
  writer.column(values);
}

function readFloats(reader: ByteReader): Float64Array {
  return reader.floats(reader.varint());
}
