/**
 * Every value of a store on the disk, damaged or gone, one at a time: the store never answers with a sample that is not
 * there, serves what is not damaged or says what is, and goes on soundly afterwards.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError, errorText } from '../../base/index.ts';
import { Matcher, MatchType } from '../../model/index.ts';
import { batchOf, ManualClock, storeOptions } from '../testing/fixtures.ts';
import { MemoryDisk } from '../testing/memory_engine.ts';
import { printSamples, readAll, samplesOf } from '../testing/read_back.ts';
import { Sender } from '../testing/sample_sender.ts';
import { beginMs, hourMs, labelSets, type SampleSpec, tickMs } from '../testing/shard_commands.ts';
import type { OpenedStore } from '../testing/shard_world.ts';
import { LogSpy } from '../testing/trouble_suite.ts';
import type { ShardStore } from './shard_store.ts';
import { openStoreDirectory } from './store_directory.ts';

const number = 3;
const windowMs = 2 * hourMs;
/** Windows that the store has, the one in memory included. */
const windows = 5;
const nowMs = beginMs + windows * windowMs;
const fresh = { __name__: 'fresh' };

interface Damage {
  readonly name: string;
  readonly isGone?: boolean;
  readonly apply: (value: Uint8Array) => Uint8Array | undefined;
}

const flip = (at: (length: number) => number) => (value: Uint8Array) => {
  const i = at(value.length);
  const damaged = value.slice();
  if (i < damaged.length) damaged[i] = (damaged[i] as number) ^ 0x10;
  return damaged;
};
const damages: readonly Damage[] = [
  { name: 'a bit flipped in its first byte', apply: flip(() => 0) },
  { name: 'a bit flipped in its checksum', apply: flip(() => 2) },
  ...Array.from({ length: 7 }, (_, i) => ({
    name: `a bit flipped after ${i + 1} eighths of it`,
    apply: flip((length) => (length * (i + 1)) >> 3),
  })),
  { name: 'a bit flipped at its end', apply: flip((length) => length - 1) },
  { name: 'half of it', apply: (value) => value.slice(0, value.length >> 1) },
  { name: 'nothing in it', apply: () => new Uint8Array() },
  { name: 'nothing there', isGone: true, apply: () => undefined },
];

function openStore(disk: MemoryDisk, spy: LogSpy): Promise<OpenedStore> {
  const { openEngine } = disk;
  const clock = new ManualClock(nowMs);
  const retentionMs = 1000 * hourMs;
  const conditions = { openEngine, clock, retentionMs, outOfOrderWindowMs: 20 * hourMs, log: spy.logger };
  return openStoreDirectory('', storeOptions(conditions));
}

/** Gives all that was written. Sealed windows, some with late samples of a higher epoch, a deletion, an unsealed rest, series that are gone. */
async function populate(disk: MemoryDisk): Promise<string[]> {
  const written: string[] = [];
  const store = await openStore(disk, new LogSpy());
  const shard = await store.openShard(number);
  const sender = new Sender(labelSets);
  const append = async (atMs: number, specs: readonly SampleSpec[], epoch = 1): Promise<void> => {
    written.push(...printSamples(sender.samples(specs, atMs)));
    await shard.append(sender.batch(specs, atMs, epoch > 1), { epoch, nowMs, bypassOutOfOrder: epoch > 1 });
  };
  for (let t = beginMs; t < nowMs; t += 2 * tickMs) {
    const isLast = t >= nowMs - windowMs;
    const specs = [...labelSets.keys()]
      .filter((series) => !isLast || series < 3)
      .map((series) => ({ series, back: 0, value: (t / tickMs + series) % 9, start: series === 1 ? 1 : 0 }));
    await append(t, specs);
    await shard.maintain(t);
  }
  await append(beginMs + windowMs, [{ series: 0, back: 0, value: 3, start: 0 }], 2);
  await shard.maintain(nowMs);
  const matchers = [Matcher.create(MatchType.Equal, 'code', '200')];
  await shard.delete(matchers, beginMs + windowMs / 2, beginMs + windowMs + windowMs / 2);
  for (let t = nowMs; t < nowMs + 6 * tickMs; t += tickMs) {
    await append(t, [
      { series: 0, back: 0, value: 1, start: 0 },
      { series: 4, back: 0, value: 6, start: 0 },
    ]);
  }
  await shard.delete([Matcher.create(MatchType.Equal, 'Zone', 'x')], nowMs + tickMs, nowMs + 2 * tickMs);
  await store.close();
  return written;
}

