import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import {
  ChunkedReadResponseSchema,
  ReadRequestSchema,
  ReadResponseSchema,
} from '../../../proto/gen/prometheus/remote_pb.ts';
import { CodedError } from '../../base/index.ts';
import { CounterResetHint, FloatHistogram, Labels, type SeriesColumns } from '../../model/index.ts';
import { snappyUncompress } from '../snappy.ts';
import { snappyCompress } from '../snappy_compress.ts';
import { frames } from './chunks.ts';
import { crc32c } from './crc32c.ts';
import { encodeHistogramChunk, mayFollow } from './histogram_chunk.ts';
import { decodeReadRequest } from './request.ts';
import { SampledAnswer } from './samples.ts';
import { readXorChunk } from './testing/read_xor_chunk.ts';
import { encodeXorChunk } from './xor_chunk.ts';

const external = { cluster: 'c1', zone: 'z' };

function request(given: MessageInitShape<typeof ReadRequestSchema>): Uint8Array {
  return snappyCompress(toBinary(ReadRequestSchema, create(ReadRequestSchema, given)));
}

function series(labels: Record<string, string>, count: number): SeriesColumns {
  return {
    labels: Labels.fromRecord(labels),
    timestamps: Float64Array.from({ length: count }, (_, i) => 1_700_000_000_000 + i * 15_000 + (i % 3)),
    values: Float64Array.from({ length: count }, (_, i) => i * 1.5),
  };
}

test('a chunk has every time and every bit of every value', () => {
  const bits = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.constantFrom(0n, 1n << 63n, 0x7ff0000000000002n, 0x7ff8000000000001n),
    fc
      .integer({ min: 0, max: 100 })
      .map((value) => new BigUint64Array(Float64Array.of(value).buffer)[0] as bigint),
  );
  const gap = fc.oneof(
    fc.constant(15_000),
    fc.integer({ min: 1, max: 40_000 }),
    fc.integer({ min: 1, max: 2 ** 40 }),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: -1e12, max: 2e12 }),
      fc.array(fc.tuple(gap, bits), { minLength: 1, maxLength: 130 }),
      (from, rows) => {
        let time = from;
        const timestamps = Float64Array.from(rows, ([step]) => (time += step));
        const values = BigUint64Array.from(rows, ([, value]) => value);
        const chunk = encodeXorChunk(timestamps, new Uint32Array(values.buffer), 0, rows.length);
        const read = readXorChunk(chunk);
        assert.deepEqual(read.timestamps, [...timestamps]);
        assert.deepEqual(read.bits, [...values]);
      },
    ),
    { numRuns: 300 },
  );
});

test('chunks are the very bytes that a real Prometheus 3.5.3 streams of the same samples', () => {
  const times = [0, 15_000, 30_001, 50_001, 60_001].map((offset) => 1_795_546_245_667 + offset);
  const values = Float64Array.of(1, 1.5, 1.5, -2.25, 1e300);
  const hex = (chunk: Uint8Array): string => Buffer.from(chunk).toString('hex');
  assert.equal(
    hex(encodeXorChunk(Float64Array.from(times), new Uint32Array(values.buffer), 0, 5)),
    '0005c6a8abeec1683ff00000000000009875d80e0005270f80ffffbbb1e183ebe35e43c8800759c0',
  );
  const integer = (count: number): FloatHistogram =>
    new FloatHistogram({
      ...{
        schema: 3,
        count: count + 1,
        sum: count * 1.25,
        zeroThreshold: 0.001,
        zeroCount: 1,
        isInteger: true,
      },
      positiveSpans: [{ offset: -1, length: 2 }],
      positiveBuckets: Float64Array.of(count - 2, 2),
    });
  assert.equal(
    hex(encodeHistogramChunk(Float64Array.from(times.slice(0, 2)), [integer(3), integer(4)])),
    '000200ff3f50624dd2f1a9fc9c6577f0000d10772b511d22801c00000000000118fc1d4c45ac4d8dc0',
  );
  const custom = (count: number): FloatHistogram =>
    new FloatHistogram({
      ...{ schema: -53, count, sum: count * 1.25, customValues: Float64Array.of(0.1, 0.25, 1.0001, 40_000) },
      positiveSpans: [{ offset: 0, length: 2 }],
      positiveBuckets: Float64Array.of(count - 0.5, 0.5),
    });
  assert.equal(
    hex(encodeHistogramChunk(Float64Array.from(times.slice(0, 3)), [custom(1.5), custom(2.5), custom(7)])),
    '00030000ee5c64538cbcfb1ff800346dc5d6389038e200000000003f80006883b95a88cffe00000000000000000000000000000fff8000000000000ffc0000000000000ff80000000000003e0ea6309bfff613fffbe12fffa30019a87a3ac4d0',
  );
});

test('the checksum is CRC-32C', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
});

test('frames have one series each, its chunks in turn, as large as they may be', () => {
  const all = [series({ __name__: 'a', zone: 'own' }, 300), series({ __name__: 'b' }, 1)];
  const read = (frameBytesMax: number) =>
    [...frames(all, 1, { externalLabels: external, frameBytesMax })].map((frame) => {
      const size = frame[0] as number;
      const headBytes = size < 0x80 ? 1 : 2;
      const message = frame.subarray(headBytes + 4);
      assert.equal(new DataView(frame.buffer).getUint32(headBytes), crc32c(message));
      const { chunkedSeries, queryIndex } = fromBinary(ChunkedReadResponseSchema, message);
      assert.equal(queryIndex, 1n);
      assert.equal(chunkedSeries.length, 1);
      return {
        labels: chunkedSeries[0]?.labels.map(({ name, value }) => `${name}=${value}`).join(),
        chunks: chunkedSeries[0]?.chunks.map(({ data }) => readXorChunk(data).timestamps.length),
      };
    });
  const a = '__name__=a,cluster=c1,zone=own';
  const b = { labels: '__name__=b,cluster=c1,zone=z', chunks: [1] };
  assert.deepEqual(read(1 << 20), [{ labels: a, chunks: [120, 120, 60] }, b]);
  assert.deepEqual(read(1), [
    { labels: a, chunks: [120] },
    { labels: a, chunks: [120] },
    { labels: a, chunks: [60] },
    b,
  ]);
});

