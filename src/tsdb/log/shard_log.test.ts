/** What a shard's log promises, on every engine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FloatHistogram, Matcher, MatchType } from '../../model/index.ts';
import type { KeyOperation, OpenEngine, StoreEngine } from '../engine.ts';
import { diskError, FaultyDisk } from '../testing/faulty_disk.ts';
import { batchOf, type Row } from '../testing/fixtures.ts';
import { MemoryDisk } from '../testing/memory_engine.ts';
import { testedEngines } from '../testing/tested_engines.ts';
import {
  definitionsKey,
  kindRange,
  LogKeyKind,
  metadataKey,
  parseRecordKey,
  recordKey,
  sealedKey,
  shardRange,
} from './keys.ts';
import { batchFrame, LogScene, labelsOf, TextSink } from './testing/scene.ts';

interface Stage {
  readonly disk: FaultyDisk;
  scene: LogScene;
  /** Closes and opens the store, and gives what the log says. */
  reopened(): Promise<TextSink>;
}

function rule(title: string, run: (stage: Stage) => Promise<void>): void {
  for (const tested of testedEngines) {
    test(`${tested.name}: ${title}`, { skip: tested.skip }, () =>
      tested.withFolder((path, openEngine) => onStage(path, openEngine, run)),
    );
  }
}

async function onStage(
  path: string,
  openEngine: OpenEngine,
  run: (stage: Stage) => Promise<void>,
): Promise<void> {
  const disk = new FaultyDisk(openEngine);
  const open = (): Promise<LogScene> => LogScene.open(path, disk.openEngine);
  const stage: Stage = {
    disk,
    scene: await open(),
    async reopened() {
      await stage.scene.close();
      stage.scene = await open();
      const sink = new TextSink();
      await stage.scene.replay(sink);
      return sink;
    },
  };
  await stage.scene.replay();
  await run(stage);
  disk.refusal = undefined;
  await stage.scene.close();
}

async function keysIn(engine: StoreEngine, kind: LogKeyKind): Promise<Uint8Array[]> {
  const keys: Uint8Array[] = [];
  for await (const [key] of engine.entries(kindRange(1, kind))) keys.push(key);
  return keys;
}

async function sequencesOf(scene: LogScene): Promise<number[]> {
  return (await keysIn(scene.engine, LogKeyKind.Record)).map((key) => parseRecordKey(key)?.sequence ?? -1);
}

const put = (key: Uint8Array, value: Uint8Array): KeyOperation => ({ type: 'put', key, value });
const liveOf = (...ids: number[]) => ids.map((id) => ({ id, labels: labelsOf(id) }));
const damageOf =
  (victim: Uint8Array) =>
  (key: Uint8Array, value: Uint8Array): Uint8Array => {
    if (Buffer.compare(key, victim) !== 0) return value;
    const damaged = value.slice();
    const last = damaged.length - 1;
    damaged[last] = (damaged[last] as number) ^ 1;
    return damaged;
  };

rule('what was appended is replayed: definitions once, samples in order', async (stage) => {
  const { scene } = stage;
  await scene.append([
    { id: 1, t: 10, bits: 0x7ff0000000000002n },
    { id: 2, t: 10 },
  ]);
  const histogram = new FloatHistogram({ count: 1, sum: 2 });
  await scene.append([{ id: 2, t: 20, histogram }], 3);
  const sink = await stage.reopened();
  assert.deepEqual(sink.lines, [
    'define 1 metric{id="1"}',
    'define 2 metric{id="2"}',
    '1 @10 0x7ff0000000000002 epoch 1 record 1',
    '2 @10 0x3ff0000000000000 epoch 1 record 1',
    `2 @20 ${histogram} epoch 3 record 2`,
  ]);
  const { log } = stage.scene;
  assert.deepEqual([log.lastSequence, log.records, log.nextId()], [2, 2, 3]);
  assert.equal(log.bytes, scene.log.bytes);
  assert.equal(await stage.scene.metric('torchring_tsdb_log_bytes'), log.bytes);
});

