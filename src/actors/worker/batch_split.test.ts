import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { placementShard } from '../../cluster/index.ts';
import {
  type BatchExemplar,
  FloatHistogram,
  Labels,
  setStaleNaN,
  type WriteBatch,
} from '../../model/index.ts';
import { BatchSplitter, noVerdict } from './batch_split.ts';

const shards = 4;
const labelsOf = (instance: string, name = 'm'): Labels => Labels.fromRecord({ __name__: name, instance });
const bitsOf = (values: Float64Array, at: number): bigint | undefined =>
  new BigUint64Array(values.slice(at, at + 1).buffer)[0];

/** One sample per entry of `refs`; the values count up. */
function batchOf(series: readonly Labels[], refs: readonly number[]): WriteBatch {
  return {
    series,
    storeRefs: new Int32Array(series.length).fill(-1),
    refs: Uint32Array.from(refs),
    timestamps: Float64Array.from(refs, (_, i) => 1000 + i),
    values: Float64Array.from(refs, (_, i) => i),
  };
}

const describe = ({ series, refs, timestamps, values, histograms, startTimes }: WriteBatch): string[] =>
  Array.from(
    refs,
    (ref, i) =>
      `${series[ref]} @${timestamps[i]} ${bitsOf(values, i)} ${histograms?.[i]?.count} ${startTimes?.[i] ?? 0}`,
  );

test('a batch of one shard is passed on as it is', () => {
  const batch = batchOf([labelsOf('i'), labelsOf('i', 'n')], [0, 1, 0]);
  const parts = new BatchSplitter().split(batch, shards);
  assert.equal(parts.length, 1);
  assert.equal(parts[0]?.batch, batch);
  assert.equal(parts[0]?.shard, placementShard(labelsOf('i'), shards));
});

test('the parts together are the batch: bits, histograms, start times and exemplars go along', () => {
  const series = fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(series, fc.array(fc.nat(), { maxLength: 30 }), fc.boolean(), (instances, picks, rich) => {
      const plain = batchOf(
        instances.map((i) => labelsOf(`i${i}`)),
        picks.map((pick) => pick % instances.length),
      );
      picks.forEach((pick, i) => {
        if (pick % 3 === 0) setStaleNaN(plain.values, i);
      });
      const exemplars = picks.map((pick, i): BatchExemplar => {
        return { ref: pick % instances.length, labels: Labels.empty, value: i, timestampMs: i };
      });
      const batch: WriteBatch = rich
        ? {
            ...plain,
            histograms: picks.map((pick) => (pick % 2 === 0 ? new FloatHistogram({ count: pick }) : null)),
            startTimes: Float64Array.from(picks, (pick) => pick % 5),
            ...(exemplars.length === 0 ? {} : { exemplars }),
          }
        : plain;
      const parts = new BatchSplitter().split(batch, shards);
      assert.deepEqual(parts.flatMap((part) => describe(part.batch)).sort(), describe(batch).sort());
      for (const { shard, batch: part } of parts) {
        for (const labels of part.series) assert.equal(placementShard(labels, shards), shard);
      }
      const shown = (one: WriteBatch): string[] =>
        (one.exemplars ?? []).map(({ ref, value }) => `${one.series[ref]} ${value}`);
      assert.deepEqual(parts.flatMap((part) => shown(part.batch)).sort(), shown(batch).sort());
    }),
    { numRuns: 200 },
  );
});

test('the same series array gives parts with the same arrays, until the number of shards is another', () => {
  const series = ['i0', 'i1', 'i2', 'i3', 'i4'].map((instance) => labelsOf(instance));
  const splitter = new BatchSplitter();
  const first = splitter.split(batchOf(series, [0, 1, 2, 3, 4]), shards);
  const second = splitter.split(batchOf(series, [4, 3, 2, 1, 0]), shards);
  assert.ok(first.length > 1);
  for (const [i, { batch }] of second.entries()) {
    assert.equal(batch.series, first[i]?.batch.series);
    assert.equal(batch.storeRefs, first[i]?.batch.storeRefs);
  }
  for (const { shard, batch } of splitter.split(batchOf(series, [0, 1, 2, 3, 4]), 128)) {
    for (const labels of batch.series) assert.equal(placementShard(labels, 128), shard);
  }
});

test('references known to the batch reach the parts, and those that the stores note come back', () => {
  const series = ['i0', 'i1', 'i2', 'i3', 'i4'].map((instance) => labelsOf(instance));
  const batch = batchOf(series, [0, 1, 2, 3, 4]);
  batch.storeRefs?.set([70], 0);
  const splitter = new BatchSplitter();
  const parts = splitter.split(batch, shards);
  const firstPart = parts.find((part) => part.batch.series.includes(series[0] as Labels))?.batch;
  assert.equal(firstPart?.storeRefs?.[0], 70);
  for (const { batch: part } of parts) {
    for (const [i, labels] of part.series.entries()) part.storeRefs?.set([series.indexOf(labels) + 10], i);
  }
  splitter.noteStoreRefs(batch);
  assert.deepEqual([...(batch.storeRefs ?? [])], [10, 11, 12, 13, 14]);
});

test('verdicts of the parts go to the positions of their samples', () => {
  const series = ['i0', 'i1', 'i2', 'i3', 'i4'].map((instance) => labelsOf(instance));
  const batch = batchOf(series, [4, 0, 3, 1, 2, 0, 4]);
  const splitter = new BatchSplitter();
  const parts = splitter.split(batch, shards);
  const missing = parts[0]?.shard;
  const merged = splitter.mergeVerdicts(batch, (shard) => {
    const part = parts.find((one) => one.shard === shard)?.batch;
    if (shard === missing || part === undefined) return 'none';
    // The verdict names the sample by its value, which is its position.
    return Uint8Array.from(part.values, (position) => position + 1);
  });
  const lost = new Set(parts[0]?.batch.values);
  assert.deepEqual(
    [...merged],
    [0, 1, 2, 3, 4, 5, 6].map((position) => (lost.has(position) ? noVerdict : position + 1)),
  );
});

test('metadata goes to the shard of its metric name, with samples or alone', () => {
  const metadata = ['a', 'b', 'c', 'd', 'e'].map((metric) => ({ metric, type: 'gauge', unit: '', help: '' }));
  const splitter = new BatchSplitter();
  const alone = splitter.split({ ...batchOf([], []), metadata }, shards);
  const places = new Map(
    alone.flatMap(({ shard, batch }) => (batch.metadata ?? []).map(({ metric }) => [metric, shard])),
  );
  assert.equal(places.size, 5);
  const batch = { ...batchOf([labelsOf('i')], [0]), metadata };
  const parts = splitter.split(batch, shards);
  assert.deepEqual(
    parts.flatMap((part) => describe(part.batch)),
    describe(batch),
  );
  for (const { shard, batch: part } of parts) {
    for (const { metric } of part.metadata ?? []) assert.equal(places.get(metric), shard);
  }
});
