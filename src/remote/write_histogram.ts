/** A model's histogram as `prometheus.Histogram`, which remote write 2.0 has alike. Counts that are integers stay integers. */
import { deltasFromCounts, type FloatHistogram, type Span, staleNaNWords } from '../model/index.ts';
import { histogramTags, writeSpans } from './histogram_fields.ts';
import type { ProtoWriter } from './proto_writer.ts';

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
  writer.varint(isInteger ? histogramTags.countInt : histogramTags.countFloat);
  writeCount(writer, histogram.isStale ? 0 : histogram.count, isInteger);
  writer.varint(histogramTags.sum);
  if (histogram.isStale) writer.words(...staleNaNWords);
  else writer.double(histogram.sum);
  writer.varint(histogramTags.schema);
  writer.sint64(histogram.schema);
  writer.varint(histogramTags.zeroThreshold);
  writer.double(histogram.zeroThreshold);
  writer.varint(isInteger ? histogramTags.zeroCountInt : histogramTags.zeroCountFloat);
  writeCount(writer, histogram.zeroCount, isInteger);
  writeSide(
    writer,
    histogramTags.negativeSpans,
    histogram.negativeSpans,
    histogram.negativeBuckets,
    isInteger,
  );
  writeSide(
    writer,
    histogramTags.positiveSpans,
    histogram.positiveSpans,
    histogram.positiveBuckets,
    isInteger,
  );
  writer.varint(histogramTags.resetHint);
  writer.varint(histogram.counterResetHint);
  writer.varint(histogramTags.timestamp);
  writer.int64(timestampMs);
  if (histogram.customValues.length > 0)
    writeDoubles(writer, histogramTags.customValues, histogram.customValues);
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
  writeSpans(writer, spansTag, spans);
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