rule('handed-over samples of an older epoch keep their place and their epoch', async (stage) => {
  await stage.scene.append([{ id: 1, t: 10 }], 5);
  await stage.scene.append([{ id: 1, t: 5 }], 2);
  await stage.scene.append([{ id: 1, t: 20 }], 5);
  assert.deepEqual((await stage.reopened()).times, [10, 5, 20]);
  await stage.scene.append([{ id: 1, t: 7 }], 3);
  const sink = await stage.reopened();
  assert.deepEqual(sink.times, [10, 5, 20, 7]);
  assert.match(sink.lines.at(-1) ?? '', /epoch 3 record 4/);
});

rule('of a record that is sealed in part, the rest is replayed', async (stage) => {
  const { scene } = stage;
  await scene.append([
    { id: 1, t: 10 },
    { id: 2, t: 30, bits: 7n },
    { id: 3, t: 11 },
    { id: 1, t: 40, histogram: FloatHistogram.stale },
  ]);
  await scene.append([{ id: 3, t: 15 }]);
  await scene.log.truncate(1, 20, liveOf(1, 2, 3), []);
  const sink = await stage.reopened();
  const samples = sink.lines.filter((line) => line.includes('@'));
  assert.deepEqual(samples, [
    '2 @30 0x7 epoch 1 record 1',
    `1 @40 ${FloatHistogram.stale} epoch 1 record 1`,
    // Late, and appended after the round of sealing had begun.
    '3 @15 0x3ff0000000000000 epoch 1 record 2',
  ]);
  assert.deepEqual({ ...stage.scene.log.sealed }, { ...scene.log.sealed });
  assert.equal(stage.scene.log.sealed.floorMs, 20);
});

rule('records go when all they hold is sealed, and their series stay known', async (stage) => {
  const { scene } = stage;
  for (let i = 0; i < 40; i++) await scene.append([{ id: (i % 3) + 1, t: i }]);
  await scene.append([{ id: 4, t: 41 }]);
  // Two blocks of 32 and 9 records: the second holds newer ones.
  await scene.log.truncate(40, 40, liveOf(1, 3, 4), [2]);
  assert.deepEqual(await sequencesOf(scene), [33, 34, 35, 36, 37, 38, 39, 40, 41]);
  assert.equal(scene.log.checkpointId, 4);
  await scene.append([
    { id: 1, t: 50 },
    { id: 5, t: 50 },
  ]);
  const sink = await stage.reopened();
  assert.deepEqual(sink.times, [41, 50, 50]);
  assert.deepEqual(
    sink.lines.filter((line) => line.startsWith('define')),
    [1, 3, 4, 5].map((id) => `define ${id} ${labelsOf(id)}`),
  );
  assert.deepEqual(stage.scene.spy.lines, []);
  // Ids of series that are no more are not given again, even when nothing names them any longer.
  await stage.scene.log.truncate(stage.scene.log.lastSequence, 60, [], [1, 3, 4, 5]);
  assert.deepEqual(await sequencesOf(stage.scene), []);
  assert.deepEqual((await stage.reopened()).times, []);
  assert.equal(stage.scene.log.nextId(), 6);
  assert.equal(stage.scene.log.lastSequence, 42);
  assert.equal(stage.scene.log.bytes, 0);
});

rule('the sealed state counts from the write that carries it, before anything is deleted', async (stage) => {
  const { scene } = stage;
  await scene.append([{ id: 1, t: 10 }]);
  await scene.append([{ id: 1, t: 30 }]);
  await scene.commit.write([scene.log.sealedOperation(20, 1)]);
  assert.deepEqual((await stage.reopened()).times, [30]);
  assert.equal(stage.scene.log.records, 2);
});

