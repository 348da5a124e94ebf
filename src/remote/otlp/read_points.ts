/** The data points of OTLP metrics from protobuf. */
import {
  type Attributes,
  type Buckets,
  type ExponentialPoint,
  type HistogramPoint,
  type NumberPoint,
  noRecordedValue,
  type OtlpExemplar,
  type SummaryPoint,
} from './model.ts';
import type { OtlpReader } from './read_protobuf.ts';

type Pairs = (readonly [string, string])[];

export function readNumberPoint(reader: OtlpReader, end: number): NumberPoint {
  reader.count();
  const attributes: Pairs = [];
  const exemplars: OtlpExemplar[] = [];
  const point = { attributes: attributes as Attributes, timestampMs: 0, isStale: false, value: 0, exemplars };
  reader.fields(end, (tag) => {
    if (tag === 0x19) point.timestampMs = reader.time(end);
    else if (tag === 0x21) point.value = reader.proto.float(end);
    else if (tag === 0x31) point.value = reader.fixedSigned(end);
    else if (tag === 0x2a) exemplars.push(reader.exemplar(reader.proto.window(end)));
    else if (tag === 0x3a) attributes.push(reader.attribute(end));
    else if (tag === 0x40) point.isStale = isStale(reader, end);
    else return false;
    return true;
  });
  return point;
}

function isStale(reader: OtlpReader, end: number): boolean {
  reader.proto.varint64(end);
  return (reader.proto.low & noRecordedValue) !== 0;
}

/** Repeated fixed64 or double, packed or not: `tag` is that of the packed form. */
function readFixed(
  reader: OtlpReader,
  tag: number,
  packedTag: number,
  end: number,
  read: (within: number) => number,
  into: number[],
): boolean {
  if (tag === packedTag) {
    const listEnd = reader.proto.window(end);
    while (reader.proto.at < listEnd) {
      reader.count();
      into.push(read(listEnd));
    }
    return true;
  }
  // The wire type of 64 bits instead of that of bytes.
  if (tag !== packedTag - 1) return false;
  reader.count();
  into.push(read(end));
  return true;
}

export function readHistogramPoint(reader: OtlpReader, end: number): HistogramPoint {
  reader.count();
  const attributes: Pairs = [];
  const exemplars: OtlpExemplar[] = [];
  const bucketCounts: number[] = [];
  const explicitBounds: number[] = [];
  const point = {
    attributes: attributes as Attributes,
    timestampMs: 0,
    isStale: false,
    count: 0,
    sum: undefined as number | undefined,
    bucketCounts,
    explicitBounds,
    exemplars,
  };
  const { proto } = reader;
  reader.fields(end, (tag) => {
    if (tag === 0x19) point.timestampMs = reader.time(end);
    else if (tag === 0x21) point.count = reader.fixedUnsigned(end);
    else if (tag === 0x29) point.sum = proto.float(end);
    else if (tag === 0x42) exemplars.push(reader.exemplar(proto.window(end)));
    else if (tag === 0x4a) attributes.push(reader.attribute(end));
    else if (tag === 0x50) point.isStale = isStale(reader, end);
    else {
      return (
        readFixed(reader, tag, 0x32, end, (within) => reader.fixedUnsigned(within), bucketCounts) ||
        readFixed(reader, tag, 0x3a, end, (within) => proto.float(within), explicitBounds)
      );
    }
    return true;
  });
  return point;
}

export function readExponentialPoint(reader: OtlpReader, end: number): ExponentialPoint {
  reader.count();
  const attributes: Pairs = [];
  const exemplars: OtlpExemplar[] = [];
  const none: Buckets = { offset: 0, counts: [] };
  const point = {
    attributes: attributes as Attributes,
    timestampMs: 0,
    isStale: false,
    count: 0,
    sum: undefined as number | undefined,
    scale: 0,
    zeroCount: 0,
    positive: none,
    negative: none,
    exemplars,
  };
  const { proto } = reader;
  reader.fields(end, (tag) => {
    if (tag === 0x0a) attributes.push(reader.attribute(end));
    else if (tag === 0x19) point.timestampMs = reader.time(end);
    else if (tag === 0x21) point.count = reader.fixedUnsigned(end);
    else if (tag === 0x29) point.sum = proto.float(end);
    else if (tag === 0x30) point.scale = proto.signed(end);
    else if (tag === 0x39) point.zeroCount = reader.fixedUnsigned(end);
    else if (tag === 0x42) point.positive = readBuckets(reader, proto.window(end));
    else if (tag === 0x4a) point.negative = readBuckets(reader, proto.window(end));
    else if (tag === 0x50) point.isStale = isStale(reader, end);
    else if (tag === 0x5a) exemplars.push(reader.exemplar(proto.window(end)));
    else return false;
    return true;
  });
  return point;
}

function readBuckets(reader: OtlpReader, end: number): Buckets {
  const counts: number[] = [];
  let offset = 0;
  const { proto } = reader;
  reader.fields(end, (tag) => {
    if (tag === 0x08) offset = proto.signed(end);
    else if (tag === 0x10) {
      reader.count();
      counts.push(proto.unsigned(end));
    } else if (tag === 0x12) {
      const listEnd = proto.window(end);
      while (proto.at < listEnd) {
        reader.count();
        counts.push(proto.unsigned(listEnd));
      }
    } else return false;
    return true;
  });
  return { offset, counts };
}

export function readSummaryPoint(reader: OtlpReader, end: number): SummaryPoint {
  reader.count();
  const attributes: Pairs = [];
  const quantiles: { quantile: number; value: number }[] = [];
  const point = {
    attributes: attributes as Attributes,
    timestampMs: 0,
    isStale: false,
    count: 0,
    sum: 0,
    quantiles,
  };
  const { proto } = reader;
  reader.fields(end, (tag) => {
    if (tag === 0x19) point.timestampMs = reader.time(end);
    else if (tag === 0x21) point.count = reader.fixedUnsigned(end);
    else if (tag === 0x29) point.sum = proto.float(end);
    else if (tag === 0x32) quantiles.push(readQuantile(reader, proto.window(end)));
    else if (tag === 0x3a) attributes.push(reader.attribute(end));
    else if (tag === 0x40) point.isStale = isStale(reader, end);
    else return false;
    return true;
  });
  return point;
}

function readQuantile(reader: OtlpReader, end: number): { quantile: number; value: number } {
  reader.count();
  const found = { quantile: 0, value: 0 };
  reader.fields(end, (tag) => {
    if (tag === 0x09) found.quantile = reader.proto.float(end);
    else if (tag === 0x11) found.value = reader.proto.float(end);
    else return false;
    return true;
  });
  return found;
}
