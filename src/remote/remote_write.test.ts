import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { WriteRequestSchema } from '../../proto/gen/prometheus/remote_pb.ts';
import { Labels, type WriteBatch } from '../model/index.ts';
import { decodeRemoteWrite, RemoteWriteDecoder } from './decode_write.ts';
import { encodeRemoteWrite, encodeWriteRequest } from './encode_write.ts';
import { RemoteRequestError } from './errors.ts';
import { snappyCompress } from './snappy_compress.ts';
import type { DecodedRemoteWrite } from './write_assembly.ts';

const options = { sizeMax: 1 << 20, hashSeed: 1 };
/** By a decoder that has seen nothing before. */
const decodeWriteRequest = (bytes: Uint8Array): DecodedRemoteWrite =>
  new RemoteWriteDecoder(options).decodeRequest(bytes);

type Pair = readonly [name: string, value: string];
interface Series {
  readonly labels: readonly Pair[];
  readonly samples?: readonly (readonly [timestampMs: bigint, value: number])[];
  readonly histograms?: number;
  readonly exemplars?: number;
}

/** Built with the generated types, as another implementation would. */
function request(series: readonly Series[], metadata = 0): Uint8Array {
  const message = create(WriteRequestSchema, {
    timeseries: series.map(({ labels, samples = [[1n, 1]], histograms = 0, exemplars = 0 }) => ({
      labels: labels.map(([name, value]) => ({ name, value })),
      samples: samples.map(([timestamp, value]) => ({ timestamp, value })),
      histograms: Array.from({ length: histograms }, () => ({ sum: 1, timestamp: 5n })),
      exemplars: Array.from({ length: exemplars }, () => ({ value: 1, timestamp: 5n })),
    })),
    metadata: Array.from({ length: metadata }, () => ({ metricFamilyName: 'up', help: 'h', unit: 'u' })),
  });
  return toBinary(WriteRequestSchema, message);
}

function bitsOf(values: Float64Array): bigint[] {
  return [...new BigUint64Array(values.slice().buffer)];
}

test('a request made by the generated types becomes the same batch', () => {
  const decoded = decodeWriteRequest(
    request([
      {
        labels: [
          ['__name__', 'up'],
          ['job', 'ä'],
        ],
        samples: [
          [1_700_000_000_123n, 1.5],
          [-5n, -0],
          [0n, 0],
        ],
      },
      { labels: [['__name__', 'down']], samples: [[7n, Number.NaN]] },
    ]),
  );
  assert.deepEqual(decoded.batch.series.map(String), ['up{job="ä"}', 'down']);
  assert.deepEqual([...decoded.batch.refs], [0, 0, 0, 1]);
  assert.deepEqual([...decoded.batch.timestamps], [1_700_000_000_123, -5, 0, 7]);
  assert.deepEqual([...decoded.batch.values], [1.5, -0, 0, Number.NaN]);
  assert.equal(decoded.rejected, 0);
  assert.equal(decoded.firstError, undefined);
});

test('what is encoded here is what the generated types read, and comes back bit for bit', () => {
  const text = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 8 })
    .filter((value) => value.isWellFormed());
  const labels = fc
    .tuple(text, fc.dictionary(text, text, { maxKeys: 4 }))
    .map(([name, others]) => Labels.fromPairs([...Object.entries({ ...others, __name__: name })]));
  const time = fc.oneof(
    fc.maxSafeInteger(),
    fc.constantFrom(0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
  );
  const bits = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constant(0x7ff0000000000002n));
  const series = fc.uniqueArray(
    fc.tuple(labels, fc.array(fc.tuple(time, bits), { minLength: 1, maxLength: 5 })),
    {
      selector: ([set]) => set.key(),
      maxLength: 5,
    },
  );
  fc.assert(
    fc.property(series, (all) => {
      const rows = all.flatMap(([, samples], ref) => samples.map(([t, value]) => ({ ref, t, value })));
      const batch: WriteBatch = {
        series: all.map(([set]) => set),
        refs: Uint32Array.from(rows, ({ ref }) => ref),
        timestamps: Float64Array.from(rows, ({ t }) => t),
        values: new Float64Array(BigUint64Array.from(rows, ({ value }) => value).buffer),
      };
      const decoded = decodeRemoteWrite(encodeRemoteWrite(batch), options);
      assert.deepEqual(
        decoded.batch.series.map((set) => set.flat),
        batch.series.map((set) => set.flat),
      );
      assert.deepEqual(decoded.batch.refs, batch.refs);
      assert.deepEqual(decoded.batch.timestamps, batch.timestamps);
      assert.deepEqual(bitsOf(decoded.batch.values), bitsOf(batch.values));
      const generated = fromBinary(WriteRequestSchema, encodeWriteRequest(batch));
      const times = generated.timeseries.flatMap(({ samples }) =>
        samples.map(({ timestamp }) => Number(timestamp)),
      );
      assert.deepEqual(times, [...batch.timestamps]);
      const names = generated.timeseries.map((one) => one.labels.flatMap(({ name, value }) => [name, value]));
      assert.deepEqual(
        names,
        batch.series.map((set) => [...set.flat]),
      );
    }),
    { numRuns: 200 },
  );
});

