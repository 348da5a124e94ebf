/**
 * Bodies for what receives data, drawn from a seed: good ones, good ones with bytes that flipped, and what is made to
 * overwhelm: small bodies that unpack to much, deep nesting, text that is no UTF-8.
 */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { RawRequest } from '../../../src/api/testing/raw_http.ts';
import type { Random } from '../../../src/base/index.ts';
import { Labels, WriteBatchBuilder } from '../../../src/model/index.ts';
import { encodeRemoteWrite, snappyCompress } from '../../../src/remote/index.ts';
import { encodeOtlp } from '../../../src/remote/otlp/testing/encode.ts';

const bombBytes = 256 * 1024 * 1024;
const nestingLevels = 100_000;

const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)] as T;

/** Made once: they take a second each. */
const once = <T>(make: () => T): (() => T) => {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
};
export const gzipBomb: () => Uint8Array = once(() => gzipSync(Buffer.alloc(bombBytes, 'a 1\n')));
export const zstdBomb: () => Uint8Array = once(() => zstdCompressSync(Buffer.alloc(bombBytes, 'a 1\n')));
const snappyBomb = once(() => snappyCompress(new Uint8Array(bombBytes / 2)));

/** Announces 4 GiB and has nothing. */
const lyingSnappy = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x61);

/** Some bytes replaced, cut away or doubled. */
export function broken(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (let i = random.below(6); i >= 0 && copy.length > 0; i--) {
    copy[random.below(copy.length)] = pick(random, [0, 0xff, 0x80, 0x7f, random.below(256)]);
  }
  const kind = random.below(5);
  if (kind === 0) return copy.subarray(0, random.below(copy.length + 1));
  return kind === 1 ? Buffer.concat([copy, copy]) : copy;
}

function remoteWrite(random: Random): Uint8Array {
  const batch = new WriteBatchBuilder();
  for (let i = random.below(20); i >= 0; i--) {
    const labels = Labels.fromRecord({ __name__: `fuzz_${random.below(50)}`, a: String(random.below(100)) });
    batch.add(labels, pick(random, [0, Date.now(), Date.now() + 1e9, -5, 2 ** 50]), random.below(1000));
  }
  return encodeRemoteWrite(batch.finish());
}

const attribute = (key: string, stringValue: string): object => ({ key, value: { stringValue } });

function otlpObject(random: Random): Record<string, unknown> {
  const timeUnixNano = `${Date.now()}000000`;
  const attributes = [attribute(pick(random, ['a', 'a.b', '', '\u0000', 'é']), 'x'.repeat(random.below(50)))];
  const number = { timeUnixNano, attributes, asDouble: random.below(1000) };
  const histogram = { timeUnixNano, count: '3', sum: 4, bucketCounts: ['1', '2'], explicitBounds: [1] };
  const exponential = {
    timeUnixNano,
    count: '3',
    scale: random.below(40) - 20,
    positive: { offset: random.below(10), bucketCounts: ['1', '2'] },
  };
  const metrics = [
    { name: 'g', gauge: { dataPoints: [number] } },
    { name: 's', sum: { aggregationTemporality: random.below(4), isMonotonic: true, dataPoints: [number] } },
    { name: 'h', histogram: { aggregationTemporality: 2, dataPoints: [histogram] } },
    { name: 'e', exponentialHistogram: { aggregationTemporality: 2, dataPoints: [exponential] } },
  ];
  const scopeMetrics = [{ metrics: [pick(random, metrics), pick(random, metrics)] }];
  return { resourceMetrics: [{ resource: { attributes }, scopeMetrics }] };
}

/** Fields within fields, each with the same number, as protobuf allows for attributes of attributes. */
const nestedProtobuf = once(() => {
  let bytes: Uint8Array = new Uint8Array(0);
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
  for (let level = 0; level < 2_000; level++) {
    const tag = level % 3 === 0 ? 0x32 : level % 3 === 1 ? 0x12 : 0x0a;
    bytes = Buffer.concat([Uint8Array.from([tag, ...varint(bytes.length)]), bytes]);
  }
  return bytes;
});

const nestedJson = once(() => {
  const open = '{"kvlistValue":{"values":[{"key":"a","value":';
  return Buffer.from(
    `{"resourceMetrics":[{"resource":{"attributes":[{"key":"a","value":${open.repeat(nestingLevels)}`,
  );
});
const closedJson = once(() => {
  const open = '{"arrayValue":{"values":[';
  const values = `${open.repeat(5000)}${']}}'.repeat(5000)}`;
  return Buffer.from(`{"resourceMetrics":[{"resource":{"attributes":[{"key":"a","value":${values}}]}}]}`);
});

type Body = readonly [body: Uint8Array, headers: Readonly<Record<string, string>>];
type MakeBody = (random: Random) => Body;

const protobuf = { 'Content-Type': 'application/x-protobuf' };
const snappy = { ...protobuf, 'Content-Encoding': 'snappy' };
const write2 = { ...snappy, 'Content-Type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request' };
const json = { 'Content-Type': 'application/json' };
const either: MakeBody = (random) => [broken(random, remoteWrite(random)), pick(random, [snappy, write2])];

const snappyBodies: readonly MakeBody[] = [
  (random) => [remoteWrite(random), snappy],
  either,
  either,
  // What is wrong is in the message, not in the compression.
  (random) => [
    snappyCompress(broken(random, Buffer.from('\n\x0e\n\x05\n\x01a\x12\x00\x12\x05\t\x00'))),
    write2,
  ],
  (random) => [snappyCompress(nestedProtobuf()), pick(random, [snappy, write2])],
  (random) => [lyingSnappy, pick(random, [snappy, write2])],
  (random) => [snappyBomb(), pick(random, [snappy, write2])],
  () => [gzipBomb(), { ...protobuf, 'Content-Encoding': 'gzip' }],
  () => [zstdBomb(), { ...protobuf, 'Content-Encoding': 'zstd' }],
];

const otlpBodies: readonly MakeBody[] = [
  (random) => [encodeOtlp(otlpObject(random)), protobuf],
  (random) => [broken(random, encodeOtlp(otlpObject(random))), protobuf],
  (random) => [Buffer.from(JSON.stringify(otlpObject(random))), json],
  (random) => [broken(random, Buffer.from(JSON.stringify(otlpObject(random)))), json],
  (random) => [
    gzipSync(broken(random, encodeOtlp(otlpObject(random)))),
    { ...protobuf, 'Content-Encoding': 'gzip' },
  ],
  () => [gzipBomb(), { ...protobuf, 'Content-Encoding': 'gzip' }],
  () => [gzipBomb(), { ...json, 'Content-Encoding': 'gzip' }],
  () => [nestedJson(), json],
  () => [closedJson(), json],
  () => [nestedProtobuf(), protobuf],
  () => [Buffer.from('['.repeat(nestingLevels)), json],
];

export function randomBody(random: Random): RawRequest {
  const path = pick(random, ['/api/v1/write', '/api/v1/read', '/api/v1/otlp/v1/metrics']);
  const [body, headers] = pick(random, path.includes('otlp') ? otlpBodies : snappyBodies)(random);
  return { method: 'POST', path, headers, body };
}
