/** Federated samples as delimited `io.prometheus.client.MetricFamily` messages (prometheus/client_model). */
import { type EscapingScheme, escapeName, type FloatHistogram, type Span } from '../../model/index.ts';
import { writeSpans } from '../histogram_fields.ts';
import { ProtoWriter } from '../proto_writer.ts';
import type { Family, FamilyKind, FederateSample } from './families.ts';

const familyName = 0x0a;
const familyType = 0x18;
const familyMetric = 0x22;
const metricLabel = 0x0a;
const metricUntyped = 0x2a;
const metricTimestamp = 0x30;
const metricHistogram = 0x3a;
const labelName = 0x0a;
const labelValue = 0x12;
const untypedValue = 0x09;
const histogramTags = {
  sum: 0x11,
  countFloat: 0x21,
  schema: 0x28,
  zeroThreshold: 0x31,
  zeroCountFloat: 0x41,
  negativeSpan: 0x4a,
  negativeCount: 0x59,
  positiveSpan: 0x62,
  positiveCount: 0x71,
} as const;

const types: Readonly<Record<FamilyKind, number>> = { untyped: 3, histogram: 4, gaugeHistogram: 5 };

export function federateProtobuf(
  families: Iterable<Family>,
  escaping: EscapingScheme,
): Uint8Array<ArrayBuffer> {
  const all = new ProtoWriter();
  const one = new ProtoWriter();
  for (const { name, kind, samples } of families) {
    one.reset();
    one.text(familyName, escapeName(name, escaping));
    one.varint(familyType);
    one.varint(types[kind]);
    for (const sample of samples) writeMetric(one, sample, escaping);
    all.varint(one.length);
    all.raw(one.written);
  }
  return all.finish();
}

function writeMetric(
  writer: ProtoWriter,
  { labels, timestampMs, value, histogram }: FederateSample,
  escaping: EscapingScheme,
): void {
  const start = writer.open(familyMetric);
  for (let i = 0; i < labels.length; i += 2) {
    const pair = writer.open(metricLabel);
    writer.text(labelName, escapeName(labels[i] as string, escaping));
    writer.text(labelValue, labels[i + 1] as string);
    writer.close(pair);
  }
  if (histogram === undefined) {
    const untyped = writer.open(metricUntyped);
    writer.varint(untypedValue);
    writer.double(value);
    writer.close(untyped);
  }
  writer.varint(metricTimestamp);
  writer.int64(timestampMs);
  if (histogram !== undefined) {
    const message = writer.open(metricHistogram);
    writeHistogram(writer, histogram);
    writer.close(message);
  }
  writer.close(start);
}

function writeHistogram(writer: ProtoWriter, histogram: FloatHistogram): void {
  writer.varint(histogramTags.sum);
  writer.double(histogram.sum);
  writer.varint(histogramTags.countFloat);
  writer.double(histogram.count);
  writer.varint(histogramTags.schema);
  writer.sint64(histogram.schema);
  writer.varint(histogramTags.zeroThreshold);
  writer.double(histogram.zeroThreshold);
  writer.varint(histogramTags.zeroCountFloat);
  writer.double(histogram.zeroCount);
  const { negativeSpan, negativeCount, positiveSpan, positiveCount } = histogramTags;
  writeSide(writer, negativeSpan, negativeCount, histogram.negativeSpans, histogram.negativeBuckets);
  writeSide(writer, positiveSpan, positiveCount, histogram.positiveSpans, histogram.positiveBuckets);
}

function writeSide(
  writer: ProtoWriter,
  spanTag: number,
  countTag: number,
  spans: readonly Span[],
  buckets: Float64Array,
): void {
  writeSpans(writer, spanTag, spans);
  for (const count of buckets) {
    writer.varint(countTag);
    writer.double(count);
  }
}
