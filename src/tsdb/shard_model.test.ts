/** The shard against a plain array: whatever is appended, handed over, deleted, expired or re-opened, both say the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Labels, Matcher, MatchType, matchesAll, type WriteBatch } from '../model/index.ts';
import type { ShardStore } from './shard_store.ts';
import { openStoreDirectory } from './store_directory.ts';
import { ManualClock, storeOptions } from './testing/fixtures.ts';
import { MemoryDisk } from './testing/memory_engine.ts';

const retentionMs = 60;
const names = ['a', 'b', 'c', 'd'];
const bitPatterns = [0n, 0x8000000000000000n, 0x3ff0000000000000n, 0x7ff0000000000002n, 0x7ff8000000000001n];

interface Sample {
  readonly name: string;
  readonly t: number;
  readonly bits: bigint;
}

type Command =
  | {
      readonly kind: 'append';
      readonly samples: readonly Sample[];
      readonly epoch: number;
      readonly merge: boolean;
    }
  | { readonly kind: 'reopen' }
  | { readonly kind: 'losePower' }
  | { readonly kind: 'deleteAll' }
  | { readonly kind: 'expire' };

const sample = fc.record({
  name: fc.constantFrom(...names),
  t: fc.integer({ min: 0, max: 130 }),
  bits: fc.constantFrom(...bitPatterns),
});
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      samples: fc.array(sample, { minLength: 1, maxLength: 12 }),
      epoch: fc.integer({ min: 1, max: 3 }),
      merge: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('losePower' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deleteAll' as const) }) },
);

/** The slow and obvious shard. */
class ArrayModel {
  rows: (Sample & { epoch: number })[] = [];

  append(samples: readonly Sample[], epoch: number, merge: boolean, floor: number): string[] {
    return samples.map((one) => this.#appendOne(one, epoch, merge, floor));
  }

  #appendOne(one: Sample, epoch: number, merge: boolean, floor: number): string {
    if (one.t < floor) return 'tooOld';
    const series = this.rows.filter(({ name }) => name === one.name);
    const newest = Math.max(...series.map(({ t }) => t), Number.NEGATIVE_INFINITY);
    if (one.t < newest && !merge) return 'outOfOrder';
    const existing = series.find(({ t }) => t === one.t);
    if (existing === undefined) {
      this.rows.push({ ...one, epoch });
      return 'appended';
    }
    if (existing.bits === one.bits) return 'duplicates';
    if (!merge || epoch <= existing.epoch) return 'conflicts';
    this.rows[this.rows.indexOf(existing)] = { ...one, epoch };
    return 'appended';
  }

  print(): string[] {
    const rows = [...this.rows].sort((x, y) => (x.name === y.name ? x.t - y.t : x.name < y.name ? -1 : 1));
    return rows.map(({ name, t, bits }) => `${name} ${t} ${bits.toString(16)}`);
  }
}

function batchOfSamples(samples: readonly Sample[]): WriteBatch {
  return {
    series: names.map((name) => Labels.fromRecord({ name })),
    refs: Uint32Array.from(samples, ({ name }) => names.indexOf(name)),
    timestamps: Float64Array.from(samples, ({ t }) => t),
    values: new Float64Array(BigUint64Array.from(samples, ({ bits }) => bits).buffer),
  };
}

