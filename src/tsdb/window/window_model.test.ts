/**
 * A set of windows against a plain array: whatever is sealed, deleted, compacted, expired, re-opened or interrupted by
 * a crash between any two writes, both say the same.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Labels, Matcher, MatchType, matchesAll } from '../../model/index.ts';
import type { StoreEngine } from '../engine.ts';
import { printColumns } from '../testing/fixtures.ts';
import { MemoryDisk } from '../testing/memory_engine.ts';
import { joinedWindowMs, windowMs } from './limits.ts';
import { everything, inOrder, openSet } from './testing/fixtures.ts';
import type { WindowHeader } from './window_header.ts';
import type { WindowSet } from './window_set.ts';
import type { SealSeries } from './window_writer.ts';

const names = ['a', 'b', 'c'];
const bitPatterns = [0n, 0x8000000000000000n, 0x3ff0000000000000n, 0x7ff0000000000002n, 0x7ff8000000000001n];
const dayWindows = joinedWindowMs / windowMs;

interface Sample {
  readonly name: string;
  readonly zone: string;
  readonly t: number;
  readonly bits: bigint;
}

type Change =
  | {
      readonly kind: 'seal';
      readonly startMs: number;
      readonly epoch: number;
      readonly samples: readonly Sample[];
    }
  | {
      readonly kind: 'delete';
      readonly matchers: readonly Matcher[];
      readonly fromMs: number;
      readonly toMs: number;
    }
  | { readonly kind: 'compact' | 'expire'; readonly nowMs: number }
  | { readonly kind: 'dropOldest' };

/** After so many writes the disk fails; the set is opened again, or goes on. */
interface Crash {
  readonly kind: 'crash';
  readonly writes: number;
  readonly isKilled: boolean;
  readonly isPowerCut: boolean;
  readonly change: Change;
}

type Command = Change | Crash | { readonly kind: 'reopen' };

const window = fc.integer({ min: 0, max: 2 * dayWindows });
const offset = fc.constantFrom(0, 1, 2, 3, 5_000, windowMs - 1);
const sample: fc.Arbitrary<Sample> = fc.record({
  name: fc.constantFrom(...names),
  zone: fc.constantFrom('', 'x', 'y'),
  t: offset,
  bits: fc.constantFrom(...bitPatterns),
});
const matcher = fc
  .record({
    type: fc.constantFrom(...Object.values(MatchType)),
    name: fc.constantFrom('__name__', 'zone'),
    value: fc.constantFrom('a', 'x', '', 'a|b', '.+'),
  })
  .map(({ type, name, value }) => Matcher.create(type, name, value));
const matchers = fc.array(matcher, { minLength: 1, maxLength: 2 });
const time = fc.tuple(window, offset).map(([at, ms]) => at * windowMs + ms);
const sealed = fc
  .tuple(
    fc.oneof(window, fc.constantFrom(0, 1)),
    fc.integer({ min: 1, max: 3 }),
    fc.array(sample, { maxLength: 10 }),
  )
  .map(([at, epoch, samples]) => {
    const startMs = at * windowMs;
    const inWindow = samples.map((one) => ({ ...one, t: startMs + one.t }));
    return { kind: 'seal' as const, startMs, epoch, samples: distinct(inWindow) };
  });
const deletion = fc.tuple(matchers, time, time).map(([wanted, x, y]) => {
  return { kind: 'delete' as const, matchers: wanted, fromMs: Math.min(x, y), toMs: Math.max(x, y) };
});
const nowMs = window.map((at) => at * windowMs + windowMs * 2);
const changes: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: sealed },
  { weight: 2, arbitrary: deletion },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('compact' as const), nowMs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const), nowMs: time }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('dropOldest' as const) }) },
);
const crash: fc.Arbitrary<Crash> = fc.record({
  kind: fc.constant('crash' as const),
  writes: fc.integer({ min: 0, max: 3 }),
  isKilled: fc.boolean(),
  isPowerCut: fc.boolean(),
  change: changes,
});
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 10, arbitrary: changes },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  { weight: 4, arbitrary: crash },
);

function labelsOf({ name, zone }: Sample): Labels {
  return Labels.fromRecord({ __name__: name, zone });
}

interface Block {
  readonly id: string;
  readonly endMs: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly rows: readonly Sample[];
}

function idOf({ startMs, generation, sequence }: WindowHeader): string {
  return `${startMs}/${generation}/${sequence}`;
}

function endOf({ startMs, lengthMs }: WindowHeader): number {
  return startMs + lengthMs;
}

