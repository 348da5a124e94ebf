/** Records come back as they were written, those of version 1, too; damaged ones are refused without a trace. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteFormatError, ByteReader, ByteWriter } from '../../base/index.ts';
import { FloatHistogram, Labels, Matcher, MatchType } from '../../model/index.ts';
import { readDefinitions, writeDefinitions } from './definitions.ts';
import { decodeFrame, encodeFrame, frameVersion } from './frame.ts';
import {
  definitionsKey,
  metadataKey,
  parseDefinitionsKey,
  parseRecordKey,
  recordKey,
  sealedKey,
  shardMax,
} from './keys.ts';
import { encodeDeletion, encodeSamples, type SampleParts } from './record.ts';
import { RecordReader } from './record_reader.ts';
import {
  definitionsOperation,
  metadataOperation,
  readDefinitionsValue,
  readMetadataValue,
  readState,
  stateOperation,
} from './state.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 6 });
const labels = fc
  .array(fc.tuple(text, text), { maxLength: 4 })
  .map((pairs) => Labels.fromPairs(new Map(pairs)));
const histogram = fc
  .record({ count: fc.double(), sum: fc.double(), isInteger: fc.boolean(), isStale: fc.boolean() })
  .map((fields) => new FloatHistogram({ ...fields, positiveSpans: [], positiveBuckets: Float64Array.of() }));
const id = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const sample = fc.record({
  id: fc.oneof(fc.integer({ min: 1, max: 30 }), id),
  t: fc.oneof(fc.constant(1_700_000_000_000), fc.maxSafeInteger()),
  bits: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  histogram: fc.option(histogram),
  startMs: fc.oneof(fc.constant(0), fc.maxSafeInteger()),
});
const record = fc.record({
  epoch: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  newSeries: fc.uniqueArray(fc.record({ id, labels }), { maxLength: 5, selector: (one) => one.id }),
  samples: fc.array(sample, { maxLength: 60 }),
  withHistograms: fc.boolean(),
  withStartTimes: fc.boolean(),
  exemplars: fc.array(fc.record({ id, labels, value: fc.double(), timestampMs: fc.maxSafeInteger() }), {
    maxLength: 3,
  }),
  metadata: fc.array(
    fc.record({ metric: text, type: text, unit: text, help: text }, { noNullPrototype: true }),
    {
      maxLength: 3,
    },
  ),
});
type Drawn = typeof record extends fc.Arbitrary<infer T> ? T : never;

function partsOf(drawn: Drawn): SampleParts {
  const { samples } = drawn;
  return {
    epoch: drawn.epoch,
    newSeries: drawn.newSeries,
    count: samples.length,
    ids: Uint32Array.from([...samples.map((one) => one.id), 0]),
    times: Float64Array.from([...samples.map((one) => one.t), Number.NaN]),
    values: new Float64Array(BigUint64Array.from([...samples.map((one) => one.bits), 7n]).buffer),
    ...(drawn.withHistograms && { histograms: samples.map((one) => one.histogram) }),
    ...(drawn.withStartTimes && { startTimes: Float64Array.from(samples, (one) => one.startMs) }),
    exemplars: drawn.exemplars,
    metadata: drawn.metadata,
  };
}

function payloadOf(parts: SampleParts): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  encodeSamples(writer, parts);
  return writer.finish();
}

test('property: a record of samples comes back in all its parts, bit by bit', () => {
  const reader = new RecordReader();
  fc.assert(
    fc.property(record, (drawn) => {
      const read = reader.read(payloadOf(partsOf(drawn)));
      assert.ok(read.kind === 'samples');
      const { columns } = read;
      const { samples } = drawn;
      const count = samples.length;
      assert.equal(read.epoch, drawn.epoch);
      assert.equal(columns.count, count);
      assert.deepEqual(
        [...columns.ids.subarray(0, count)],
        samples.map((one) => one.id),
      );
      assert.deepEqual(
        [...columns.times.subarray(0, count)],
        samples.map((one) => one.t),
      );
      const bits = new BigUint64Array(columns.values.buffer);
      assert.deepEqual(
        [...bits.subarray(0, count)],
        samples.map((one) => one.bits),
      );
      const histograms = drawn.withHistograms ? samples.map((one) => one.histogram) : undefined;
      assert.deepEqual(columns.histograms, histograms);
      const startTimes = drawn.withStartTimes && count > 0 ? samples.map((one) => one.startMs) : undefined;
      assert.deepEqual(columns.startTimes && [...columns.startTimes.subarray(0, count)], startTimes);
      assert.deepEqual(
        read.definitions.map((one) => [one.id, one.labels.key()]),
        drawn.newSeries.map((one) => [one.id, one.labels.key()]),
      );
      assert.deepEqual(
        read.exemplars.map((one) => ({ ...one, labels: one.labels.key() })),
        drawn.exemplars.map((one) => ({ ...one, labels: one.labels.key() })),
      );
      assert.deepEqual(read.metadata, drawn.metadata);
      assert.equal(read.newestMs, Math.max(Number.NEGATIVE_INFINITY, ...samples.map((one) => one.t)));
      const met = [...drawn.newSeries, ...samples].map((one) => one.id);
      assert.equal(read.highestId, Math.max(0, ...met));
    }),
    { numRuns: 200 },
  );
});

test('property: a damaged record is refused as such or read as another, never worse', () => {
  const reader = new RecordReader();
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 });
  fc.assert(
    fc.property(record, damage, fc.nat(), (drawn, changes, cut) => {
      const payload = payloadOf(partsOf(drawn));
      const damaged = payload.slice(0, payload.length - (cut % 4));
      for (const [at, value] of changes) damaged[at % payload.length] = value;
      try {
        const read = reader.read(damaged);
        if (read.kind === 'deletion') return;
        const { columns } = read;
        assert.ok(columns.ids.subarray(0, columns.count).every((one) => one >= 1));
        assert.ok(columns.times.subarray(0, columns.count).every(Number.isSafeInteger));
        assert.ok(read.definitions.every((one) => Labels.fromPairs(one.labels).equals(one.labels)));
      } catch (error) {
        assert.ok(error instanceof ByteFormatError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test('property: any bytes are refused or read, in the space that they take', () => {
  const reader = new RecordReader();
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3 }), fc.uint8Array({ maxLength: 60 }), (kind, tail) => {
      try {
        const read = reader.read(Uint8Array.of(kind, ...tail));
        if (read.kind === 'samples') assert.ok(read.columns.ids.length <= 256);
      } catch (error) {
        assert.ok(error instanceof ByteFormatError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});

test('a record that claims more samples than its bytes hold is refused before anything is allocated', () => {
  const claims = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
  assert.throws(
    () => new RecordReader().read(Uint8Array.of(1, 0, 1, 0, ...claims, 0, 1, 2)),
    /too few bytes for 9007199254740991 samples/,
  );
});

test('an exemplar or a start time that is no time costs nothing else', () => {
  const payload = payloadOf({
    epoch: 1,
    newSeries: [],
    count: 2,
    ids: Uint32Array.of(1, 2),
    times: Float64Array.of(5, 5),
    values: Float64Array.of(1, 2),
    startTimes: Float64Array.of(Number.NaN, 3),
    exemplars: [{ id: 1, labels: Labels.empty, value: 1, timestampMs: 0.5 }],
  });
  const read = new RecordReader().read(payload);
  assert.ok(read.kind === 'samples');
  assert.deepEqual([...(read.columns.startTimes?.subarray(0, 2) ?? [])], [0, 3]);
  assert.deepEqual(read.exemplars, []);
});

test('a deletion comes back, with ends that may be infinite; one that can not be is refused', () => {
  const writer = new ByteWriter();
  const matchers = [
    Matcher.create(MatchType.Equal, 'a', 'b'),
    Matcher.create(MatchType.NotEqual, 'a', 'c'),
    Matcher.create(MatchType.Regexp, 'ä.b', 'x|y.*'),
    Matcher.create(MatchType.NotRegexp, 'a', 'z'),
  ];
  encodeDeletion(writer, { matchers, fromMs: Number.NEGATIVE_INFINITY, toMs: 5 });
  const read = new RecordReader().read(writer.finish());
  assert.ok(read.kind === 'deletion');
  assert.deepEqual([read.fromMs, read.toMs], [Number.NEGATIVE_INFINITY, 5]);
  assert.deepEqual(read.matchers.map(String), matchers.map(String));
  const bad = (pattern: string): Uint8Array => {
    const out = new ByteWriter();
    out.u8(2);
    out.f64(1);
    out.f64(2);
    out.varint(1);
    out.u8(2);
    out.text('a');
    out.text(pattern);
    return out.finish();
  };
  assert.equal(new RecordReader().read(bad('a+')).kind, 'deletion');
  assert.throws(() => new RecordReader().read(bad('a(')), ByteFormatError);
});

test('keys come back, and sort as (shard, kind, epoch, sequence)', () => {
  const position = fc.record({
    shard: fc.integer({ min: 0, max: shardMax }),
    epoch: fc.integer({ min: 0, max: 0xffff_ffff }),
    sequence: fc.maxSafeNat(),
  });
  fc.assert(
    fc.property(position, position, (a, b) => {
      const [keyA, keyB] = [recordKey(a.shard, a), recordKey(b.shard, b)];
      assert.deepEqual(parseRecordKey(keyA), { epoch: a.epoch, sequence: a.sequence });
      const order = a.shard - b.shard || a.epoch - b.epoch || a.sequence - b.sequence;
      assert.equal(Buffer.compare(keyA, keyB), Math.sign(order));
    }),
  );
  assert.equal(parseDefinitionsKey(definitionsKey(258, 2 ** 32 - 1)), 2 ** 32 - 1);
  assert.equal(parseRecordKey(definitionsKey(1, 1)), undefined);
});

test('any changed, missing or added byte of a frame is noticed, and so is another key', () => {
  const key = recordKey(1, { epoch: 2, sequence: 3 });
  const frame = encodeFrame(key, Uint8Array.of(1, 2, 3, 4, 99), 4);
  const whole = decodeFrame(key, frame);
  assert.ok(whole.ok && whole.version === frameVersion && whole.payload.length === 4);
  for (let at = 1; at < frame.length; at++) {
    const damaged = frame.slice();
    damaged[at] = (damaged[at] as number) ^ 0x10;
    assert.equal(decodeFrame(key, damaged).ok, false);
    assert.equal(decodeFrame(key, frame.subarray(0, at)).ok, false);
  }
  assert.equal(decodeFrame(key, Uint8Array.of(...frame, 0)).ok, false);
  assert.equal(decodeFrame(recordKey(1, { epoch: 2, sequence: 4 }), frame).ok, false);
  assert.equal(decodeFrame(key, Uint8Array.of(3, ...frame.subarray(1))).ok, false);
});

async function golden(url: string): Promise<Uint8Array[]> {
  const lines = (await readFile(new URL(url, import.meta.url), 'utf8')).trim().split('\n');
  return lines.map((line) => new Uint8Array(Buffer.from(line, 'hex')));
}

test('a record of version 1 is read as it was written', async () => {
  const [key, frame] = await golden('../testdata/log-frame-v1.hex');
  assert.ok(key !== undefined && frame !== undefined);
  assert.deepEqual(parseRecordKey(key), { epoch: 7, sequence: 9 });
  const opened = decodeFrame(key, frame);
  assert.ok(opened.ok && opened.version === 1);
  const seen: string[] = [];
  const { columns, ...read } = new RecordReader().readBatch(
    opened.payload,
    7,
    (of) => seen.push(`${of}`) + 40,
  );
  assert.deepEqual(seen, ['up{instance="host:9100", job="node"}']);
  assert.deepEqual([columns.count, columns.ids[0], columns.times[0]], [1, 41, 1_700_000_000_123]);
  assert.equal(new BigUint64Array(columns.values.buffer)[0], 0x7ff0000000000002n);
  assert.deepEqual([read.epoch, read.highestId, read.newestMs], [7, 41, 1_700_000_000_123]);
});

/** One of each kind of entry of version 2, in the order of the golden file. */
function goldenEntries(): [Uint8Array, Uint8Array][] {
  const up = Labels.fromRecord({ __name__: 'up', instance: 'host:9100', job: 'node' });
  const metadata = { metric: 'up', type: 'gauge', unit: '', help: 'Is it there?' };
  const samples = payloadOf({
    epoch: 7,
    newSeries: [
      { id: 300, labels: up },
      { id: 301, labels: Labels.fromRecord({ __name__: 'down' }) },
    ],
    count: 3,
    ids: Uint32Array.of(300, 301, 2),
    times: Float64Array.of(1_700_000_000_123, 1_700_000_000_123, 1_699_999_999_000),
    values: new Float64Array(BigUint64Array.of(0x7ff0000000000002n, 0n, 0x3ff8000000000000n).buffer),
    histograms: [
      null,
      new FloatHistogram({
        schema: 1,
        count: 3,
        sum: 4.5,
        positiveSpans: [{ offset: -1, length: 2 }],
        positiveBuckets: Float64Array.of(1, 2),
        isInteger: true,
      }),
      null,
    ],
    startTimes: Float64Array.of(0, 1_699_000_000_000, 0),
    exemplars: [
      {
        id: 300,
        labels: Labels.fromRecord({ trace_id: 'abc' }),
        value: 0.25,
        timestampMs: 1_700_000_000_100,
      },
    ],
    metadata: [metadata],
  });
  const deletion = new ByteWriter();
  const matchers = [Matcher.create(MatchType.Regexp, '__name__', 'up|down')];
  encodeDeletion(deletion, { matchers, fromMs: 1000, toMs: Number.POSITIVE_INFINITY });
  const sealed = { floorMs: 1_700_000_000_000, throughSequence: 8 };
  const state = { ...sealed, nextId: 302, checkpointId: 2, deletedThrough: 0 };
  const framed = (key: Uint8Array, payload: Uint8Array): [Uint8Array, Uint8Array] => [
    key,
    encodeFrame(key, payload),
  ];
  const put = (operation: ReturnType<typeof stateOperation>): [Uint8Array, Uint8Array] => {
    assert.ok(operation.type === 'put');
    return [operation.key, operation.value];
  };
  return [
    framed(recordKey(258, { epoch: 9, sequence: 9 }), samples),
    framed(recordKey(258, { epoch: 9, sequence: 10 }), deletion.finish()),
    put(definitionsOperation(258, 5, [{ id: 2, labels: up }])),
    put(stateOperation(258, state)),
    put(metadataOperation(258, metadata)),
  ];
}

