/** A model's histogram as `prometheus.Histogram`, which remote write 2.0 has alike. Counts that are integers stay integers. */
import { deltasFromCounts, type FloatHistogram, type Span } from '../model/index.ts';
import type { ProtoWriter } from './proto_writer.ts';

const tags = {
  countInt: 0x08,
  countFloat: 0x11,
  sum: 0x19,
  schema: 0x20,
  zeroThreshold: 0x29,
  zeroCountInt: 0x30,
  zeroCountFloat: 0x39,
  negativeSpans: 0x42,
  negativeDeltas: 0x4a,
  negativeCounts: 0x52,
  positiveSpans: 0x5a,
  positiveDeltas: 0x62,
  positiveCounts: 0x6a,
  resetHint: 0x70,
  timestamp: 0x78,
  customValues: 0x82,
} as const;
const spanOffset = 0x08;
const spanLength = 0x10;
const staleLow = 2;
const staleHigh = 0x7ff0_0000;

/** Whether all counts are such as integers on the wire can be. */
export function hasIntegerCounts(histogram: FloatHistogram): boolean {
  const { isInteger, count, zeroCount, positiveBuckets, negativeBuckets } = histogram;
  const isWhole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  return (
    isInteger &&
    isWhole(count) &&
    isWhole(zeroCount) &&
    positiveBuckets.every(isWhole) &&
    negativeBuckets.every(isWhole)
  );
}

/** Writes the fields of the message; the caller has opened it. */
export function writeHistogram(writer: ProtoWriter, timestampMs: number, histogram: FloatHistogram): void {
  const isInteger = histogram.isStale || hasIntegerCounts(histogram);
  writer.varint(isInteger ? tags.countInt : tags.countFloat);
  writeCount(writer, histogram.isStale ? 0 : histogram.count, isInteger);
  writer.varint(tags.sum);
  if (histogram.isStale) writer.words(staleLow, staleHigh);
  else writer.double(histogram.sum);
  writer.varint(tags.schema);
  writer.sint64(histogram.schema);
  writer.varint(tags.zeroThreshold);
  writer.double(histogram.zeroThreshold);
  writer.varint(isInteger ? tags.zeroCountInt : tags.zeroCountFloat);
  writeCount(writer, histogram.zeroCount, isInteger);
  writeSide(writer, tags.negativeSpans, histogram.negativeSpans, histogram.negativeBuckets, isInteger);
  writeSide(writer, tags.positiveSpans, histogram.positiveSpans, histogram.positiveBuckets, isInteger);
  writer.varint(tags.resetHint);
  writer.varint(histogram.counterResetHint);
  writer.varint(tags.timestamp);
  writer.int64(timestampMs);
  if (histogram.customValues.length > 0) writeDoubles(writer, tags.customValues, histogram.customValues);
}

function writeCount(writer: ProtoWriter, count: number, isInteger: boolean): void {
  if (isInteger) writer.varint(count);
  else writer.double(count);
}

/** The tags of deltas and of counts follow that of the spans. */
function writeSide(
  writer: ProtoWriter,
  spansTag: number,
  spans: readonly Span[],
  buckets: Float64Array,
  isInteger: boolean,
): void {
  for (const { offset, length } of spans) {
    const start = writer.open(spansTag);
    writer.varint(spanOffset);
    writer.sint64(offset);
    writer.varint(spanLength);
    writer.varint(length);
    writer.close(start);
  }
  if (buckets.length === 0) return;
  if (!isInteger) {
    writeDoubles(writer, spansTag + 0x10, buckets);
    return;
  }
  const start = writer.open(spansTag + 8);
  for (const delta of deltasFromCounts(buckets)) writer.sint64(delta);
  writer.close(start);
}

function writeDoubles(writer: ProtoWriter, tag: number, values: Float64Array): void {
  const start = writer.open(tag);
  for (const value of values) writer.double(value);
  writer.close(start);
}
