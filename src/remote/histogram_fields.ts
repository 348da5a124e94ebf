/**
 * The fields of `prometheus.Histogram`, which remote write 2.0 has alike, as tags: number * 8 + wire type. And those of its
 * spans, which all protobuf histograms of Prometheus share.
 */
import type { Span } from '../model/index.ts';
import type { ProtoReader } from './proto_reader.ts';
import type { ProtoWriter } from './proto_writer.ts';

/** Lists are packed. */
export const histogramTags = {
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

/** The message that ends at `end`. Throws RemoteRequestError: `message_malformed`. */
export function readSpan(reader: ProtoReader, end: number): Span {
  let offset = 0;
  let length = 0;
  while (reader.at < end) {
    const tag = reader.tag(end);
    if (tag === spanOffset) offset = reader.signed(end);
    else if (tag === spanLength) length = reader.unsigned(end);
    else reader.skip(tag, end);
  }
  return { offset, length };
}

/** One message each, in fields of this tag. */
export function writeSpans(writer: ProtoWriter, tag: number, spans: readonly Span[]): void {
  for (const { offset, length } of spans) {
    const start = writer.open(tag);
    writer.varint(spanOffset);
    writer.sint64(offset);
    writer.varint(spanLength);
    writer.varint(length);
    writer.close(start);
  }
}