/** The slow and obvious set: blocks of rows, looked through whole. */
class ArrayModel {
  blocks: readonly Block[] = [];

  /** What stands where several blocks have a sample, as one list. */
  rows(blocks: readonly Block[] = this.blocks): Sample[] {
    const byPlace = new Map<string, Sample>();
    const byRank = [...blocks].sort((x, y) => x.epoch - y.epoch || y.sequence - x.sequence);
    for (const { rows } of byRank) for (const row of rows) byPlace.set(placeOf(row), row);
    return [...byPlace.values()];
  }

  delete(wanted: readonly Matcher[], fromMs: number, toMs: number): void {
    const isGone = (row: Sample): boolean =>
      row.t >= fromMs && row.t <= toMs && matchesAll(wanted, labelsOf(row));
    this.blocks = this.blocks.map((block) => ({ ...block, rows: block.rows.filter((row) => !isGone(row)) }));
  }

  /** The set has these windows now: what went away was joined to what came, or dropped, or `sealed` came. */
  follow(windows: readonly WindowHeader[], sealed: readonly Sample[]): Block[] {
    const gone = this.blocks.filter(({ id }) => !windows.some((header) => idOf(header) === id));
    const come = windows.filter((header) => !this.blocks.some(({ id }) => id === idOf(header)));
    assert.ok(come.length <= 1, 'a change makes one window');
    const kept = this.blocks.filter((block) => !gone.includes(block));
    const [header] = come;
    if (header === undefined) {
      this.blocks = kept;
      return gone;
    }
    const { epoch, sequence } = header;
    const rows = gone.length === 0 ? sealed : this.rows(gone);
    assert.equal(header.samples, rows.length);
    this.blocks = [...kept, { id: idOf(header), endMs: endOf(header), epoch, sequence, rows }];
    return gone;
  }

  print(wanted: readonly Matcher[], fromMs: number, toMs: number): string[] {
    const lines = new Map<string, { labels: Labels; samples: Sample[] }>();
    for (const row of this.rows()) {
      const labels = labelsOf(row);
      if (row.t < fromMs || row.t > toMs || !matchesAll(wanted, labels)) continue;
      const line = lines.get(labels.key());
      if (line === undefined) lines.set(labels.key(), { labels, samples: [row] });
      else line.samples.push(row);
    }
    return [...lines.values()]
      .sort((x, y) => x.labels.compare(y.labels))
      .map(({ labels, samples }) => {
        samples.sort((x, y) => x.t - y.t);
        return `${labels} ${samples.map(({ t, bits }) => `${t}=${bits.toString(16)}`).join(' ')}`;
      });
  }
}

function placeOf(one: Sample): string {
  return `${one.name}/${one.zone}/${one.t}`;
}

/** An engine that stops dead after so many more writes or clears. */
class StoppingEngine implements StoreEngine {
  readonly #engine: StoreEngine;
  left = Number.POSITIVE_INFINITY;

  constructor(engine: StoreEngine) {
    this.#engine = engine;
  }

  async #spend(): Promise<void> {
    if (this.left-- <= 0) throw new Error('stopped');
  }

  async write(...args: Parameters<StoreEngine['write']>): Promise<void> {
    await this.#spend();
    await this.#engine.write(...args);
  }

  async clear(...args: Parameters<StoreEngine['clear']>): Promise<void> {
    await this.#spend();
    await this.#engine.clear(...args);
  }

  get capabilities(): StoreEngine['capabilities'] {
    return this.#engine.capabilities;
  }

  get(...args: Parameters<StoreEngine['get']>): ReturnType<StoreEngine['get']> {
    return this.#engine.get(...args);
  }

  getMany(...args: Parameters<StoreEngine['getMany']>): ReturnType<StoreEngine['getMany']> {
    return this.#engine.getMany(...args);
  }

  approximateSize(
    ...args: Parameters<StoreEngine['approximateSize']>
  ): ReturnType<StoreEngine['approximateSize']> {
    return this.#engine.approximateSize(...args);
  }

  entries(...args: Parameters<StoreEngine['entries']>): ReturnType<StoreEngine['entries']> {
    return this.#engine.entries(...args);
  }

  firstKey(...args: Parameters<StoreEngine['firstKey']>): ReturnType<StoreEngine['firstKey']> {
    return this.#engine.firstKey(...args);
  }

  async close(): Promise<void> {}
}

