/** Frames of the pool under the group commit: none is given back while it may still be written, and none is kept for ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { seededRandom, silentLogger } from '../base/index.ts';
import { type FsyncPolicy, GroupCommit } from './group_commit.ts';
import { tsdbMetrics } from './metrics.ts';
import { ReopenableEngine } from './reopenable_engine.ts';
import { diskError, FaultyDisk } from './testing/faulty_disk.ts';
import { ManualClock } from './testing/fixtures.ts';
import { MemoryDisk } from './testing/memory_engine.ts';

const keyOf = (number: number): Uint8Array => Uint8Array.of(0, 1, number >> 8, number & 0xff);
const byteOf = (number: number): number => number % 251;
const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

async function openCommit(fsync: FsyncPolicy) {
  const memory = new MemoryDisk();
  const disk = new FaultyDisk(memory.openEngine);
  const clock = new ManualClock();
  const engine = await ReopenableEngine.open('', disk.openEngine);
  const metrics = tsdbMetrics(new Registry());
  const commit = new GroupCommit({ engine, path: '', fsync, clock, log: silentLogger, metrics });
  return { memory, disk, clock, engine, commit };
}

for (const fsync of ['always', 'interval', 'os'] as const) {
  test(`${fsync}: a frame keeps its bytes until it is written for good, whatever fails meanwhile`, async () => {
    const { memory, disk, clock, engine, commit } = await openCommit(fsync);
    const random = seededRandom(7);
    const live = new Set<Uint8Array>();
    const release = commit.frames.release.bind(commit.frames);
    commit.frames.release = (frame) => {
      if (!live.delete(frame)) return;
      // Whoever still looks at it finds nothing that it could take for its own.
      frame.fill(0xff);
      release(frame);
    };
    const acknowledged = new Set<number>();
    const direct: Promise<unknown>[] = [];
    for (let number = 0; number < 3000; number++) {
      const frame = commit.frames.take(1 + random.below(3000)).fill(byteOf(number));
      live.add(frame);
      void commit.write([{ type: 'put', key: keyOf(number), value: frame }]).then(
        () => acknowledged.add(number),
        () => undefined,
      );
      if (random.below(40) === 0) disk.refusal = diskError('ENOSPC');
      if (random.below(30) === 0) disk.tearAfter = random.below(3);
      if (random.below(20) === 0) direct.push(engine.write([], true).catch(() => undefined));
      if (random.below(3) === 0) await turn();
      while (commit.isInTrouble) {
        // What a failed sync may have lost.
        if (disk.refusal !== undefined) memory.cutPower();
        disk.refusal = undefined;
        clock.advance(30_000);
        await turn();
      }
      clock.advance(random.below(100));
    }
    disk.refusal = undefined;
    disk.tearAfter = undefined;
    await commit.write([], true);
    await Promise.all(direct);
    await commit.close();
    assert.ok(acknowledged.size > 2000, `${acknowledged.size} acknowledged`);
    for (const number of acknowledged) {
      const value = memory.value(Buffer.from(keyOf(number)).toString('hex'));
      // Without syncs a lost power takes what it takes.
      if (value === undefined && fsync === 'os') continue;
      assert.ok(
        value?.every((byte) => byte === byteOf(number)),
        `what was written as ${number}`,
      );
    }
    assert.equal(live.size, 0, 'all frames are back');
  });
}

test('two syncs past the queue, one within the other, forget nothing that came after they began', async () => {
  const { memory, disk, clock, engine, commit } = await openCommit('interval');
  const put = (number: number): Promise<void> =>
    commit.write([{ type: 'put', key: keyOf(number), value: Uint8Array.of(number) }]);
  await put(1);
  const gate = Promise.withResolvers<void>();
  const { promise } = gate;
  const held = [0, 1].map(async () => {
    const synced = engine.beforeSync?.();
    await promise;
    synced?.();
  });
  await put(2);
  gate.resolve();
  await Promise.all(held);
  disk.refusal = diskError('EIO');
  clock.advance(1000);
  await assert.rejects(put(3), { code: 'store_failed' });
  memory.cutPower();
  disk.refusal = undefined;
  while (commit.isInTrouble) {
    clock.advance(30_000);
    await turn();
  }
  assert.deepEqual(memory.value(Buffer.from(keyOf(2)).toString('hex')), Uint8Array.of(2));
  await commit.close();
});