test('entries of version 2 are written, and read, as they were', async () => {
  const file = await golden('./testdata/log-v2.hex');
  const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
  for (const [i, [key, value]] of goldenEntries().entries()) {
    assert.equal(hex(key), hex(file[i * 2]));
    assert.equal(hex(value), hex(file[i * 2 + 1]));
  }
  const entry = (i: number): [Uint8Array, Uint8Array] => [
    file[i * 2] as Uint8Array,
    file[i * 2 + 1] as Uint8Array,
  ];
  const frame = decodeFrame(...entry(0));
  assert.ok(frame.ok);
  const samples = new RecordReader().read(frame.payload);
  assert.ok(samples.kind === 'samples');
  assert.deepEqual([...samples.columns.ids.subarray(0, 3)], [300, 301, 2]);
  assert.equal(readDefinitionsValue(...entry(2))[0]?.labels.get('job'), 'node');
  assert.equal(readState(...entry(3)).nextId, 302);
  assert.equal(readMetadataValue(...entry(4)).help, 'Is it there?');
  assert.deepEqual(file[6], sealedKey(258));
  assert.deepEqual(file[8], metadataKey(258, 'up'));
});

test('definitions share their texts, and those that no series can have are refused', () => {
  const series = Array.from({ length: 100 }, (_, i) => ({
    id: 200 - i,
    labels: Labels.fromRecord({
      __name__: `metric_${i}`,
      instance: 'host:9100',
      job: 'a job of some length',
    }),
  }));
  const writer = new ByteWriter();
  writeDefinitions(writer, series);
  assert.ok(writer.length < 100 * 20, `${writer.length} bytes`);
  assert.deepEqual(
    readDefinitions(new ByteReader(writer.finish())).map(({ id, labels }) => `${id} ${labels}`),
    series.map(({ id, labels }) => `${id} ${labels}`),
  );
  const definition = (texts: readonly string[], id: number, ...numbers: number[]): ByteReader => {
    const out = new ByteWriter();
    out.varint(1);
    out.varint(texts.length);
    for (const text of texts) out.text(text);
    out.varsint(id);
    out.varint(numbers.length / 2);
    for (const number of numbers) out.varint(number);
    return new ByteReader(out.finish());
  };
  const texts = ['a', 'b', ''];
  assert.equal(readDefinitions(definition(texts, 1, 0, 1, 1, 0)).length, 1);
  for (const bad of [
    definition(texts, 0, 0, 1),
    definition(texts, -1, 0, 1),
    definition(texts, 2 ** 32, 0, 1),
    definition(texts, 1, 0, 2),
    definition(texts, 1, 1, 0, 0, 1),
    definition(texts, 1, 0, 1, 0, 1),
    definition(texts, 1, 0, 3),
  ])
    assert.throws(() => readDefinitions(bad), ByteFormatError);
});