function printShard(shard: ShardStore): string[] {
  return shard
    .select([], Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
    .flatMap(({ labels, timestamps, values }) => {
      const bits = new BigUint64Array(values.slice().buffer);
      return Array.from(timestamps, (t, i) => `${labels.get('name')} ${t} ${bits[i]?.toString(16)}`);
    });
}

async function runCommands(commands: readonly Command[]): Promise<void> {
  const clock = new ManualClock(retentionMs);
  const disk = new MemoryDisk();
  const options = storeOptions({ openEngine: disk.openEngine, retentionMs, clock, fsync: 'always' });
  const model = new ArrayModel();
  let directory = await openStoreDirectory('', options);
  let shard = await directory.openShard(0);
  for (const command of commands) {
    const floor = clock.nowMs() - retentionMs;
    if (command.kind === 'append') {
      const { samples, epoch, merge } = command;
      const append = { epoch, nowMs: clock.nowMs(), bypassOutOfOrder: merge };
      const outcome = await shard.append(batchOfSamples(samples), append);
      const verdicts = model.append(samples, epoch, merge, floor);
      for (const verdict of ['appended', 'duplicates', 'outOfOrder', 'tooOld', 'conflicts'] as const) {
        assert.equal(outcome[verdict], verdicts.filter((one) => one === verdict).length, verdict);
      }
    } else if (command.kind === 'deleteAll') {
      await shard.deleteAll();
      model.rows = [];
    } else if (command.kind === 'expire') {
      clock.advance(10);
      await shard.enforceRetention(clock.nowMs());
      model.rows = model.rows.filter(({ t }) => t >= clock.nowMs() - retentionMs);
    } else {
      if (command.kind === 'losePower') disk.cutPower();
      else await directory.close();
      directory = await openStoreDirectory('', options);
      shard = await directory.openShard(0);
    }
    assert.deepEqual(printShard(shard), model.print());
    assert.equal(shard.stats().samples, model.rows.length);
    assert.equal(shard.stats().series, new Set(model.rows.map(({ name }) => name)).size);
  }
  await checkHandOver(shard, model);
  await directory.close();
}

/** An empty shard that is given the export has the same data, epochs included. */
async function checkHandOver(shard: ShardStore, model: ArrayModel): Promise<void> {
  const options = storeOptions({ openEngine: new MemoryDisk().openEngine });
  const receiver = await (await openStoreDirectory('', options)).openShard(0);
  for (const batch of shard.export(3)) {
    assert.ok(batch.refs.length <= 3);
    await receiver.append(batch, { epoch: batch.epoch, nowMs: 0, bypassOutOfOrder: true });
  }
  assert.deepEqual(printShard(receiver), model.print());
}

test('a shard says what a plain array says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 25 }), (commands) => runCommands(commands)),
    { numRuns: 300 },
  );
});

test('the index finds exactly the series that the matchers match', async () => {
  const value = fc.constantFrom('', 'x', 'y', 'xy', 'z');
  const labelSet = fc.record({ a: value, b: value, c: value });
  const matcher = fc
    .record({
      type: fc.constantFrom(...Object.values(MatchType)),
      name: fc.constantFrom('a', 'b', 'c', 'absent'),
      value: fc.constantFrom('', 'x', 'y', 'x|y', 'x.*', '.+', '.*', '|z', 'q'),
    })
    .map(({ type, name, value: text }) => Matcher.create(type, name, text));
  await fc.assert(
    fc.asyncProperty(
      fc.array(labelSet, { maxLength: 20 }),
      fc.array(matcher, { maxLength: 4 }),
      fc.nat({ max: 20 }),
      async (sets, matchers, expired) => {
        const options = storeOptions({ openEngine: new MemoryDisk().openEngine, retentionMs: 100 });
        const shard = await (await openStoreDirectory('', options)).openShard(0);
        // Series are made at times 0, 1, 2, ...; then the first `expired` of them go.
        for (const [t, set] of sets.entries()) {
          const batch = { series: [Labels.fromRecord(set)], refs: Uint32Array.of(0) };
          await shard.append(
            { ...batch, timestamps: Float64Array.of(t), values: Float64Array.of(1) },
            { epoch: 1, nowMs: 100 },
          );
        }
        await shard.enforceRetention(100 + expired);
        const alive = sets.slice(expired).map((set) => Labels.fromRecord(set));
        const unique = [...new Map(alive.map((labels) => [labels.key(), labels])).values()];
        const expected = unique.filter((labels) => matchesAll(matchers, labels)).sort((x, y) => x.compare(y));
        assert.deepEqual(shard.series(matchers, 0, 1000).map(String), expected.map(String));
      },
    ),
    { numRuns: 200 },
  );
});
