/** OTLP/JSON objects as protobuf, by the field numbers of opentelemetry-proto, so that tests say a request once. */
import { ProtoWriter } from '../../proto_writer.ts';

type Json = Readonly<Record<string, unknown>>;

type Kind =
  | 'text'
  | 'hex'
  | 'base64'
  | 'bool'
  | 'uint'
  | 'sint'
  | 'int64'
  | 'fixed'
  | 'double'
  | 'fixeds'
  | 'doubles'
  | 'uints'
  | Shape;
type Shape = () => Readonly<Record<string, readonly [field: number, kind: Kind]>>;

const anyValue: Shape = () => ({
  stringValue: [1, 'text'],
  boolValue: [2, 'bool'],
  intValue: [3, 'int64'],
  doubleValue: [4, 'double'],
  arrayValue: [5, () => ({ values: [1, anyValue] })],
  kvlistValue: [6, () => ({ values: [1, keyValue] })],
  bytesValue: [7, 'base64'],
});
const keyValue: Shape = () => ({ key: [1, 'text'], value: [2, anyValue] });
const exemplar: Shape = () => ({
  timeUnixNano: [2, 'fixed'],
  asDouble: [3, 'double'],
  spanId: [4, 'hex'],
  traceId: [5, 'hex'],
  asInt: [6, 'fixed'],
  filteredAttributes: [7, keyValue],
});
const numberPoint: Shape = () => ({
  startTimeUnixNano: [2, 'fixed'],
  timeUnixNano: [3, 'fixed'],
  asDouble: [4, 'double'],
  exemplars: [5, exemplar],
  asInt: [6, 'fixed'],
  attributes: [7, keyValue],
  flags: [8, 'uint'],
});
const histogramPoint: Shape = () => ({
  timeUnixNano: [3, 'fixed'],
  count: [4, 'fixed'],
  sum: [5, 'double'],
  bucketCounts: [6, 'fixeds'],
  explicitBounds: [7, 'doubles'],
  exemplars: [8, exemplar],
  attributes: [9, keyValue],
  flags: [10, 'uint'],
});
const buckets: Shape = () => ({ offset: [1, 'sint'], bucketCounts: [2, 'uints'] });
const exponentialPoint: Shape = () => ({
  attributes: [1, keyValue],
  timeUnixNano: [3, 'fixed'],
  count: [4, 'fixed'],
  sum: [5, 'double'],
  scale: [6, 'sint'],
  zeroCount: [7, 'fixed'],
  positive: [8, buckets],
  negative: [9, buckets],
  flags: [10, 'uint'],
  exemplars: [11, exemplar],
});
const summaryPoint: Shape = () => ({
  timeUnixNano: [3, 'fixed'],
  count: [4, 'fixed'],
  sum: [5, 'double'],
  quantileValues: [6, () => ({ quantile: [1, 'double'], value: [2, 'double'] })],
  attributes: [7, keyValue],
  flags: [8, 'uint'],
});
const points = (point: Shape): Shape => {
  return () => ({ dataPoints: [1, point], aggregationTemporality: [2, 'uint'], isMonotonic: [3, 'bool'] });
};
const metric: Shape = () => ({
  name: [1, 'text'],
  description: [2, 'text'],
  unit: [3, 'text'],
  gauge: [5, points(numberPoint)],
  sum: [7, points(numberPoint)],
  histogram: [9, points(histogramPoint)],
  exponentialHistogram: [10, points(exponentialPoint)],
  summary: [11, points(summaryPoint)],
});
const request: Shape = () => ({
  resourceMetrics: [
    1,
    () => ({
      resource: [1, () => ({ attributes: [1, keyValue] })],
      scopeMetrics: [
        2,
        () => ({
          scope: [1, () => ({ name: [1, 'text'], version: [2, 'text'], attributes: [3, keyValue] })],
          metrics: [2, metric],
          schemaUrl: [3, 'text'],
        }),
      ],
    }),
  ],
});

export function encodeOtlp(json: Json): Uint8Array<ArrayBuffer> {
  const writer = new ProtoWriter();
  writeFields(writer, json, request);
  return writer.finish();
}

function writeFields(writer: ProtoWriter, json: Json, shape: Shape): void {
  const fields = shape();
  for (const [name, value] of Object.entries(json)) {
    const field = fields[name];
    if (field === undefined) throw new Error(`${name} is no field`);
    const [number, kind] = field;
    if (typeof kind === 'function') {
      for (const item of Array.isArray(value) ? value : [value]) {
        const start = writer.open(number * 8 + 2);
        writeFields(writer, item as Json, kind);
        writer.close(start);
      }
    } else writeScalar(writer, number, kind, value);
  }
}

function writeFixed(writer: ProtoWriter, value: unknown): void {
  const bits = BigInt.asUintN(64, BigInt(value as string));
  writer.words(Number(bits & 0xffff_ffffn), Number(bits >> 32n));
}

function writeScalar(writer: ProtoWriter, number: number, kind: Exclude<Kind, Shape>, value: unknown): void {
  const tag = number * 8;
  if (kind === 'text') writer.text(tag + 2, value as string);
  else if (kind === 'hex' || kind === 'base64') writer.bytes(tag + 2, Buffer.from(value as string, kind));
  else if (kind === 'fixeds' || kind === 'doubles' || kind === 'uints') {
    const start = writer.open(tag + 2);
    for (const item of value as unknown[]) {
      if (kind === 'fixeds') writeFixed(writer, item);
      else if (kind === 'doubles') writer.double(Number(item));
      else writer.varint(Number(item));
    }
    writer.close(start);
  } else if (kind === 'fixed' || kind === 'double') {
    writer.varint(tag + 1);
    if (kind === 'fixed') writeFixed(writer, value);
    else writer.double(value as number);
  } else {
    writer.varint(tag);
    if (kind === 'sint') writer.sint64(value as number);
    else if (kind === 'int64') writer.int64(Number(value));
    else writer.varint(Number(value));
  }
}