rule('what retention lets go of does not pass for sealed', async (stage) => {
  const { scene } = stage;
  await scene.append([
    { id: 1, t: 30 },
    { id: 1, t: 100 },
  ]);
  await scene.log.truncate(1, 50, liveOf(1), []);
  // Late: older than the floor and in no window yet.
  await scene.append([{ id: 1, t: 40 }]);
  await scene.log.truncate(scene.log.lastSequence, 20, [], []);
  assert.deepEqual((await stage.reopened()).times, [100, 40]);
});

rule('a deletion is replayed in its place and goes with the records that it is about', async (stage) => {
  const { scene } = stage;
  const matchers = [Matcher.create(MatchType.Equal, 'id', '1')];
  await scene.append([
    { id: 1, t: 10 },
    { id: 2, t: 30 },
  ]);
  // Each under another epoch, so that nothing else ties them to those before.
  await scene.appendDeletion(matchers, 0, Number.POSITIVE_INFINITY, 30, 2);
  await scene.append([{ id: 3, t: 40 }], 3);
  const lines = (await stage.reopened()).lines.filter((line) => !line.startsWith('define'));
  assert.deepEqual(lines, [
    '1 @10 0x3ff0000000000000 epoch 1 record 1',
    '2 @30 0x3ff0000000000000 epoch 1 record 1',
    'delete id="1" 0..Infinity',
    '3 @40 0x3ff0000000000000 epoch 3 record 3',
  ]);
  await stage.scene.log.truncate(2, 30, liveOf(2, 3), [1]);
  assert.deepEqual(await sequencesOf(stage.scene), [1, 2, 3]);
  await stage.scene.log.truncate(2, 31, liveOf(2, 3), []);
  assert.deepEqual(await sequencesOf(stage.scene), [3]);
});

rule('samples of a series that was deleted, definition and all, are not missed', async (stage) => {
  const { scene } = stage;
  await scene.append([{ id: 1, t: 10 }]);
  await scene.append(
    [
      { id: 1, t: 20 },
      { id: 2, t: 20 },
    ],
    2,
  );
  await scene.appendDeletion([Matcher.create(MatchType.Equal, 'id', '1')], 0, 100, 20);
  await scene.log.truncate(1, 11, liveOf(2), [1]);
  const sink = await stage.reopened();
  assert.deepEqual(sink.times, [20]);
  assert.deepEqual(stage.scene.spy.lines, []);
  assert.equal(await stage.scene.metric('torchring_tsdb_log_skipped_samples_total'), 0);
});

rule('metadata outlives the records that brought it, until it is given up', async (stage) => {
  const { scene } = stage;
  const of = (metric: string, help = 'x') => ({ metric, type: 'gauge', unit: '', help });
  const known = new Map([of('a'), of('b'), of('ä/ü')].map((one) => [one.metric, one]));
  await scene.appendDefining([], [], 1, [...known.values()]);
  assert.equal((await stage.reopened()).lines.length, 3);
  await stage.scene.log.truncate(1, 0, [], [], known);
  assert.deepEqual(await sequencesOf(stage.scene), []);
  const lines = (await stage.reopened()).lines;
  assert.deepEqual(lines, ['metadata a gauge  x', 'metadata b gauge  x', 'metadata ä/ü gauge  x']);
  known.delete('a');
  known.set('b', of('b', 'y'));
  await stage.scene.log.truncate(1, 0, [], [], known);
  assert.deepEqual((await stage.reopened()).lines, ['metadata b gauge  y', 'metadata ä/ü gauge  x']);
});

