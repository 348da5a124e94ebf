/**
 * The log against a plain list of what was written, with a small head in between: whatever is appended, deleted, sealed and
 * truncated, however often the power is cut or a record damaged, what comes back is what the list says.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Labels, Matcher, MatchType, type WriteBatch } from '../../model/index.ts';
import { MemoryDisk } from '../testing/memory_engine.ts';
import { kindRange, LogKeyKind, parseRecordKey, recordKey, shardRange } from './keys.ts';
import type { NewSeries, RecordSink, ReplayColumns } from './record.ts';
import { batchFrame, LogScene } from './testing/scene.ts';

const names = ['a', 'b', 'c', 'd', 'e'];

interface Sample {
  readonly name: string;
  readonly t: number;
}

type Command =
  | { readonly kind: 'append'; readonly samples: readonly Sample[]; readonly epoch: number }
  | { readonly kind: 'fill'; readonly name: string; readonly records: number }
  | { readonly kind: 'delete'; readonly name: string; readonly fromMs: number; readonly toMs: number }
  | { readonly kind: 'seal'; readonly byMs: number; readonly truncate: boolean }
  | { readonly kind: 'sync' | 'reopen' | 'losePower' | 'deleteAll' }
  | { readonly kind: 'damage'; readonly at: number };

const sample = fc.record({ name: fc.constantFrom(...names), t: fc.integer({ min: 0, max: 60 }) });
const simple = fc.constantFrom('sync' as const, 'reopen' as const, 'losePower' as const);
const time = fc.integer({ min: 0, max: 200 });
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      samples: fc.array(sample, { minLength: 1, maxLength: 8 }),
      epoch: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('fill' as const),
      name: fc.constantFrom(...names),
      records: fc.integer({ min: 20, max: 70 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(...names), time, time).map(([name, a, b]) => ({
      kind: 'delete' as const,
      name,
      fromMs: Math.min(a, b),
      toMs: Math.max(a, b),
    })),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('seal' as const),
      byMs: fc.integer({ min: 0, max: 40 }),
      truncate: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: simple }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deleteAll' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('damage' as const), at: fc.nat() }) },
);
/** Records that version 1 left behind; none of their sequences is there twice. */
const oldRecords = fc.array(
  fc.record({
    epoch: fc.integer({ min: 1, max: 2 }),
    samples: fc.array(sample, { minLength: 1, maxLength: 3 }),
  }),
  { maxLength: 3 },
);

/** A sample that is in the head, with the record that it came by. */
interface Held extends Sample {
  readonly epoch: number;
  readonly sequence: number;
}

const print = (held: readonly Held[]): string[] =>
  held.map(({ name, t, epoch, sequence }) => `${name} @${t} epoch ${epoch} record ${sequence}`).sort();

const labelsOf = (name: string): Labels => Labels.fromRecord({ __name__: 'metric', name });
const nameMatcher = (name: string): Matcher => Matcher.create(MatchType.Equal, 'name', name);

/** All that a head has to remember of a log: which series has which id, and the samples. */
class SmallHead implements RecordSink {
  held: Held[] = [];
  readonly ids = new Map<string, number>();
  /** Ids that have no series (any more) and may have a definition. */
  gone: number[] = [];
  readonly #names = new Map<number, string>();
  readonly #unmade = new Set<number>();

