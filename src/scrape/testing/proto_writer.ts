/** Writes the protobuf exposition format for tests and benches: a field is its number and its value. */

/** Bytes: a nested message; strings; numbers by the kind that their writer says. */
type Bytes = Uint8Array<ArrayBuffer>;

const joined = (parts: readonly Uint8Array[]): Bytes => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

/** An unsigned or negative 64-bit number. */
function varint(value: number | bigint): Bytes {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.from([...bytes, Number(rest)]);
}

const tag = (field: number, type: number): Bytes => varint(field * 8 + type);

export const int = (field: number, value: number | bigint): Bytes => joined([tag(field, 0), varint(value)]);

export const zigzag = (value: number): number => (value < 0 ? -value * 2 - 1 : value * 2);

export function double(field: number, value: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return joined([tag(field, 1), bytes]);
}

export function message(field: number, ...parts: readonly Uint8Array[]): Bytes {
  const content = joined(parts);
  return joined([tag(field, 2), varint(content.length), content]);
}

export const text = (field: number, value: string): Bytes => message(field, Buffer.from(value));

export const packed = (field: number, values: readonly number[]): Bytes =>
  message(field, ...values.map((value) => varint(zigzag(value))));

export const packedDoubles = (field: number, values: readonly number[]): Bytes =>
  message(field, ...values.map((value) => double(1, value).subarray(1)));

export const label = (name: string, value: string, field = 1): Bytes =>
  message(field, text(1, name), text(2, value));

export const timestamp = (field: number, ms: number): Bytes =>
  message(field, int(1, Math.floor(ms / 1000)), int(2, (ms % 1000) * 1e6));

export const types = {
  counter: 0,
  gauge: 1,
  summary: 2,
  untyped: 3,
  histogram: 4,
  gaugeHistogram: 5,
} as const;

/** A delimited MetricFamily; `metrics` are contents of Metric messages. */
export function family(
  name: string,
  type: number,
  metrics: readonly (readonly Uint8Array[])[],
  extra: readonly Uint8Array[] = [],
): Bytes {
  const content = joined([
    text(1, name),
    ...extra,
    int(3, type),
    ...metrics.map((parts) => message(4, ...parts)),
  ]);
  return joined([varint(content.length), content]);
}

export const exposition = (...families: readonly Uint8Array[]): Bytes => joined(families);

/** Fields of a native histogram with two positive buckets and one negative one. */
export const nativeFields: readonly Uint8Array[] = [
  int(1, 7),
  double(2, 12.5),
  int(5, zigzag(1)),
  double(6, 0.001),
  int(7, 1),
  message(9, int(1, zigzag(-2)), int(2, 1)),
  packed(10, [1]),
  message(12, int(1, zigzag(0)), int(2, 2)),
  packed(13, [2, 1]),
];

export const bucket = (bound: number, count: number, ...more: readonly Uint8Array[]): Bytes =>
  message(3, int(1, count), double(2, bound), ...more);