rule('a damaged record cuts the log there, once, and nothing else is touched', async (stage) => {
  const { scene, disk } = stage;
  await scene.append([{ id: 1, t: 1 }]);
  await scene.log.truncate(1, 2, liveOf(1), []);
  const others = ['P', 'I', 'T'].map((kind) => Uint8Array.of(0, 1, kind.charCodeAt(0), 9));
  await scene.engine.write(
    others.map((key) => put(key, Uint8Array.of(1))),
    false,
  );
  await scene.engine.write([put(recordKey(2, { epoch: 1, sequence: 9 }), Uint8Array.of(1))], false);
  for (const t of [10, 20, 30, 40]) await scene.append([{ id: 1, t }]);
  disk.damage = damageOf(recordKey(1, { epoch: 1, sequence: 4 }));
  const sink = await stage.reopened();
  disk.damage = undefined;
  assert.deepEqual(sink.times, [10, 20]);
  assert.deepEqual(stage.scene.spy.lines, [
    'warn: Cutting the log at a damaged record; the records before it are kept',
  ]);
  assert.equal(await stage.scene.metric('torchring_tsdb_log_corruptions_total'), 1);
  assert.deepEqual(await sequencesOf(stage.scene), [2, 3]);
  for (const key of [...others, sealedKey(1), definitionsKey(1, 0), recordKey(2, { epoch: 1, sequence: 9 })])
    assert.ok((await stage.scene.engine.get(key)) !== undefined);
  await stage.scene.append([{ id: 1, t: 50 }]);
  assert.deepEqual((await stage.reopened()).times, [10, 20, 50]);
  assert.deepEqual(stage.scene.spy.lines, []);
});

rule('a record whose checksum is right and whose content is not cuts as well', async (stage) => {
  const { scene } = stage;
  await scene.append([{ id: 1, t: 1 }]);
  const { ByteWriter } = await import('../../base/index.ts');
  const writer = new ByteWriter();
  writer.raw(Uint8Array.of(1, 0, 1, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3));
  await scene.log.append(1, 5, writer);
  await scene.append([{ id: 1, t: 10 }]);
  assert.deepEqual((await stage.reopened()).times, [1]);
  assert.deepEqual(await sequencesOf(stage.scene), [1]);
});

rule('a damaged definition costs the samples of its series alone', async (stage) => {
  const { scene, disk } = stage;
  await scene.append([{ id: 1, t: 1 }]);
  await scene.log.truncate(1, 2, liveOf(1), []);
  await scene.append([{ id: 2, t: 1 }]);
  await scene.log.truncate(2, 2, liveOf(1, 2), []);
  await scene.append([
    { id: 1, t: 10 },
    { id: 2, t: 10, bits: 3n },
    { id: 3, t: 10 },
  ]);
  disk.damage = damageOf(definitionsKey(1, 0));
  const sink = await stage.reopened();
  assert.deepEqual(
    sink.lines.filter((line) => line.includes('@')),
    ['2 @10 0x3 epoch 1 record 3', '3 @10 0x3ff0000000000000 epoch 1 record 3'],
  );
  assert.equal(stage.scene.spy.lines.length, 2);
  assert.ok(stage.scene.spy.lines.every((line) => line.startsWith('error:')));
  assert.equal(await stage.scene.metric('torchring_tsdb_log_damaged_entries_total'), 1);
  assert.equal(await stage.scene.metric('torchring_tsdb_log_skipped_samples_total'), 1);
  assert.equal(stage.scene.log.nextId(), 4);
  // The disk was not to blame for good: nothing was thrown away.
  disk.damage = undefined;
  assert.deepEqual((await stage.reopened()).times, [10, 10, 10]);
});

rule('with the sealed state unreadable everything is replayed, and no id is given twice', async (stage) => {
  const { scene, disk } = stage;
  await scene.append([{ id: 1, t: 1 }]);
  await scene.append([{ id: 2, t: 30 }]);
  await scene.log.truncate(2, 20, liveOf(1, 2), []);
  disk.damage = damageOf(sealedKey(1));
  assert.deepEqual((await stage.reopened()).times, [1, 30]);
  assert.equal(stage.scene.log.nextId(), 3);
  assert.equal(await stage.scene.metric('torchring_tsdb_log_damaged_entries_total'), 1);
});