function copyOf(disk: MemoryDisk): MemoryDisk {
  const copy = new MemoryDisk();
  for (const key of disk.keys) copy.set(key, (disk.value(key) as Uint8Array).slice());
  return copy;
}

/** Deleted samples come back when what deletes them is lost: with the log's end, or where nothing says that it was there. */
function isDeletionLost(kind: string, damage: Damage): boolean {
  return kind === 'L' || (kind === 'T' && damage.isGone === true);
}

class Examination {
  readonly #expected: ReadonlySet<string>;
  readonly #written: ReadonlySet<string>;

  constructor(expected: readonly string[], written: readonly string[]) {
    this.#expected = new Set(expected);
    this.#written = new Set(written);
  }

  /** Gives how many samples are missing. */
  check(found: readonly string[], mayReturn: boolean): number {
    let known = 0;
    for (const one of found) {
      if (this.#expected.has(one)) known++;
      else if (!one.startsWith('fresh')) {
        assert.ok(mayReturn && this.#written.has(one), `${one} is not in the store`);
      }
    }
    return this.#expected.size - known;
  }
}

async function examine(disk: MemoryDisk, exam: Examination, kind: string, damage: Damage): Promise<void> {
  const spy = new LogSpy();
  let store: OpenedStore | undefined;
  try {
    store = await openStore(disk, spy);
    const shard = await store.openShard(number);
    const mayReturn = isDeletionLost(kind, damage);
    const { found, refused } = await readWindows(shard);
    const missing = exam.check(found, mayReturn);
    const isSilent = damage.isGone === true;
    assert.ok(
      missing === 0 || refused.length > 0 || spy.lines.length > 0 || isSilent,
      `${missing} vanished silently`,
    );
    for (const error of refused) assertNamed(error);
    assert.ok(refused.length <= 1, `${refused.length} windows can't be read`);
    await goOn(shard);
    await store.close();
    store = await openStore(disk, spy);
    const again = await readWindows(await store.openShard(number));
    exam.check(again.found, mayReturn);
    const freshSeen = again.found.filter((one) => one.startsWith('fresh'));
    assert.ok(
      freshSeen.length >= 1 || again.refused.length > 0,
      'what was appended after the damage is there',
    );
  } catch (error) {
    assertNamed(error);
  } finally {
    await store?.close();
  }
}

async function goOn(shard: ShardStore): Promise<void> {
  const t = nowMs + 3 * hourMs;
  const outcome = await shard.append(batchOf([fresh, t, 1], [{ ...fresh, more: 'x' }, t, 1]), {
    epoch: 3,
    nowMs: t,
  });
  assert.equal(outcome.appended, 2);
}

function assertNamed(error: unknown): void {
  if (error instanceof CodedError && error.message.length > 10) return;
  throw error;
}

/** What can be read, window by window, and what can't. */
async function readWindows(shard: ShardStore): Promise<{ found: string[]; refused: unknown[] }> {
  const found: string[] = [];
  const refused: unknown[] = [];
  for (let from = beginMs; from < nowMs + 3 * windowMs; from += windowMs) {
    try {
      found.push(...printSamples(samplesOf(await shard.select([], from, from + windowMs - 1))));
      await shard.labelNames([], from, from + windowMs - 1);
    } catch (error) {
      refused.push(error);
    }
  }
  return { found, refused };
}

test('no damage to any value on the disk makes a wrong sample, or takes more than it names', async (t) => {
  const disk = new MemoryDisk();
  const written = await populate(disk);
  const store = await openStore(copyOf(disk), new LogSpy());
  const expected = printSamples(await readAll(await store.openShard(number)));
  await store.close();
  const byKind = Map.groupBy(disk.keys, kindOf);
  assert.deepEqual([...byKind.keys()].sort(), ['I', 'L', 'M', 'P', 'S', 'T', 'store']);
  for (const [kind, keys] of byKind) {
    await t.test(`${keys.length} values of kind ${kind}`, async () => {
      for (const key of keys) {
        for (const damage of damages) {
          const copy = copyOf(disk);
          const value = damage.apply(copy.value(key) as Uint8Array);
          if (value === undefined) copy.delete(key);
          else copy.set(key, value);
          try {
            await examine(copy, new Examination(expected, written), kind, damage);
          } catch (cause) {
            throw new Error(`${key} with ${damage.name}: ${errorText(cause)}`, { cause });
          }
        }
      }
    });
  }
});

/** The letter of a shard's key. */
function kindOf(key: string): string {
  return key.startsWith('ffff') ? 'store' : Buffer.from(key.slice(4, 6), 'hex').toString();
}