const histogram = (
  count: number,
  more: ConstructorParameters<typeof FloatHistogram>[0] = {},
): FloatHistogram =>
  new FloatHistogram({
    schema: 3,
    count,
    sum: count,
    isInteger: true,
    positiveSpans: [{ offset: 0, length: 1 }],
    positiveBuckets: Float64Array.of(count),
    ...more,
  });

test('a chunk of histograms holds only what grows and has the same buckets', () => {
  const first = histogram(3);
  assert.equal(mayFollow(first, histogram(5)), true);
  assert.equal(mayFollow(first, histogram(2)), false);
  assert.equal(mayFollow(first, histogram(5, { counterResetHint: CounterResetHint.Reset })), false);
  assert.equal(mayFollow(first, histogram(5, { counterResetHint: CounterResetHint.Gauge })), false);
  assert.equal(mayFollow(first, histogram(5, { schema: 2 })), false);
  assert.equal(mayFollow(first, histogram(5, { zeroThreshold: 1 })), false);
  assert.equal(mayFollow(first, histogram(5, { isInteger: false })), false);
  assert.equal(mayFollow(first, FloatHistogram.stale), false);
  const gauge = { counterResetHint: CounterResetHint.Gauge };
  assert.equal(mayFollow(histogram(3, gauge), histogram(2, gauge)), true);
  const chunk = encodeHistogramChunk(Float64Array.of(1, 2), [first, histogram(5)]);
  assert.deepEqual([...chunk.subarray(0, 3)], [0, 2, 0]);
  assert.equal(encodeHistogramChunk(Float64Array.of(1), [histogram(3, gauge)])[2], 0xc0);
});

test('an external label that is asked for is not looked for in the data, and stands in the answer', () => {
  const body = request({
    queries: [
      {
        startTimestampMs: -(2n ** 63n),
        endTimestampMs: 5n,
        matchers: [
          { type: 0, name: 'cluster', value: 'c1' },
          { type: 0, name: 'zone', value: 'other' },
          { type: 2, name: 'cluster', value: 'c1' },
        ],
      },
    ],
    acceptedResponseTypes: [7 as 0, 1, 0],
  });
  const { queries, responseType } = decodeReadRequest(body, external);
  assert.equal(responseType, 'chunks');
  assert.equal(queries[0]?.fromMs, Number.MIN_SAFE_INTEGER);
  assert.deepEqual(
    queries[0]?.matchers.map(({ type, name, value }) => `${name}${type}${value}`),
    ['cluster=', 'zone=other', 'cluster=~c1'],
  );
  const answer = new SampledAnswer({ externalLabels: external, samplesMax: 3 });
  answer.add([series({ __name__: 'm', zone: 'own' }, 3)]);
  const { results } = fromBinary(ReadResponseSchema, snappyUncompress(answer.finish(), 1000));
  assert.deepEqual(
    results[0]?.timeseries[0]?.labels.map(({ name, value }) => `${name}=${value}`),
    ['__name__=m', 'cluster=c1', 'zone=own'],
  );
  assert.throws(() => answer.add([series({ __name__: 'm' }, 4)]), {
    code: 'sample_limit',
    message: 'exceeded sample limit (3)',
  });
});

test('requests that can not be answered say why', () => {
  const refused = (body: Uint8Array, code: string): void => {
    assert.throws(
      () => decodeReadRequest(body, {}),
      (error) => error instanceof CodedError && error.code === code,
    );
  };
  refused(Uint8Array.of(1, 2, 3), 'snappy_corrupt');
  refused(snappyCompress(Uint8Array.of(0x0a, 9)), 'message_malformed');
  refused(request({ acceptedResponseTypes: [5 as 0] }), 'response_type');
  refused(request({ queries: [{ matchers: [{ type: 9 as 0, name: 'a' }] }] }), 'message_malformed');
  refused(request({ queries: [{ matchers: [{ type: 2, name: 'a', value: '(' }] }] }), 'bad_regex');
  refused(request({ queries: Array.from({ length: 1001 }, () => ({})) }), 'request_too_large');
});

test('arbitrary and damaged requests give queries or a coded error', () => {
  const good = toBinary(
    ReadRequestSchema,
    create(ReadRequestSchema, {
      queries: [
        { startTimestampMs: 1n, endTimestampMs: 9n, matchers: [{ type: 2, name: 'a', value: 'b.*' }] },
      ],
      acceptedResponseTypes: [1],
    }),
  );
  fc.assert(
    fc.property(
      fc.nat({ max: good.length - 1 }),
      fc.nat({ max: 255 }),
      fc.uint8Array({ maxLength: 40 }),
      (at, byte, noise) => {
        const bytes = good.slice();
        bytes[at] = byte;
        for (const body of [snappyCompress(bytes), snappyCompress(noise), noise]) {
          try {
            decodeReadRequest(body, external);
          } catch (error) {
            assert.ok(error instanceof CodedError, String(error));
          }
        }
      },
    ),
    { numRuns: 1000, seed: 5 },
  );
});