rule('unreadable metadata is said and left out', async (stage) => {
  const known = new Map([['a', { metric: 'a', type: 'gauge', unit: '', help: '' }]]);
  await stage.scene.log.truncate(0, 0, [], [], known);
  stage.disk.damage = damageOf(metadataKey(1, 'a'));
  assert.deepEqual((await stage.reopened()).lines, []);
  assert.equal(await stage.scene.metric('torchring_tsdb_log_damaged_entries_total'), 1);
});

rule('records of version 1 are read, and their series get ids that hold', async (stage) => {
  const { scene } = stage;
  const one = labelsOf(1).toRecord();
  const two = labelsOf(2).toRecord();
  const old = (epoch: number, sequence: number, ...rows: Row[]): KeyOperation => {
    const key = recordKey(1, { epoch, sequence });
    return put(key, batchFrame(key, batchOf(...rows)));
  };
  await scene.engine.write(
    [old(3, 1, [one, 10, 1], [two, 10, 1]), old(2, 2, [one, 5, 1]), old(3, 3, [two, 20, 1])],
    false,
  );
  const expected = [
    'define 1 metric{id="1"}',
    '1 @5 0x3ff0000000000000 epoch 2 record 2',
    'define 2 metric{id="2"}',
    '1 @10 0x3ff0000000000000 epoch 3 record 1',
    '2 @10 0x3ff0000000000000 epoch 3 record 1',
    '2 @20 0x3ff0000000000000 epoch 3 record 3',
  ];
  assert.deepEqual((await stage.reopened()).lines, expected);
  assert.deepEqual((await stage.reopened()).lines, expected);
  // A record of version 2 refers to a series that only version 1 named; its definition goes along.
  await stage.scene.appendDefining([], [{ id: 2, t: 30 }], 4);
  assert.equal((await keysIn(stage.scene.engine, LogKeyKind.Definition)).length, 1);
  await stage.scene.appendDefining([{ id: 3, labels: labelsOf(3) }], [{ id: 3, t: 30 }]);
  const sink = await stage.reopened();
  assert.deepEqual(sink.times, [5, 10, 10, 20, 30, 30]);
  assert.equal(sink.lines.filter((line) => line.startsWith('define')).length, 3);
  // Were its definition lost, the series of version 1 would get an id that nobody has.
  await stage.scene.engine.write([{ type: 'del', key: definitionsKey(1, 0) }], false);
  const again = await stage.reopened();
  assert.ok(again.lines.includes('define 4 metric{id="1"}'), again.lines.join('\n'));
  await stage.scene.log.truncate(3, 25, liveOf(2, 3), [4]);
  assert.deepEqual(await sequencesOf(stage.scene), [4, 5]);
  assert.deepEqual((await stage.reopened()).times, [30, 30]);
});

rule('everything of the shard is deleted, and it begins anew', async (stage) => {
  const { scene } = stage;
  await scene.append([{ id: 1, t: 10 }]);
  await scene.log.truncate(1, 5, liveOf(1), []);
  const other = recordKey(2, { epoch: 1, sequence: 1 });
  await scene.engine.write([put(other, Uint8Array.of(1))], false);
  // Under way when all is deleted: it must not leave anything behind.
  const truncating = scene.log.truncate(1, 20, liveOf(1), [1]);
  scene.log.beginDeleteAll();
  await scene.log.sweep();
  await truncating;
  assert.equal(await scene.engine.firstKey(shardRange(1)), undefined);
  assert.ok((await scene.engine.get(other)) !== undefined);
  assert.equal(scene.log.bytes, 0);
  assert.deepEqual([scene.log.sealed.floorMs, scene.log.checkpointId], [Number.NEGATIVE_INFINITY, 0]);
  await scene.append([{ id: 2, t: 3 }]);
  assert.deepEqual((await stage.reopened()).times, [3]);
});

rule('an engine that can not be read fails the replay, and cuts nothing', async (stage) => {
  await stage.scene.append([{ id: 1, t: 10 }]);
  stage.disk.damage = () => {
    throw diskError('EIO');
  };
  await assert.rejects(stage.reopened(), /Input\/output error/);
  stage.scene.log.forget();
  assert.equal(await stage.scene.metric('torchring_tsdb_log_bytes'), 0);
  stage.disk.damage = undefined;
  assert.deepEqual((await stage.reopened()).times, [10]);
});