function toSeries(samples: readonly Sample[]): SealSeries[] {
  const byKey = new Map<string, Sample[]>();
  for (const one of samples) {
    const key = labelsOf(one).key();
    byKey.set(key, [...(byKey.get(key) ?? []), one]);
  }
  const series = [...byKey.values()].map((list) => {
    list.sort((x, y) => x.t - y.t);
    const values = new Float64Array(BigUint64Array.from(list, ({ bits }) => bits).buffer);
    const times = Float64Array.from(list, ({ t }) => t);
    return { labels: labelsOf(list[0] as Sample), times, values, count: list.length };
  });
  return inOrder(series);
}

/** One sample for each instant: the last of those generated. */
function distinct(samples: readonly Sample[]): Sample[] {
  return [...new Map(samples.map((one) => [placeOf(one), one])).values()];
}

async function change(set: WindowSet, step: Change): Promise<void> {
  switch (step.kind) {
    case 'seal':
      await set.seal({ startMs: step.startMs, epoch: step.epoch, series: toSeries(step.samples) });
      return;
    case 'delete':
      return set.delete(step.matchers, step.fromMs, step.toMs);
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

/** Checks which blocks went away, once the model has followed. */
function checkGone(step: Change, before: readonly Block[], gone: readonly Block[], isWhole: boolean): void {
  const oldestMs = Math.min(...before.map(({ endMs }) => endMs));
  const isDue = ({ endMs }: Block): boolean =>
    step.kind === 'expire' ? endMs <= step.nowMs : step.kind === 'dropOldest' && endMs === oldestMs;
  if (step.kind === 'compact') return;
  const due = before.filter(isDue);
  if (isWhole || gone.length > 0) assert.deepEqual(gone, due);
}

class World {
  readonly disk = new MemoryDisk();
  readonly model = new ArrayModel();
  engine: StoppingEngine | undefined;
  set: WindowSet | undefined;

  async open(): Promise<WindowSet> {
    this.engine = new StoppingEngine(await this.disk.openEngine(''));
    this.set = await openSet(this.disk, { engine: this.engine });
    return this.set;
  }

  async run(step: Command): Promise<void> {
    const set = this.set ?? (await this.open());
    if (step.kind === 'reopen') {
      await set.settle();
      await this.open();
      this.model.follow(this.set?.windows() ?? [], []);
    } else if (step.kind === 'crash') {
      const { engine } = this;
      assert.ok(engine !== undefined);
      engine.left = step.writes;
      await this.#try(set, step.change);
      if (step.isPowerCut) this.disk.cutPower();
      if (step.isKilled || step.isPowerCut) await this.open();
      engine.left = Number.POSITIVE_INFINITY;
      await this.#followCrash(step.change);
    } else {
      const before = this.model.blocks;
      await change(set, step);
      if (step.kind === 'delete') this.model.delete(step.matchers, step.fromMs, step.toMs);
      const gone = this.model.follow(set.windows(), step.kind === 'seal' ? step.samples : []);
      checkGone(step, before, gone, true);
    }
  }

  async #try(set: WindowSet, step: Change): Promise<void> {
    try {
      await change(set, step);
    } catch (error) {
      assert.match(String(error), /stopped/);
    }
    await set.settle();
  }

  /** The interrupted change was made as a whole or not at all. */
  async #followCrash(step: Change): Promise<void> {
    const set = this.set as WindowSet;
    const before = this.model.blocks;
    const gone = this.model.follow(set.windows(), step.kind === 'seal' ? step.samples : []);
    checkGone(step, before, gone, false);
    if (step.kind !== 'delete') return;
    const now = printColumns(await set.select([], ...everything));
    if (now.join() === this.model.print([], ...everything).join()) return;
    this.model.delete(step.matchers, step.fromMs, step.toMs);
  }
}

test('a set of windows is what a plain array says, through every change, crash and failure', async () => {
  const query = fc.record({ matchers: fc.array(matcher, { maxLength: 2 }), fromMs: time, toMs: time });
  const property = fc.asyncProperty(fc.array(fc.tuple(command, query), { maxLength: 24 }), async (steps) => {
    const world = new World();
    for (const [step, { matchers: wanted, fromMs, toMs }] of steps) {
      await world.run(step);
      const set = world.set as WindowSet;
      const all = printColumns(await set.select([], ...everything));
      assert.deepEqual(all, world.model.print([], ...everything));
      const some = printColumns(await set.select(wanted, fromMs, toMs));
      assert.deepEqual(some, world.model.print(wanted, fromMs, toMs));
    }
    await world.set?.dropAll();
    await world.set?.settle();
    assert.deepEqual(world.disk.keys, []);
  });
  await fc.assert(property, {
    numRuns: Number(process.env['TORCHRING_MODEL_RUNS'] ?? 150),
  });
});
