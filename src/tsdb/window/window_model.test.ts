/**
 * A set of windows against a plain array: whatever is sealed, deleted, compacted, expired, re-opened, exported, laid over,
 * or interrupted by a crash, a failing or a lying disk, both say the same. While the disk lies the set may refuse, and after
 * the trouble everything acknowledged is right.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Matcher, MatchType } from '../../model/index.ts';
import type { KeyOperation, StoreEngine } from '../engine.ts';
import { diskError, FaultyDisk } from '../testing/faulty_disk.ts';
import { MemoryDisk } from '../testing/memory_engine.ts';
import { joinedWindowMs, windowMs } from './limits.ts';
import {
  ArrayModel,
  type Block,
  columnsOf,
  distinct,
  isIn,
  type Layer,
  printColumns,
  printExport,
  type Row,
  seriesOf,
} from './testing/array_model.ts';
import { everything, openSet } from './testing/fixtures.ts';
import type { WindowSet } from './window_set.ts';
import type { SealSeries } from './window_writer.ts';

const names = ['a', 'b', 'c'];
const bitPatterns = [0n, 0x8000000000000000n, 0x3ff0000000000000n, 0x7ff0000000000002n, 0x7ff8000000000001n];
const dayWindows = joinedWindowMs / windowMs;
/** Written in one with windows. */
const alongsideKey = new Uint8Array([0, 3, 0x4d, 1]);

interface Deletion {
  readonly matchers: readonly Matcher[];
  readonly fromMs: number;
  readonly toMs: number;
}

interface Sealing {
  readonly kind: 'seal';
  readonly startMs: number;
  readonly epoch: number;
  readonly rows: readonly Row[];
  /** Comes in the middle of it. */
  readonly deletion: Deletion | undefined;
}

type Change =
  | Sealing
  | ({ readonly kind: 'delete' } & Deletion)
  | { readonly kind: 'compact' | 'expire'; readonly nowMs: number }
  | { readonly kind: 'dropOldest' };

/** A change with the disk in trouble; the set is opened again, or goes on. */
interface Trouble {
  readonly kind: 'trouble';
  readonly change: Change;
  /** Writes that still succeed before the disk refuses all; then one that fails may have landed. */
  readonly writes: number;
  readonly lands: boolean;
  readonly after: 'goesOn' | 'isKilled' | 'losesPower';
}

/** Values under some keys come back damaged, or not at all, for as long as one change and a few questions take. */
interface Lie {
  readonly kind: 'lie';
  readonly salt: number;
  readonly change: Change;
}

type Command = Change | Trouble | Lie | { readonly kind: 'reopen' };

const window = fc.oneof(fc.integer({ min: 0, max: 2 * dayWindows }), fc.constantFrom(0, 1));
const offset = fc.constantFrom(0, 1, 2, 3, 5_000, windowMs - 1);
const row: fc.Arbitrary<Row> = fc
  .record({
    name: fc.constantFrom(...names),
    zone: fc.constantFrom('', 'x', 'y'),
    t: offset,
    bits: fc.constantFrom(...bitPatterns),
    start: fc.constantFrom(0, 0, 7, 8),
    histogram: fc.constantFrom(0, 0, 0, 1, 2),
  })
  .map((one) => (one.histogram > 0 ? { ...one, bits: 0n } : one));
const matcher = fc
  .record({
    type: fc.constantFrom(...Object.values(MatchType)),
    name: fc.constantFrom('__name__', 'zone'),
    value: fc.constantFrom('a', 'x', '', 'a|b', '.+'),
  })
  .map(({ type, name, value }) => Matcher.create(type, name, value));
const time = fc.tuple(window, offset).map(([at, ms]) => at * windowMs + ms);
const deletion: fc.Arbitrary<Deletion> = fc
  .tuple(fc.array(matcher, { minLength: 1, maxLength: 2 }), time, time)
  .map(([matchers, x, y]) => ({ matchers, fromMs: Math.min(x, y), toMs: Math.max(x, y) }));
const rowsAnywhere = fc
  .array(fc.tuple(window, row), { maxLength: 6 })
  .map((all) => distinct(all.map(([at, one]) => ({ ...one, t: at * windowMs + one.t }))));
const epoch = fc.integer({ min: 1, max: 3 });
const sealing: fc.Arbitrary<Sealing> = fc
  .record({
    at: window,
    epoch,
    rows: fc.array(row, { maxLength: 10 }),
    deletion: fc.option(deletion, { nil: undefined, freq: 4 }),
  })
  .map(({ at, rows, ...rest }) => {
    const startMs = at * windowMs;
    const inWindow = distinct(rows.map((one) => ({ ...one, t: startMs + one.t })));
    return { kind: 'seal' as const, startMs, rows: inWindow, ...rest };
  });
