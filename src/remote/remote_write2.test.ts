import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { RequestSchema, type TimeSeriesSchema } from '../../proto/gen/io/prometheus/write/v2/types_pb.ts';
import { CounterResetHint, type Labels } from '../model/index.ts';
import { RemoteWrite2Decoder } from './decode_write2.ts';
import { RemoteRequestError } from './errors.ts';
import { snappyCompress } from './snappy_compress.ts';
import type { DecodedRemoteWrite } from './write_assembly.ts';

const options = { sizeMax: 1 << 20, hashSeed: 1 };
type Series = MessageInitShape<typeof TimeSeriesSchema>;

/** Built with the generated types, as another implementation would. */
function request(symbols: readonly string[], timeseries: readonly Series[]): Uint8Array {
  return toBinary(
    RequestSchema,
    create(RequestSchema, { symbols: [...symbols], timeseries: [...timeseries] }),
  );
}

function decode(symbols: readonly string[], timeseries: readonly Series[]): DecodedRemoteWrite {
  return new RemoteWrite2Decoder(options).decodeRequest(request(symbols, timeseries));
}

const names = (decoded: DecodedRemoteWrite): string[] => decoded.batch.series.map(String);

test('series are found by what their references mean in the request, not by the references', () => {
  const decoder = new RemoteWrite2Decoder(options);
  const first = decoder.decodeRequest(
    request(
      ['', '__name__', 'up', 'job', 'a', 'b'],
      [
        { labelsRefs: [1, 2, 3, 4], samples: [{ value: 1, timestamp: 10n }] },
        {
          labelsRefs: [1, 2, 3, 5],
          samples: [
            { value: 2, timestamp: 10n },
            { value: 3, timestamp: 11n },
          ],
        },
      ],
    ),
  );
  assert.deepEqual(names(first), ['up{job="a"}', 'up{job="b"}']);
  assert.deepEqual([...first.batch.refs], [0, 1, 1]);
  assert.deepEqual([...first.batch.values], [1, 2, 3]);
  decoder.settled(first.batch, true);
  const second = decoder.decodeRequest(
    request(
      ['', 'b', '__name__', 'job', 'up', 'a'],
      [
        { labelsRefs: [2, 4, 3, 5], samples: [{ value: 4, timestamp: 20n }] },
        { labelsRefs: [2, 4, 3, 1], samples: [{ value: 5, timestamp: 20n }] },
      ],
    ),
  );
  assert.deepEqual(names(second), ['up{job="a"}', 'up{job="b"}']);
  // The same arrays: what is remembered by them downstream is still right.
  assert.equal(second.batch.series, first.batch.series);
  assert.equal(second.batch.storeRefs, first.batch.storeRefs);
});

test('a series whose labels begin like those of another is another', () => {
  const decoder = new RemoteWrite2Decoder(options);
  const symbols = ['', '__name__', 'up', 'job', 'a'];
  const sample = [{ value: 1, timestamp: 1n }];
  for (let round = 0; round < 2; round++) {
    const decoded = decoder.decodeRequest(
      request(symbols, [
        { labelsRefs: [1, 2], samples: sample },
        { labelsRefs: [1, 2, 3, 4], samples: sample },
        { labelsRefs: [1, 2], samples: sample },
      ]),
    );
    assert.deepEqual(names(decoded), ['up', 'up{job="a"}']);
    assert.deepEqual([...decoded.batch.refs], [0, 1, 0]);
  }
});

test('symbols may stand behind the series that need them', () => {
  const symbols = request(['', '__name__', 'up'], []);
  const series = request([], [{ labelsRefs: [1, 2], samples: [{ value: 1, timestamp: 1n }] }]);
  const decoded = new RemoteWrite2Decoder(options).decodeRequest(Buffer.concat([series, symbols]));
  assert.deepEqual(names(decoded), ['up']);
});

test('series that break the rules are refused with their samples; the good ones are kept', () => {
  const symbols = ['', '__name__', 'bad', 'good', 'x'];
  const samples = [{ value: 1, timestamp: 1n }];
  const rows: readonly [number[], RegExp][] = [
    [[1, 9], /refers to symbol 9/],
    [[1, 2, 4], /a label has no value: bad/],
    [[4, 4], /the metric name is missing/],
    [[1, 2, 4, 3, 4, 4], /label name "x" is not unique/],
    [[1, 2, 0, 3], /a label name is empty/],
    [[], /the metric name is missing/],
  ];
  for (const [labelsRefs, expected] of rows) {
    const decoded = decode(symbols, [
      { labelsRefs, samples },
      { labelsRefs: [1, 3], samples },
    ]);
    assert.deepEqual(names(decoded), ['good']);
    assert.equal(decoded.batch.refs.length, 1);
    assert.equal(decoded.rejected, 1);
    assert.match(decoded.firstError ?? '', expected);
  }
});

test('labels that are not sorted are sorted, and empty values are no labels', () => {
  const decoded = decode(
    ['', 'b', '1', 'a', '2', '__name__', 'up', 'c'],
    [{ labelsRefs: [1, 2, 3, 4, 5, 6, 7, 0], samples: [{ value: 1, timestamp: 1n }] }],
  );
  assert.deepEqual(decoded.batch.series[0]?.flat, ['__name__', 'up', 'a', '2', 'b', '1']);
});

