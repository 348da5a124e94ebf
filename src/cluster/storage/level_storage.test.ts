import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { ClusterFormatError } from '../errors.ts';
import type { Entry, Persist } from '../raft/types.ts';
import { LevelStorage } from './level_storage.ts';

const folder = await mkdtemp(join(tmpdir(), 'torchring-control-'));
after(() => rm(folder, { recursive: true }));
const entry = (index: number, term: number): Entry => ({
  index,
  term,
  command: new Uint8Array([index, term]),
});

test('what was persisted is there after reopening: term, vote, entries, truncation, snapshot, birth', async () => {
  const path = join(folder, 'whole');
  const steps: Persist[] = [
    { hardState: { term: 1, vote: 'a' }, entries: [entry(1, 1), entry(2, 1), entry(3, 1)] },
    { hardState: { term: 2, vote: '' }, truncateFrom: 2, entries: [entry(2, 2)] },
    { snapshot: { lastIndex: 1, lastTerm: 1, state: new Uint8Array([9]) }, entries: [entry(3, 2)] },
  ];
  const first = await LevelStorage.open(path);
  assert.deepEqual(await first.load(), {
    hardState: { term: 0, vote: '' },
    snapshot: undefined,
    entries: [],
  });
  assert.equal(await first.loadBirth(), undefined);
  for (const step of steps) await first.persist(step);
  const birth = { group: { groupId: 'g', voters: ['a', 'b'], mayVote: true }, promise: undefined };
  await first.saveBirth(birth);
  await first.close();

  const second = await LevelStorage.open(path);
  const loaded = await second.load();
  assert.deepEqual(loaded.hardState, { term: 2, vote: '' });
  assert.equal(loaded.snapshot?.lastIndex, 1);
  assert.deepEqual(
    loaded.entries.map(({ index, term }) => [index, term]),
    [
      [2, 2],
      [3, 2],
    ],
  );
  assert.deepEqual(await second.loadBirth(), birth);
  // A snapshot from the leader replaces everything.
  await second.persist({
    snapshot: { lastIndex: 50, lastTerm: 3, state: new Uint8Array() },
    truncateFrom: 51,
    entries: [],
  });
  await second.persist({ entries: [entry(51, 3)] });
  await second.close();
  const third = await LevelStorage.open(path);
  assert.deepEqual(
    (await third.load()).entries.map(({ index }) => index),
    [51],
  );
  await third.close();
});

test('a rotten or missing record is refused by name, not voted with', async () => {
  const path = join(folder, 'rotten');
  const storage = await LevelStorage.open(path);
  await storage.persist({
    hardState: { term: 7, vote: 'a' },
    entries: [entry(1, 7), entry(2, 7), entry(3, 7)],
  });
  await storage.close();
  const raw = new ClassicLevel<string, Uint8Array>(path, { valueEncoding: 'view' });
  const key = 'entry/00000000000002';
  const whole = (await raw.get(key)) ?? new Uint8Array();
  await raw.put(key, whole.with(3, 255));
  await raw.close();
  const rotten = await LevelStorage.open(path);
  await assert.rejects(
    rotten.load(),
    (error) => error instanceof ClusterFormatError && /entry is damaged/.test(error.message),
  );
  await rotten.close();
  await raw.open();
  await raw.del(key);
  await raw.close();
  const missing = await LevelStorage.open(path);
  await assert.rejects(missing.load(), /misses entry 2/);
  await missing.close();
});