test('series that break the rules are refused with their samples; the good ones are kept', () => {
  const good: Pair = ['__name__', 'good'];
  const cases: [readonly Pair[], RegExp][] = [
    [[['a', 'b']], /^the metric name is missing: \{a="b"\}/],
    [[['__name__', '']], /^the metric name is missing/],
    [[], /^the metric name is missing/],
    [[good, ['b', '1'], ['a', '1']], /^labels are not sorted, "a" comes after "b": good/],
    [[good, ['a', '1'], ['a', '2']], /^label name "a" is not unique/],
    [[good, good], /^label name "__name__" is not unique/],
    [[['', 'x'], good], /^a label name is empty/],
  ];
  for (const [labels, message] of cases) {
    const bad: Series = {
      labels,
      samples: [
        [1n, 1],
        [2n, 2],
      ],
    };
    const decoded = decodeWriteRequest(request([bad, { labels: [good] }, bad]));
    assert.deepEqual(decoded.batch.series.map(String), ['good']);
    assert.deepEqual([...decoded.batch.timestamps], [1]);
    assert.equal(decoded.rejected, 4);
    assert.match(decoded.firstError ?? '', message);
  }
});

test('label text that is not UTF-8 is refused, an unusual but valid one is not', () => {
  const valid = request([{ labels: [['__name__', 'u~']] }]);
  const at = valid.indexOf(0x7e);
  const invalid = valid.slice();
  invalid[at] = 0xff;
  const decoded = decodeWriteRequest(invalid);
  assert.equal(decoded.rejected, 1);
  assert.match(decoded.firstError ?? '', /^a label is not valid UTF-8/);
  const odd = decodeWriteRequest(request([{ labels: [['__name__', '\ufeff\ufffd \u0000']] }]));
  assert.equal(odd.batch.series[0]?.metricName, '\ufeff\ufffd \u0000');
});

test('empty label values are absent labels', () => {
  const decoded = decodeWriteRequest(
    request([
      {
        labels: [
          ['__name__', 'x'],
          ['a', ''],
          ['b', '1'],
        ],
      },
    ]),
  );
  assert.deepEqual(decoded.batch.series.map(String), ['x{b="1"}']);
});

test('a series that comes twice is one series', () => {
  const decoded = decodeWriteRequest(
    request([{ labels: [['__name__', 'x']] }, { labels: [['__name__', 'x']] }]),
  );
  assert.equal(decoded.batch.series.length, 1);
  assert.deepEqual([...decoded.batch.refs], [0, 0]);
});

test('times beyond what is exact are refused', () => {
  const labels: Pair[] = [['__name__', 'x']];
  const decoded = decodeWriteRequest(
    request([
      {
        labels,
        samples: [
          [2n ** 63n - 1n, 1],
          [-(2n ** 63n), 1],
          [5n, 1],
        ],
      },
    ]),
  );
  assert.deepEqual([...decoded.batch.timestamps], [5]);
  assert.equal(decoded.rejected, 2);
  assert.match(decoded.firstError ?? '', /out of bounds/);
});