rule(
  'a truncation that the disk refuses is done by the next one, and deletes nothing before',
  async (stage) => {
    const { scene, disk } = stage;
    for (let i = 0; i < 3; i++) await scene.append([{ id: i + 1, t: i }]);
    disk.refusal = diskError('ENOSPC');
    await assert.rejects(scene.log.truncate(3, 10, liveOf(1, 2, 3), []), { code: 'store_failed' });
    assert.deepEqual(await sequencesOf(scene), [1, 2, 3]);
    assert.equal(scene.log.records, 3);
    disk.refusal = undefined;
    scene.clock.advance(1000);
    const isWell = (): boolean =>
      scene.spy.lines.some((line) => line.startsWith('info: The disk takes data again'));
    while (!isWell()) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(await sequencesOf(scene), [1, 2, 3]);
    await scene.log.truncate(3, 10, liveOf(1, 2, 3), []);
    assert.deepEqual(await sequencesOf(scene), []);
    // What the refused one wrote late is not left beside what this one wrote.
    assert.equal((await keysIn(scene.engine, LogKeyKind.Definition)).length, 1);
    assert.equal((await stage.reopened()).lines.length, 3);
  },
);

test('definitions and the sealed state reach the disk before the first record goes', async () => {
  const disk = new MemoryDisk();
  const scene = await LogScene.open('', disk.openEngine);
  await scene.replay();
  for (let i = 0; i < 70; i++) await scene.append([{ id: i + 1, t: i }]);
  const before = disk.writes.length;
  await scene.log.truncate(70, 64, liveOf(...Array.from({ length: 6 }, (_, i) => i + 65)), [1, 2]);
  const kinds = disk.writes
    .slice(before)
    .flatMap(({ operations }) =>
      operations.map(({ type, key }) => type + String.fromCharCode(key[2] as number)),
    );
  assert.deepEqual(kinds, ['putS', 'putM', ...Array.from({ length: 64 }, () => 'delL')]);
});

test('records that the disk did not let go of are deleted by the next truncation', async () => {
  const disk = new MemoryDisk();
  const apply = disk.apply.bind(disk);
  let isRefusing = true;
  disk.apply = (operations, sync) => {
    if (isRefusing && operations.some(({ type, key }) => type === 'del' && key[2] === LogKeyKind.Record))
      throw diskError('EIO');
    apply(operations, sync);
  };
  const scene = await LogScene.open('', disk.openEngine);
  await scene.replay();
  await scene.append([{ id: 1, t: 1 }]);
  await assert.rejects(scene.log.truncate(1, 5, liveOf(1), []), { code: 'store_failed' });
  assert.equal(scene.log.records, 1);
  assert.equal(await scene.metric('torchring_tsdb_log_bytes'), scene.log.bytes);
  isRefusing = false;
  scene.clock.advance(1000);
  const isWell = (): boolean => scene.spy.lines.some((line) => line.startsWith('info: The disk takes'));
  while (!isWell()) await new Promise((resolve) => setImmediate(resolve));
  await scene.log.truncate(1, 5, liveOf(1), []);
  assert.equal(scene.log.records, 0);
  assert.deepEqual(await sequencesOf(scene), []);
});