const nowMs = fc.integer({ min: 2, max: 5 * dayWindows }).map((at) => at * windowMs);
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: sealing },
  { weight: 2, arbitrary: deletion.map((one) => ({ kind: 'delete' as const, ...one })) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('compact' as const), nowMs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const), nowMs: time }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('dropOldest' as const) }) },
);
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 10, arbitrary: change },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('trouble' as const),
      writes: fc.integer({ min: 0, max: 3 }),
      lands: fc.boolean(),
      after: fc.constantFrom('goesOn' as const, 'isKilled' as const, 'losesPower' as const),
      change,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('lie' as const), salt: fc.nat({ max: 1000 }), change }),
  },
);
const question = fc.record({
  matchers: fc.array(matcher, { maxLength: 2 }),
  fromMs: time,
  toMs: time,
  overlays: fc.array(fc.record({ epoch, rows: rowsAnywhere }), { maxLength: 2 }),
});
type Question = typeof question extends fc.Arbitrary<infer T> ? T : never;

/** Puts the deletion between two series. */
async function* interrupted(
  series: readonly SealSeries[],
  interrupt: () => Promise<void>,
): AsyncGenerator<SealSeries> {
  const middle = series.length >> 1;
  yield* series.slice(0, middle);
  await interrupt();
  yield* series.slice(middle);
}

class World {
  readonly disk = new MemoryDisk();
  readonly faults: FaultyDisk = new FaultyDisk(this.disk.openEngine);
  readonly model = new ArrayModel();
  #engine: StoreEngine | undefined;
  #set: WindowSet | undefined;
  /** What lies, or will lie, beside the newest window. */
  #alongside = 0;
  /** Of deletions that were refused. */
  readonly #late: KeyOperation[] = [];

  async set(): Promise<WindowSet> {
    this.#set ??= await this.#open();
    return this.#set;
  }