test('unknown fields are stepped over, groups and torn messages are refused', () => {
  const known = request([{ labels: [['__name__', 'x']] }]);
  const unknown = Uint8Array.of(
    0x78,
    0x96,
    0x01,
    0x7a,
    2,
    1,
    2,
    0x79,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    0x7d,
    1,
    2,
    3,
    4,
  );
  assert.equal(decodeWriteRequest(Uint8Array.of(...unknown, ...known)).batch.refs.length, 1);
  const malformed = [
    [0x7b],
    [0x00],
    [0x0a],
    [0x0a, 5, 0],
    [0x78, ...new Array(10).fill(0x80), 0],
    [0x79, 1],
    [0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f],
  ];
  for (const bytes of malformed) {
    assert.throws(() => decodeWriteRequest(Uint8Array.from(bytes)), { code: 'message_malformed' });
  }
  for (let end = 1; end < known.length; end++) {
    assert.throws(() => decodeWriteRequest(known.subarray(0, end)), { code: 'message_malformed' });
  }
});

test('a body in a Buffer is read like any other', () => {
  const body = Buffer.from(snappyCompress(request([{ labels: [['__name__', 'x']], samples: [[9n, 3]] }])));
  const decoded = decodeRemoteWrite(body, options);
  assert.deepEqual([[...decoded.batch.timestamps], [...decoded.batch.values]], [[9], [3]]);
});