  define(id: number, labels: Labels): void {
    assert.ok(!this.#names.has(id), `series ${id} is defined once`);
    this.#names.set(id, labels.get('name'));
    this.#unmade.add(id);
  }

  samples(epoch: number, { count, ids, times }: ReplayColumns, sequence: number): void {
    for (let i = 0; i < count; i++) {
      const id = ids[i] as number;
      const name = this.#names.get(id);
      assert.ok(name !== undefined, `series ${id} is defined`);
      this.#unmade.delete(id);
      this.ids.set(name, id);
      this.held.push({ name, t: times[i] as number, epoch, sequence });
    }
  }

  exemplar(): void {}

  metadata(): void {}

  deletion(matchers: readonly Matcher[], fromMs: number, toMs: number): void {
    this.held = without(this.held, matchers[0]?.value ?? '', fromMs, toMs);
  }

  /** To be called when the log has said all. */
  replayed(): void {
    this.gone.push(...this.#unmade);
    this.collect();
  }

  /** Series without samples are no more. */
  collect(): void {
    const alive = new Set(this.held.map(({ name }) => name));
    for (const [name, id] of this.ids) {
      if (alive.has(name)) continue;
      this.ids.delete(name);
      this.gone.push(id);
    }
  }
}

function without(held: readonly Held[], name: string, fromMs: number, toMs: number): Held[] {
  return held.filter((one) => one.name !== name || one.t < fromMs || one.t > toMs);
}

/** What the log must say, by the slow and obvious way: a list of all that happened. */
type Event =
  | { readonly kind: 'samples'; readonly sequence: number; readonly held: readonly Held[] }
  | {
      readonly kind: 'deletion';
      readonly sequence: number;
      readonly name: string;
      readonly fromMs: number;
      readonly toMs: number;
    };

interface Model {
  readonly events: readonly Event[];
  readonly floorMs: number;
  readonly throughSequence: number;
}

const emptyModel: Model = { events: [], floorMs: Number.NEGATIVE_INFINITY, throughSequence: 0 };

function heldBy({ events, floorMs, throughSequence }: Model): Held[] {
  let held: Held[] = [];
  for (const event of events) {
    if (event.kind === 'deletion') held = without(held, event.name, event.fromMs, event.toMs);
    else held.push(...event.held.filter(({ t }) => event.sequence > throughSequence || t >= floorMs));
  }
  return held;
}

/** The system under test, its head, and the models that may hold after a crash. */
class World {
  readonly #disk: MemoryDisk;
  #scene: LogScene;
  #head = new SmallHead();
  /** The last is now; the first is what is surely on the disk. */
  #models: Model[];

  private constructor(disk: MemoryDisk, scene: LogScene, model: Model) {
    this.#disk = disk;
    this.#scene = scene;
    this.#models = [model];
  }

  static async begin(old: readonly { epoch: number; samples: readonly Sample[] }[]): Promise<World> {
    const events = old.map((record, i): Event => {
      const sequence = i + 1;
      const held = record.samples.map((one) => ({ ...one, epoch: record.epoch, sequence }));
      return { kind: 'samples', sequence, held };
    });
    const disk = new MemoryDisk();
    for (const [i, { epoch, samples }] of old.entries()) {
      const key = recordKey(1, { epoch, sequence: i + 1 });
      disk.apply([{ type: 'put', key, value: batchFrame(key, batchOf(samples)) }], true);
    }
    const scene = await LogScene.open('', disk.openEngine, 'interval');
    const world = new World(disk, scene, { ...emptyModel, events });
    await world.#reopen();
    return world;
  }

  async run(command: Command): Promise<void> {
    switch (command.kind) {
      case 'append':
        return this.#append(command.samples, command.epoch);
      case 'fill':
        for (let i = 0; i < command.records; i++) await this.#append([{ name: command.name, t: i }], 1);
        return;
      case 'delete':
        return this.#delete(command);
      case 'seal':
        return this.#seal(command.byMs, command.truncate);
      case 'sync':
        await this.#scene.commit.write([]);
        return this.#sync();
      case 'reopen':
        await this.#scene.close();
        return this.#reopen();
      case 'losePower':
        this.#disk.cutPower();
        return this.#reopen();
      case 'deleteAll':
        this.#head = new SmallHead();
        this.#push(emptyModel);
        this.#scene.log.beginDeleteAll();
        await this.#scene.log.sweep();
        return this.#sync();
      case 'damage':
        return this.#damage(command.at);
    }
  }

  /** When nothing is unsealed and no series left, nothing is left of the log but its state and old definitions. */
  async end(): Promise<void> {
    await this.run({ kind: 'reopen' });
    await this.#seal(1000, true);
    await this.run({ kind: 'reopen' });
    await this.#seal(1000, true);
    const left = this.#disk.keysIn(shardRange(1)).filter((key) => !key.startsWith('000153'));
    assert.deepEqual(left, ['00014d66']);
    assert.equal(await this.#scene.metric('torchring_tsdb_log_bytes'), 0);
  }

  get #model(): Model {
    return this.#models.at(-1) as Model;
  }

  #push(model: Model): void {
    this.#models.push(model);
  }

  /** Makes the disk sync, as the interval policy does in its time. */
  async #sync(): Promise<void> {
    this.#scene.clock.advance(1000);
    await this.#scene.log.settled();
    await this.#scene.commit.write([]);
    this.#models = [this.#model];
  }

  async #open(): Promise<void> {
    this.#scene = await LogScene.open('', this.#disk.openEngine, 'interval');
    this.#head = new SmallHead();
    await this.#scene.replay(this.#head);
    assert.equal(await this.#scene.metric('torchring_tsdb_log_skipped_samples_total'), 0);
  }