  async #open(): Promise<WindowSet> {
    this.#engine = await this.faults.openEngine('');
    this.#set = await openSet(this.disk, { engine: this.#engine });
    return this.#set;
  }

  async run(step: Command): Promise<void> {
    const set = await this.set();
    if (step.kind === 'reopen') {
      await set.settle();
      await this.#open();
      this.model.follow((await this.set()).windows(), []);
    } else if (step.kind === 'trouble') await this.#inTrouble(set, step);
    else if (step.kind === 'lie') await this.#lying(set, step);
    else {
      const before = this.model.blocks;
      await this.#change(set, step);
      await this.#follow(step, before, true);
    }
  }

  async #change(set: WindowSet, step: Change): Promise<void> {
    switch (step.kind) {
      case 'seal': {
        const { startMs, epoch: under, rows, deletion: gone } = step;
        const all = seriesOf(rows);
        const interrupt = async (): Promise<void> => {
          if (gone !== undefined) await this.#delete(set, gone);
        };
        const value = new Uint8Array([++this.#alongside & 0xff]);
        const alongside = [{ type: 'put' as const, key: alongsideKey, value }];
        await set.seal({ startMs, epoch: under, series: interrupted(all, interrupt), alongside });
        return;
      }
      case 'delete':
        return this.#delete(set, step);
      case 'compact':
        await set.compact(step.nowMs);
        return;
      case 'expire':
        await set.dropBefore(step.nowMs);
        return;
      case 'dropOldest':
        await set.dropOldest();
        return;
    }
  }

  /** As the store's group commit writes: what the disk refuses is written when the trouble ends. */
  #delete(
    set: WindowSet,
    { matchers, fromMs, toMs }: Pick<Deletion, 'matchers' | 'fromMs' | 'toMs'>,
  ): Promise<void> {
    const engine = this.#engine as StoreEngine;
    return set.delete(matchers, fromMs, toMs, async (operations) => {
      this.#late.push(...operations);
      await engine.write(operations, true);
      this.#late.length = 0;
    });
  }

  /** After a change that was made as a whole (`isWhole`), or as a whole or not at all. */
  async #follow(step: Change, before: readonly Block[], isWhole: boolean): Promise<void> {
    const set = await this.set();
    const { gone, hasCome } = this.model.follow(set.windows(), step.kind === 'seal' ? step.rows : []);
    checkGone(step, before, gone, isWhole);
    if (step.kind === 'seal' && (hasCome || isWhole)) {
      assert.deepEqual(await this.#engine?.get(alongsideKey), new Uint8Array([this.#alongside & 0xff]));
      if (step.rows.length > 0) assert.ok(hasCome);
    } else if (step.kind === 'seal' && step.rows.length > 0) {
      assert.notDeepEqual(await this.#engine?.get(alongsideKey), new Uint8Array([this.#alongside & 0xff]));
    }
    const deleted = step.kind === 'seal' ? step.deletion : step.kind === 'delete' ? step : undefined;
    if (deleted === undefined) return;
    if (!isWhole) {
      const now = printColumns(await set.select([], ...everything));
      if (now.join() === this.model.print([], ...everything).join()) return;
    }
    this.model.delete(deleted.matchers, deleted.fromMs, deleted.toMs);
  }

  async #inTrouble(set: WindowSet, step: Trouble): Promise<void> {
    const before = this.model.blocks;
    let left = step.writes;
    // Every write passes the gate first.
    Object.defineProperty(this.faults, 'gate', {
      configurable: true,
      get: () => {
        if (left-- > 0) return undefined;
        if (step.lands && left === -1) this.faults.tearAfter = Number.POSITIVE_INFINITY;
        else this.faults.refusal = diskError('ENOSPC');
        return undefined;
      },
    });
    let isWhole = false;
    try {
      await this.#change(set, step.change);
      isWhole = true;
    } catch (error) {
      assert.match(String(error), /No space|Input\/output/);
    }
    await set.settle();
    Object.defineProperty(this.faults, 'gate', { configurable: true, value: undefined, writable: true });
    this.faults.refusal = undefined;
    this.faults.tearAfter = undefined;
    if (step.after === 'losesPower') this.disk.cutPower();
    // What a killed process had written reaches the disk some time later.
    if (step.after === 'isKilled') this.disk.apply([], true);
    if (step.after === 'goesOn') await this.#engine?.write(this.#late, true);
    this.#late.length = 0;
    if (step.after !== 'goesOn') await this.#open();
    // What is on the disk is looked at before the next change.
    else await set.dropBefore(Number.NEGATIVE_INFINITY);
    await this.#follow(step.change, before, isWhole);
  }

  async #lying(set: WindowSet, step: Lie): Promise<void> {
    const before = this.model.blocks;
    this.faults.damage = (key, value) => {
      const kind = key[2];
      const hash = (key.reduce((sum, byte) => sum * 31 + byte, step.salt) >>> 3) % 4;
      if ((kind !== 0x49 && kind !== 0x50) || hash > 0) return value;
      const isHeader = kind === 0x49 && key.subarray(10).every((byte) => byte === 0);
      if (step.salt % 2 === 1 && !isHeader) return undefined;
      const damaged = value.slice();
      damaged[step.salt % value.length] = (damaged[step.salt % value.length] as number) ^ 0x10;
      return damaged;
    };
    const expected = this.model.print([], ...everything);
    await this.#refusedOr(async () =>
      assert.deepEqual(printColumns(await set.select([], ...everything)), expected),
    );
    await this.#refusedOr(async () => assert.deepEqual(await printExport(set.exportSeries()), expected));
    const isWhole = await this.#refusedOr(() => this.#change(set, step.change));
    this.faults.damage = undefined;
    await this.#follow(step.change, before, isWhole);
  }

  async #refusedOr(run: () => Promise<void>): Promise<boolean> {
    try {
      await run();
      return true;
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'window_damaged', String(error));
      return false;
    }
  }

  async check({ matchers, fromMs, toMs, overlays }: Question): Promise<void> {
    const set = await this.set();
    const expected = this.model.print([], ...everything);
    assert.deepEqual(printColumns(await set.select([], ...everything)), expected);
    const over = overlays.map(({ rows, ...rest }) => {
      return { ...rest, rows: rows.filter((one) => isIn(one, matchers, fromMs, toMs)) };
    });
    const layers = over.map((one): Layer => ({ ...one, sequence: Number.POSITIVE_INFINITY }));
    const asked = over.map(({ rows, ...rest }) => ({ ...rest, columns: columnsOf(rows) }));
    const found = await set.select(matchers, fromMs, toMs, asked);
    assert.deepEqual(printColumns(found), this.model.print(matchers, fromMs, toMs, layers));
    assert.deepEqual(await printExport(set.exportSeries()), expected);
  }
}

/** Checks which blocks went away, once the model has followed. */
function checkGone(step: Change, before: readonly Block[], gone: readonly Block[], isWhole: boolean): void {
  const oldestMs = Math.min(...before.map(({ endMs }) => endMs));
  const isDue = ({ endMs }: Block): boolean =>
    step.kind === 'expire' ? endMs <= step.nowMs : step.kind === 'dropOldest' && endMs === oldestMs;
  if (step.kind === 'compact') return;
  const due = before.filter(isDue);
  if (isWhole || gone.length > 0) assert.deepEqual(gone, due);
}

test('a set of windows is what a plain array says, through every change, crash and trouble', async () => {
  const steps = fc.array(fc.tuple(command, question), { maxLength: 24 });
  const property = fc.asyncProperty(steps, async (all) => {
    const world = new World();
    for (const [step, asked] of all) {
      await world.run(step);
      await world.check(asked);
    }
    const set = await world.set();
    await set.dropAll();
    await set.settle();
    const alongside = Buffer.from(alongsideKey).toString('hex');
    assert.deepEqual(
      world.disk.keys.filter((key) => key !== alongside),
      [],
    );
  });
  await fc.assert(property, {
    numRuns: Number(process.env['TORCHRING_MODEL_RUNS'] ?? 150),
  });
});
