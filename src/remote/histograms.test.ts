import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { WriteRequestSchema } from '../../proto/gen/prometheus/remote_pb.ts';
import { HistogramSchema } from '../../proto/gen/prometheus/types_pb.ts';
import type { FloatHistogram } from '../model/index.ts';
import { RemoteWriteDecoder } from './decode_write.ts';
import type { DecodedRemoteWrite } from './write_assembly.ts';

type Given = MessageInitShape<typeof HistogramSchema>;

function decode(...histograms: Given[]): DecodedRemoteWrite {
  const message = create(WriteRequestSchema, {
    timeseries: [
      {
        labels: [{ name: '__name__', value: 'h' }],
        samples: [{ value: 4, timestamp: 1n }],
        histograms,
      },
    ],
  });
  return new RemoteWriteDecoder({ sizeMax: 1 << 20, hashSeed: 1 }).decodeRequest(
    toBinary(WriteRequestSchema, message),
  );
}

function histogram(given: Given): FloatHistogram {
  const { batch, firstError } = decode({ timestamp: 9n, ...given });
  assert.equal(firstError, undefined);
  assert.deepEqual([...batch.timestamps], [1, 9]);
  assert.deepEqual([...batch.values], [4, 0]);
  assert.equal(batch.histograms?.[0], null);
  const read = batch.histograms?.[1];
  assert.ok(read !== null && read !== undefined);
  return read;
}

test('integer histograms come as differences', () => {
  const read = histogram({
    count: { case: 'countInt', value: 12n },
    zeroCount: { case: 'zeroCountInt', value: 2n },
    sum: 18.5,
    schema: 1,
    zeroThreshold: 0.001,
    positiveSpans: [
      { offset: -2, length: 2 },
      { offset: 1, length: 1 },
    ],
    positiveDeltas: [3n, -2n, 2n],
    negativeSpans: [{ offset: 0, length: 1 }],
    negativeDeltas: [3n],
    resetHint: 2,
  });
  assert.deepEqual([...read.positiveBuckets], [3, 1, 3]);
  assert.deepEqual([...read.negativeBuckets], [3]);
  assert.deepEqual(read.positiveSpans, [
    { offset: -2, length: 2 },
    { offset: 1, length: 1 },
  ]);
  assert.deepEqual(
    [read.count, read.zeroCount, read.sum, read.schema, read.zeroThreshold],
    [12, 2, 18.5, 1, 0.001],
  );
  assert.equal(read.isInteger, true);
  assert.equal(read.counterResetHint, 2);
});

test('float histograms come as they are, custom buckets with their bounds', () => {
  const float = histogram({
    count: { case: 'countFloat', value: 1.5 },
    zeroCount: { case: 'zeroCountFloat', value: 0.25 },
    positiveSpans: [{ offset: 0, length: 2 }],
    positiveCounts: [1, 0.25],
  });
  assert.deepEqual([float.isInteger, float.count, ...float.positiveBuckets], [false, 1.5, 1, 0.25]);
  const custom = histogram({
    count: { case: 'countInt', value: 5n },
    schema: -53,
    customValues: [0.5, 1],
    positiveSpans: [{ offset: 0, length: 3 }],
    positiveDeltas: [1n, 1n, 0n],
  });
  assert.deepEqual([...custom.customValues], [0.5, 1]);
  assert.deepEqual([...custom.positiveBuckets], [1, 2, 2]);
});

test('the staleness marker is one, and a schema that is too fine is reduced', () => {
  const bits = new Float64Array(new BigUint64Array([0x7ff0_0000_0000_0002n]).buffer);
  const bytes = toBinary(HistogramSchema, create(HistogramSchema, { sum: 1, timestamp: 9n }));
  const at = bytes.indexOf(0x19);
  bytes.set(new Uint8Array(bits.buffer), at + 1);
  // A label __name__="h" and the histogram, by hand, since the generated types would lose the marker's bits.
  const name = [0x0a, 8, ...Buffer.from('__name__'), 0x12, 1, 0x68];
  const body = [0x0a, name.length, ...name, 0x22, bytes.length, ...bytes];
  const { batch } = new RemoteWriteDecoder({ sizeMax: 1 << 20, hashSeed: 1 }).decodeRequest(
    Uint8Array.of(0x0a, body.length, ...body),
  );
  assert.equal(batch.histograms?.[0]?.isStale, true);
  const fine = histogram({
    count: { case: 'countInt', value: 3n },
    schema: 9,
    positiveSpans: [{ offset: 1, length: 2 }],
    positiveDeltas: [1n, 1n],
  });
  assert.deepEqual([fine.schema, ...fine.positiveBuckets], [8, 3]);
});

test('a histogram that contradicts itself is refused with a reason, the rest is kept', () => {
  const refusals: [Given, RegExp][] = [
    [
      {
        count: { case: 'countInt', value: 3n },
        positiveSpans: [{ offset: 0, length: 2 }],
        positiveDeltas: [3n],
      },
      /spans need 2 buckets/,
    ],
    [{ count: { case: 'countInt', value: 3n } }, /0 observations found in buckets/],
    [{ positiveSpans: [{ offset: 0, length: 1 }], positiveDeltas: [-1n] }, /must not be negative/],
    [{ schema: -53, customValues: [2, 1] }, /strictly increasing/],
    [{ schema: 53 }, /invalid schema/],
    [{ positiveDeltas: new Array<bigint>(70_000).fill(0n) }, /more than 65536 buckets/],
    [{ schema: 9, positiveSpans: [{ offset: 0, length: 2 ** 32 - 1 }] }, /beyond 32-bit/],
  ];
  for (const [given, reason] of refusals) {
    const { batch, rejected, firstError } = decode({ timestamp: 9n, ...given });
    assert.match(firstError ?? '', reason);
    assert.equal(rejected, 1);
    assert.deepEqual([...batch.timestamps], [1]);
    assert.equal(batch.histograms, undefined);
  }
});