test('histograms, exemplars and metadata come with their series', () => {
  const decoder = new RemoteWrite2Decoder(options);
  const bytes = request(
    ['', '__name__', 'h', 'trace_id', 'abc', 'Help.', 'seconds'],
    [
      {
        labelsRefs: [1, 2],
        histograms: [
          {
            count: { case: 'countInt', value: 3n },
            sum: 1.5,
            zeroCount: { case: 'zeroCountInt', value: 1n },
            positiveSpans: [{ offset: 0, length: 1 }],
            positiveDeltas: [2n],
            timestamp: 5n,
            resetHint: 3,
          },
          {
            count: { case: 'countFloat', value: 2 },
            schema: -53,
            customValues: [1, 2],
            positiveSpans: [{ offset: 1, length: 1 }],
            positiveCounts: [2],
            timestamp: 6n,
          },
        ],
        exemplars: [
          { labelsRefs: [3, 4], value: 0.5, timestamp: 4n },
          { labelsRefs: [3, 77], value: 1 },
        ],
        metadata: { type: 3, helpRef: 5, unitRef: 6 },
      },
    ],
  );
  const { batch } = decoder.decodeRequest(bytes);
  assert.deepEqual([...batch.timestamps], [5, 6]);
  assert.equal(batch.histograms?.[0]?.counterResetHint, CounterResetHint.Gauge);
  assert.equal(batch.histograms?.[0]?.isInteger, true);
  assert.deepEqual([...(batch.histograms?.[1]?.customValues ?? [])], [1, 2]);
  const exemplars = batch.exemplars?.map(({ ref, labels, value, timestampMs }) => [
    ref,
    (labels as Labels).toString(),
    value,
    timestampMs,
  ]);
  assert.deepEqual(exemplars, [[0, '{trace_id="abc"}', 0.5, 4]]);
  assert.deepEqual(batch.metadata, [{ metric: 'h', type: 'histogram', help: 'Help.', unit: 'seconds' }]);
  // What has not changed is not passed on again.
  assert.equal(decoder.decodeRequest(bytes).batch.metadata, undefined);
});

test('where it is wanted, a created timestamp becomes a sample of value 0 before the first', () => {
  const decoder = new RemoteWrite2Decoder({ ...options, zeroSamples: true });
  const decoded = decoder.decodeRequest(
    request(
      ['', '__name__', 'c', 'h'],
      [
        {
          labelsRefs: [1, 2],
          samples: [
            { value: 7, timestamp: 50n },
            { value: 8, timestamp: 60n },
          ],
          createdTimestamp: 20n,
        },
        { labelsRefs: [1, 2], samples: [{ value: 9, timestamp: 70n }], createdTimestamp: 70n },
        { labelsRefs: [1, 3], histograms: [{ sum: 1, schema: 2, timestamp: 50n }], createdTimestamp: 30n },
      ],
    ),
  );
  assert.deepEqual([...decoded.batch.timestamps], [20, 50, 60, 70, 30, 50]);
  assert.deepEqual([...decoded.batch.values], [0, 7, 8, 9, 0, 0]);
  assert.deepEqual(decoded.zeroSamplesAt, [0, 4]);
  const zero = decoded.batch.histograms?.[4];
  assert.deepEqual([zero?.schema, zero?.count, zero?.counterResetHint], [2, 0, CounterResetHint.Reset]);
  assert.equal(
    decode(
      ['', '__name__', 'c'],
      [{ labelsRefs: [1, 2], samples: [{ timestamp: 50n }], createdTimestamp: 20n }],
    ).batch.refs.length,
    1,
  );
});

test('arbitrary and damaged bytes give a batch or a coded error', () => {
  const good = request(
    ['', '__name__', 'up', 'job', 'a'],
    [{ labelsRefs: [1, 2, 3, 4], samples: [{ value: 1, timestamp: 10n }], metadata: { helpRef: 1 } }],
  );
  const decoder = new RemoteWrite2Decoder(options);
  const tryIt = (bytes: Uint8Array): void => {
    try {
      const { batch } = decoder.decodeRequest(bytes);
      assert.equal(batch.refs.length, batch.timestamps.length);
      for (const ref of batch.refs) assert.ok(ref < batch.series.length);
      decoder.settled(batch, false);
    } catch (error) {
      assert.ok(error instanceof RemoteRequestError, String(error));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), tryIt), { numRuns: 500, seed: 7 });
  const damage = fc.tuple(
    fc.nat({ max: good.length - 1 }),
    fc.nat({ max: 255 }),
    fc.nat({ max: good.length }),
  );
  fc.assert(
    fc.property(damage, ([at, byte, length]) => {
      const bytes = good.slice();
      bytes[at] = byte;
      tryIt(bytes.subarray(0, Math.max(1, length)));
      tryIt(bytes);
    }),
    { numRuns: 1000, seed: 7 },
  );
});

test('a request of remote write 1.0 sent by mistake has no series', () => {
  const decoded = new RemoteWrite2Decoder(options).decode(snappyCompress(Uint8Array.of(0x0a, 2, 0x12, 0)));
  assert.equal(decoded.batch.refs.length, 0);
});