test('arbitrary and damaged requests give a coded error or a consistent batch', () => {
  const sound = request(
    [
      {
        labels: [
          ['__name__', 'x'],
          ['a', 'b'],
        ],
        samples: [
          [1n, 1],
          [2n, 2],
        ],
        histograms: 1,
        exemplars: 1,
      },
      { labels: [['__name__', 'y']] },
    ],
    1,
  );
  const damaged = fc
    .array(fc.tuple(fc.nat({ max: sound.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      const bytes = sound.slice();
      for (const [at, byte] of changes) bytes[at] = byte;
      return bytes;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), damaged), fc.boolean(), (bytes, compressed) => {
      try {
        const decoded = decodeRemoteWrite(compressed ? snappyCompress(bytes) : bytes, options);
        const { batch } = decoded;
        assert.ok(batch.refs.every((ref) => ref < batch.series.length));
        assert.ok(batch.timestamps.every(Number.isSafeInteger));
        assert.equal(batch.timestamps.length, batch.values.length);
        assert.equal(new Set(batch.series.map((set) => set.key())).size, batch.series.length);
      } catch (error) {
        assert.ok(error instanceof RemoteRequestError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});

/** One series per name; a store that gives each label set a reference. */
const named = (...names: string[]): Uint8Array =>
  request(names.map((name, i) => ({ labels: [['__name__', name]], samples: [[BigInt(i), i]] })));

class Store {
  readonly #refs = new Map<string, number>();
  forgotten = 0;

  append({ series, storeRefs }: WriteBatch): void {
    for (const [place, labels] of series.entries()) {
      const known = this.#refs.get(labels.key());
      const given = storeRefs?.[place];
      if (given === -1 && known !== undefined) this.forgotten++;
      assert.ok(given === -1 || given === known, `${labels} has ${known}, not ${given}`);
      const ref = known ?? this.#refs.size;
      this.#refs.set(labels.key(), ref);
      storeRefs?.set([ref], place);
    }
  }
}

test('a request with the series of an earlier one in the same order has the same arrays', () => {
  const decoder = new RemoteWriteDecoder(options);
  const store = new Store();
  const take = (...names: string[]): WriteBatch => {
    const { batch } = decoder.decodeRequest(named(...names));
    store.append(batch);
    decoder.settled(batch, true);
    return batch;
  };
  const first = take('a', 'b', 'c');
  const other = take('d', 'e');
  const again = take('a', 'b', 'c');
  assert.equal(again.series, first.series);
  assert.equal(again.storeRefs, first.storeRefs);
  const longer = take('a', 'b', 'e', 'c');
  assert.notEqual(longer.series, first.series);
  assert.deepEqual(longer.series.map(String), ['a', 'b', 'e', 'c']);
  assert.equal(longer.series[2], other.series[1], 'a known series is the same object');
  assert.deepEqual(take('c').series.map(String), ['c']);
  assert.equal(store.forgotten, 0);
});

test('columns are used again when a batch is settled, and not while it is held', () => {
  const decoder = new RemoteWriteDecoder(options);
  const first = decoder.decodeRequest(named('a', 'b')).batch;
  decoder.settled(first, true);
  const second = decoder.decodeRequest(named('a', 'b')).batch;
  assert.notEqual(second.values.buffer, first.values.buffer);
  decoder.settled(second, false);
  const third = decoder.decodeRequest(named('b')).batch;
  assert.equal(third.values.buffer, second.values.buffer);
  assert.deepEqual([...first.values], [0, 1]);
});

test('a decoder with a memory decodes whatever comes as one without', () => {
  const name = fc.constantFrom('a', 'b', 'c', '', 'ab');
  const pair = fc.tuple(fc.constantFrom('__name__', 'x', 'y', 'x'), name);
  const series = fc.record({ labels: fc.array(pair, { maxLength: 3 }) });
  const requests = fc.array(fc.array(series, { maxLength: 6 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(requests, (all) => {
      const decoder = new RemoteWriteDecoder(options);
      const store = new Store();
      for (const one of all) {
        const decoded = decoder.decodeRequest(request(one));
        const expected = decodeWriteRequest(request(one));
        assert.deepEqual(decoded.batch.series.map(String), expected.batch.series.map(String));
        assert.deepEqual([...decoded.batch.refs], [...expected.batch.refs]);
        assert.equal(decoded.rejected, expected.rejected);
        assert.equal(decoded.firstError, expected.firstError);
        store.append(decoded.batch);
        decoder.settled(decoded.batch, false);
      }
      assert.equal(store.forgotten, 0);
    }),
    { numRuns: 500 },
  );
});

test('labels count wherever they stand in a series, known or not', () => {
  // name="x", then a sample, then a="1".
  const label = (name: string, value: string): number[] => {
    const bytes = [0x0a, name.length, ...Buffer.from(name), 0x12, value.length, ...Buffer.from(value)];
    return [0x0a, bytes.length, ...bytes];
  };
  const scattered = [...label('__name__', 'x'), 0x12, 2, 0x10, 5, ...label('a', '1')];
  const body = Uint8Array.of(0x0a, scattered.length, ...scattered);
  const decoder = new RemoteWriteDecoder(options);
  decoder.decodeRequest(named('x'));
  for (let i = 0; i < 2; i++) {
    const { batch } = decoder.decodeRequest(body);
    assert.deepEqual(batch.series.map(String), ['x{a="1"}']);
    assert.deepEqual([...batch.timestamps], [5]);
  }
  assert.deepEqual(decoder.decodeRequest(named('x')).batch.series.map(String), ['x']);
});

test('exemplars and metadata come with the batch; what is no exemplar costs nothing else', () => {
  const message = create(WriteRequestSchema, {
    timeseries: [
      { labels: [{ name: '__name__', value: 'a' }], samples: [{ value: 1, timestamp: 1n }] },
      {
        labels: [{ name: '__name__', value: 'b' }],
        exemplars: [
          { labels: [{ name: 'trace_id', value: 't' }], value: 0.5, timestamp: 7n },
          { labels: [{ name: 'trace_id', value: 'x'.repeat(121) }], value: 0.5, timestamp: 7n },
          { labels: [], value: 2, timestamp: -(2n ** 62n) },
        ],
      },
    ],
    metadata: [
      { type: 1, metricFamilyName: 'a', help: 'h', unit: 'u' },
      { type: 4, metricFamilyName: 'b' },
      { type: 1, metricFamilyName: '' },
    ],
  });
  const { batch, rejected } = decodeWriteRequest(toBinary(WriteRequestSchema, message));
  assert.deepEqual(
    batch.exemplars?.map(({ ref, labels, value, timestampMs }) => [ref, String(labels), value, timestampMs]),
    [[1, '{trace_id="t"}', 0.5, 7]],
  );
  assert.deepEqual(batch.metadata, [
    { metric: 'a', type: 'counter', help: 'h', unit: 'u' },
    { metric: 'b', type: 'gaugehistogram', help: '', unit: '' },
  ]);
  assert.equal(rejected, 0);
});