test('definitions are written anew when half of them are of series that are no more', async () => {
  const disk = new MemoryDisk();
  let scene = await LogScene.open('', disk.openEngine);
  await scene.replay();
  const series = (from: number, to: number) =>
    liveOf(...Array.from({ length: to - from + 1 }, (_, i) => from + i));
  const groups = (): string[] => disk.keysIn(kindRange(1, LogKeyKind.Definition)).map((key) => key.slice(6));
  const truncate = (all: number, gone: readonly number[]): Promise<void> => {
    const isGone = new Set(gone);
    const live = series(scene.log.checkpointId + 1, all).filter(({ id }) => !isGone.has(id));
    return scene.log.truncate(scene.log.lastSequence, 1000, live, gone);
  };
  await scene.appendDefining(series(1, 6000), [{ id: 1, t: 1 }]);
  await truncate(6000, []);
  assert.equal(groups().length, Math.ceil(6000 / 128));
  const gone = Array.from({ length: 5000 }, (_, i) => i + 1);
  await truncate(6000, gone);
  assert.equal(groups().length, Math.ceil(6000 / 128));
  assert.equal(scene.log.checkpointId, 0);
  const live = series(5001, 6000);
  await scene.log.truncate(scene.log.lastSequence, 1000, live, []);
  assert.equal(scene.log.checkpointId, 6000);
  assert.equal(groups().length, Math.ceil(1000 / 128));
  assert.equal(groups()[0], (47).toString(16).padStart(8, '0'));
  scene = await LogScene.open('', disk.openEngine);
  const sink = new TextSink();
  await scene.replay(sink);
  assert.deepEqual(
    sink.lines,
    live.map(({ id, labels }) => `define ${id} ${labels}`),
  );
  assert.deepEqual([scene.log.checkpointId, scene.log.nextId()], [6000, 6001]);
});

test('groups of definitions are not written over after a restart', async () => {
  const disk = new MemoryDisk();
  const restarted = async (): Promise<[LogScene, TextSink]> => {
    const scene = await LogScene.open('', disk.openEngine);
    const sink = new TextSink();
    await scene.replay(sink);
    return [scene, sink];
  };
  for (const id of [1, 2, 3]) {
    const [scene] = await restarted();
    await scene.appendDefining(liveOf(id), [{ id, t: id }]);
    await scene.log.truncate(scene.log.lastSequence, 10, liveOf(id), []);
  }
  const [scene, { lines }] = await restarted();
  assert.equal(scene.log.records, 0);
  assert.deepEqual(
    lines,
    [1, 2, 3].map((id) => `define ${id} ${labelsOf(id)}`),
  );
});

test('definitions that a failing disk did not take along are written with what it takes next', async () => {
  const memory = new MemoryDisk();
  const key = recordKey(1, { epoch: 1, sequence: 1 });
  memory.apply([put(key, batchFrame(key, batchOf([labelsOf(1).toRecord(), 10, 1])))], true);
  const disk = new FaultyDisk(memory.openEngine);
  const scene = await LogScene.open('', disk.openEngine);
  await scene.replay();
  disk.refusal = diskError('EIO');
  await assert.rejects(scene.commit.write([put(Uint8Array.of(0, 9), Uint8Array.of())]));
  await assert.rejects(scene.appendDefining([], [{ id: 1, t: 20 }]));
  disk.refusal = undefined;
  scene.clock.advance(1000);
  const isWell = (): boolean => scene.spy.lines.some((line) => line.startsWith('info: The disk takes'));
  while (!isWell()) await new Promise((resolve) => setImmediate(resolve));
  await scene.appendDefining([], [{ id: 1, t: 30 }]);
  memory.apply([{ type: 'del', key }], true);
  const again = await LogScene.open('', disk.openEngine);
  const sink = new TextSink();
  await again.replay(sink);
  assert.deepEqual(sink.times, [30]);
});

test('metadata that is on the disk already is not written again', async () => {
  const disk = new MemoryDisk();
  const scene = await LogScene.open('', disk.openEngine);
  await scene.replay();
  const known = new Map([['a', { metric: 'a', type: 'gauge', unit: '', help: '' }]]);
  const writes = async (): Promise<number> => {
    const before = disk.writes.length;
    await scene.log.truncate(0, 0, [], [], known);
    return disk.writes.slice(before).flatMap(({ operations }) => operations).length;
  };
  assert.equal(await writes(), 2);
  assert.equal(await writes(), 1);
});