  /** What comes back is what was there at some moment since the last sync. */
  async #reopen(): Promise<void> {
    await this.#open();
    const found = print(this.#head.held);
    const { floorMs, throughSequence } = this.#scene.log.sealed;
    const at = this.#models.findLastIndex(
      (model) =>
        model.floorMs === floorMs &&
        model.throughSequence === throughSequence &&
        print(heldBy(model)).join() === found.join(),
    );
    if (at < 0) assert.deepEqual(found, print(heldBy(this.#model)));
    this.#models = this.#models.slice(0, at + 1);
    this.#head.replayed();
    const records = this.#disk.keysIn(kindRange(1, LogKeyKind.Record));
    const sizes = records.map((key) => key.length / 2 + (this.#disk.value(key)?.length ?? 0));
    assert.equal(this.#scene.log.records, records.length);
    assert.equal(
      this.#scene.log.bytes,
      sizes.reduce((sum, size) => sum + size, 0),
    );
  }

  /** The times are counted from a little before the floor, so that there is always something to seal, and to keep. */
  async #append(drawn: readonly Sample[], epoch: number): Promise<void> {
    const fromMs = Math.max(this.#scene.log.sealed.floorMs, 0) - 10;
    const samples = drawn.map(({ name, t }) => ({ name, t: fromMs + t }));
    const newSeries: NewSeries[] = [];
    for (const { name } of samples) {
      if (this.#head.ids.has(name)) continue;
      const id = this.#scene.log.nextId();
      newSeries.push({ id, labels: labelsOf(name) });
      this.#head.ids.set(name, id);
    }
    const rows = samples.map(({ name, t }) => ({ id: this.#head.ids.get(name) as number, t }));
    const sequence = this.#scene.log.lastSequence + 1;
    const held = samples.map((one) => ({ ...one, epoch, sequence }));
    this.#head.held.push(...held);
    const events: Event[] = [...this.#model.events, { kind: 'samples', sequence, held }];
    this.#push({ ...this.#model, events });
    await this.#scene.appendKnown(newSeries, rows, epoch);
  }

  async #delete({ name, fromMs, toMs }: Command & { kind: 'delete' }): Promise<void> {
    const sequence = this.#scene.log.lastSequence + 1;
    const newestMs = Math.max(...this.#head.held.map(({ t }) => t));
    this.#head.deletion([nameMatcher(name)], fromMs, toMs);
    this.#head.collect();
    const events: Event[] = [...this.#model.events, { kind: 'deletion', sequence, name, fromMs, toMs }];
    this.#push({ ...this.#model, events });
    await this.#scene.appendDeletion([nameMatcher(name)], fromMs, toMs, newestMs);
  }

  async #seal(byMs: number, truncate: boolean): Promise<void> {
    const { log, commit } = this.#scene;
    const floorMs = Math.max(log.sealed.floorMs, 0) + byMs;
    const throughSequence = log.lastSequence;
    const operation = log.sealedOperation(floorMs, throughSequence);
    this.#push({ ...this.#model, floorMs, throughSequence });
    await commit.write([operation]);
    this.#head.held = this.#head.held.filter(({ t }) => t >= floorMs);
    this.#head.collect();
    if (!truncate) return this.run({ kind: 'reopen' });
    const { ids, gone } = this.#head;
    this.#head.gone = [];
    const live = [...ids].map(([name, id]) => ({ id, labels: labelsOf(name) }));
    await log.truncate(throughSequence, floorMs, live, gone);
  }

  /**
   * A record goes bad on the disk, which is then read anew. One behind the last deletion: were a deletion lost, its samples
   * might come back, or not, for want of a series.
   */
  async #damage(at: number): Promise<void> {
    await this.#sync();
    await this.#scene.close();
    const deletion = this.#model.events.findLast(({ kind }) => kind === 'deletion')?.sequence ?? 0;
    const sequenceOf = (key: string): number => parseRecordKey(Buffer.from(key, 'hex'))?.sequence ?? 0;
    const records = this.#disk.keysIn(kindRange(1, LogKeyKind.Record));
    const behind = records.filter((key) => sequenceOf(key) > deletion);
    const victim = behind[at % Math.max(behind.length, 1)];
    if (victim !== undefined) this.#disk.value(victim)?.fill(0xee, -3);
    const lost = new Set(records.filter((key) => victim !== undefined && key >= victim).map(sequenceOf));
    const events = this.#model.events.filter(({ sequence }) => !lost.has(sequence));
    this.#models = [{ ...this.#model, events }];
    await this.#reopen();
    await this.#sync();
  }
}

function batchOf(samples: readonly Sample[]): WriteBatch {
  return {
    series: samples.map(({ name }) => labelsOf(name)),
    refs: Uint32Array.from(samples.keys()),
    timestamps: Float64Array.from(samples, ({ t }) => t),
    values: new Float64Array(samples.length).fill(1),
  };
}

test('property: what comes back is what was written, up to some moment since the last sync', async () => {
  await fc.assert(
    fc.asyncProperty(oldRecords, fc.array(command, { maxLength: 30 }), async (old, commands) => {
      const world = await World.begin(old);
      for (const one of commands) await world.run(one);
      await world.end();
    }),
    { numRuns: 150 },
  );
});
