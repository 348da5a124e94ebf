/**
 * The sealed windows of one shard: sealing, reading, deletion, compaction, retention. Changes come one after another;
 * readers work on the windows that were there when they began, whose keys stay until they are done. A window appears
 * with the write of its header and disappears with its deletion, each synced, so that after a crash there is the state before
 * a change or the one behind it.
 */
import type { Counter, Histogram } from 'prom-client';
import { assert, type Clock, errorText, type Logger } from '../../base/index.ts';
import type { FloatHistogram, Labels, Matcher, SeriesColumns } from '../../model/index.ts';
import type { Cardinality } from '../cardinality.ts';
import type { KeyOperation, StoreEngine } from '../engine.ts';
import type { ByteCache } from './byte_cache.ts';
import { countCardinality } from './cardinality.ts';
import { frameChunk, Section } from './chunk_frame.ts';
import { mergedStream, planCompaction } from './compaction.ts';
import { isDamage, WindowError, windowErrorCodes } from './errors.ts';
import { KeyKind, kindRange, tombstoneKey, type WindowId, windowKey } from './keys.ts';
import { type Listing, listNames, listSeries, listValues } from './label_lists.ts';
import { joinedWindowMs, tombstonesMax, windowMs } from './limits.ts';
import { SetGauges, type WindowMetrics } from './metrics.ts';
import { Pace } from './pace.ts';
import { SealedWindow } from './sealed_window.ts';
import { type Overlay, selectWindows } from './select_windows.ts';
import { type SnapshotEntry, snapshotEntries } from './snapshot.ts';
import { covers, createTombstone, encodeTombstone, type Tombstone } from './tombstone.ts';
import { type Catalog, type Generations, openCatalog } from './window_catalog.ts';
import type { WindowHeader } from './window_header.ts';
import { type SealPlan, type SeriesSource, WindowWriter } from './window_writer.ts';

/** What the sets of one store share. */
export interface WindowSetDeps {
  readonly engine: StoreEngine;
  readonly cache: ByteCache;
  readonly clock: Clock;
  readonly log: Logger;
  /** Lets other business of the thread run; called between slices of long work. */
  readonly breathe: () => Promise<void>;
  readonly metrics?: WindowMetrics;
}

export interface SealRequest {
  /** A multiple of `windowMs`; the window covers `windowMs` from there. */
  readonly startMs: number;
  /** The highest epoch under which the samples were written. */
  readonly epoch: number;
  /** In the order of `compareMetricFirst`, each once, within the window; undefined where there may be a pause. */
  readonly series: SeriesSource;
  /** Written in one with the window's header; alone when there is no sample. */
  readonly alongside?: readonly KeyOperation[];
}

/** One series of one window, as `exportSeries` gives it. */
export interface ExportedSeries {
  /** The highest epoch under which its samples were written. */
  readonly epoch: number;
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly histograms?: readonly (FloatHistogram | null)[] | undefined;
  readonly startTimes?: Float64Array | undefined;
}

interface SpanPlan {
  readonly startMs: number;
  readonly lengthMs: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly alongside: readonly KeyOperation[];
}

export interface WindowStats {
  readonly windows: number;
  /** Series of all windows, counted once for each. */
  readonly series: number;
  readonly samples: number;
  /** Pages and indexes on the disk. */
  readonly bytes: number;
  /** Infinity when there are no windows. */
  readonly minTimeMs: number;
  /** -Infinity when there are no windows. */
  readonly maxTimeMs: number;
  readonly tombstones: number;
  /** Windows that can't be read at all. */
  readonly damaged: number;
}

/** How long compaction leaves windows alone that it could not read. */
const blockedMs = 3_600_000;

export class WindowSet {
  readonly shard: number;
  readonly #deps: WindowSetDeps;
  #windows: readonly SealedWindow[] = [];
  #tombstones: readonly Tombstone[] = [];
  #generations: Generations;
  /** Of the window that was asked for last: what is deleted while a window waits for its turn must count that one. */
  #sequence = 0;
  /** Windows up to this sequence are dropped, or about to be. */
  #hiddenThrough = 0;
  /** Deletions that hold and may not be on the disk yet. */
  #unwritten: readonly Tombstone[] = [];
  #tombstoneNumber = 0;
  #damaged = 0;
  #changing: Promise<unknown> = Promise.resolve();
  #changes = 0;
  /** A write failed, so that what is on the disk is not known; it is read again before the next change. */
  #isUncertain = false;
  readonly #retiring = new Set<Promise<void>>();
  readonly #metrics: WindowMetrics | undefined;
  readonly #gauges: SetGauges;
  /** Windows that compaction could not read, and when it tries again. */
  readonly #blockedUntilMs = new WeakMap<SealedWindow, number>();

  private constructor(shard: number, deps: WindowSetDeps, generations: Generations) {
    this.shard = shard;
    this.#deps = deps;
    this.#generations = generations;
    this.#metrics = deps.metrics;
    this.#gauges = new SetGauges(deps.metrics);
  }

  /** Throws WindowError (`window_damaged`) when a deletion can't be read; windows that can't be are left out. */
  static async open(shard: number, deps: WindowSetDeps): Promise<WindowSet> {
    const catalog = await openCatalog(shard, deps.engine, deps.log);
    const set = new WindowSet(shard, deps, catalog.generations);
    set.#adopt(catalog);
    set.#tell();
    return set;
  }

  /** Seals one window; undefined when there was no sample. Rejects with what the engine or `series` threw. */
  seal(request: SealRequest): Promise<WindowHeader | undefined> {
    const { startMs, epoch, series, alongside = [] } = request;
    assert(startMs % windowMs === 0, `a window starts at ${startMs} ms, not at a multiple of ${windowMs}`);
    const span = { startMs, lengthMs: windowMs, epoch, alongside, sequence: ++this.#sequence };
    return this.#exclusively(() =>
      this.#timed(this.#metrics?.sealSeconds, () => this.#write(span, [], () => series)),
    );
  }

  /**
   * Series sorted by labels with samples in [fromMs, toMs]. `overlays` have passed matchers and range already; they are merged
   * as windows written after all others, to which no deletion applies, and share their buffers with the result. Which
   * windows are read is decided before this returns its promise. Throws WindowError (`window_damaged`).
   */
  select(
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
    overlays: readonly Overlay[] = [],
  ): Promise<SeriesColumns[]> {
    return this.#reading(fromMs, toMs, (windows, tombstones, pace) =>
      selectWindows(windows, tombstones, { matchers, fromMs, toMs, overlays }, pace),
    );
  }

  /**
   * Every series of every window, window by window in the order of time, without what was deleted; windows are those of the first
   * `next`. Samples of one instant may come several times: the higher epoch stands, and within one epoch the
   * first that comes. Throws WindowError (`window_damaged`).
   */
  async *exportSeries(): AsyncGenerator<ExportedSeries> {
    const tombstones = this.#tombstones;
    const windows = [...this.#shown].sort(
      (a, b) => a.header.startMs - b.header.startMs || a.header.sequence - b.header.sequence,
    );
    const pace = this.#pace();
    for (const { source } of windows) source.enter();
    try {
      for (const window of windows) {
        const { epoch } = window.header;
        for await (const series of mergedStream([window], tombstones, pace)) yield { epoch, ...series };
      }
    } catch (error) {
      this.#countDamage(error);
      throw error;
    } finally {
      for (const { source } of windows) source.leave();
    }
  }

  /**
   * Sorted label sets of series that have samples before and behind, or in, the range within one window. No page is read,
   * so a series with a gap around the whole range is listed too.
   */
  series(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<Labels[]> {
    return this.#listing(matchers, fromMs, toMs, listSeries);
  }

  /** Sorted names of the labels of `series(...)`. */
  labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<string[]> {
    return this.#listing(matchers, fromMs, toMs, listNames);
  }

  /** Sorted values that a label has in `series(...)`. */
  labelValues(name: string, matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<string[]> {
    return this.#listing(matchers, fromMs, toMs, (listing) => listValues(name, listing));
  }

  /** The most frequent metrics, labels and pairs of the newest window; undefined when there is no window. */
  async cardinality(topMax: number): Promise<Cardinality | undefined> {
    const newest = [...this.#shown].sort((a, b) => b.header.maxTimeMs - a.header.maxTimeMs)[0];
    if (newest === undefined) return undefined;
    return this.#holding([newest], (pace) => countCardinality(newest, topMax, pace));
  }

  /**
   * Deletes the samples of series that pass all matchers, between the times, both included, from what was sealed up to now.
   * Holds in memory before this returns its promise, and on the disk when that resolves. `write` is called at once with
   * what is to be written, or with nothing; when it fails, the deletion holds in memory and is to be written later.
   * Throws WindowError (`window_bad_deletion`, `window_tombstones_full`), and has called nothing then.
   */
  async delete(
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
    write: (operations: readonly KeyOperation[]) => Promise<void> = (operations) =>
      this.#deps.engine.write(operations, true),
  ): Promise<void> {
    // A window that is being written counts: it holds what was there before the deletion.
    const throughSequence = this.#sequence;
    const tombstone = createTombstone({
      number: ++this.#tombstoneNumber,
      matchers,
      fromMs,
      toMs,
      throughSequence,
    });
    const isNeeded = this.#changes > 0 || this.#windows.some(({ header }) => covers(tombstone, header));
    if (!isNeeded) return write([]);
    if (this.#tombstones.length >= tombstonesMax) {
      const reason = `${tombstonesMax} deletions wait for compaction`;
      throw new WindowError(windowErrorCodes.tombstonesFull, reason);
    }
    this.#tombstones = [...this.#tombstones, tombstone];
    this.#unwritten = [...this.#unwritten, tombstone];
    this.#tell();
    await write([this.#tombstonePut(tombstone)]);
    this.#unwritten = this.#unwritten.filter((one) => one !== tombstone);
  }

  #tombstonePut(tombstone: Tombstone): KeyOperation {
    const key = tombstoneKey(this.shard, tombstone.number);
    return { type: 'put', key, value: frameChunk(key, Section.Tombstone, encodeTombstone(tombstone)) };
  }

  /**
   * Rewrites the oldest group of windows that asks for it; false when none does. A group that can't be read is
   * reported by a WindowError once and left alone for an hour, so that the others have their turn.
   */
  compact(nowMs: number): Promise<boolean> {
    const sequence = ++this.#sequence;
    return this.#exclusively(async () => {
      await this.#forgetTombstones();
      const isBlocked = (window: SealedWindow): boolean =>
        (this.#blockedUntilMs.get(window) ?? nowMs) > nowMs;
      const group = planCompaction(this.#shown, this.#tombstones, nowMs, isBlocked);
      if (group.length === 0) return false;
      const isCleanup = group.some(({ header }) => this.#tombstones.some((one) => covers(one, header)));
      try {
        await this.#timed(this.#metrics?.compactionSeconds, () => this.#join(group, sequence), isCleanup);
      } catch (error) {
        this.#countDamage(error);
        if (isDamage(error)) for (const window of group) this.#blockedUntilMs.set(window, nowMs + blockedMs);
        throw error;
      }
      await this.#forgetTombstones();
      return true;
    });
  }

  /** Drops windows that hold nothing at or behind `floorMs`; gives their bytes. */
  dropBefore(floorMs: number): Promise<number> {
    const choose = (): SealedWindow[] => this.#windows.filter(({ endMs }) => endMs <= floorMs);
    return this.#drop(choose, this.#metrics?.timeRetentions);
  }

  /** Drops the windows that end first, and all that end with them; gives their bytes, 0 when there were none. */
  dropOldest(): Promise<number> {
    const choose = (): SealedWindow[] => this.#windows.filter(({ endMs }) => endMs === this.oldestEndMs);
    return this.#drop(choose, this.#metrics?.sizeRetentions);
  }

  /**
   * Drops everything, a window that is being written or waits to be too. Nobody reads it any more when this returns its
   * promise; on the disk it goes by one call of `write`, which is to be synced and may write more. When that fails all of
   * it is still on the disk, and the same is to be asked for again.
   */
  dropAll(
    write: (removals: readonly KeyOperation[]) => Promise<void> = (removals) =>
      this.#deps.engine.write(removals, true),
  ): Promise<void> {
    const throughSequence = this.#sequence;
    this.#hiddenThrough = throughSequence;
    return this.#exclusively(async () => {
      const gone = this.#windows.filter(({ header }) => header.sequence <= throughSequence);
      await this.#remove(gone, write);
      // One that a disk in trouble took late may be known to nobody any more.
      await this.#deps.engine.clear(kindRange(this.shard, KeyKind.Tombstone));
    });
  }

  /** Where the oldest window ends; Infinity when there is none. */
  get oldestEndMs(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#windows.map(({ endMs }) => endMs));
  }

  get #shown(): readonly SealedWindow[] {
    const through = this.#hiddenThrough;
    return through === 0 ? this.#windows : this.#windows.filter(({ header }) => header.sequence > through);
  }

  get bytes(): number {
    return this.#shown.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The windows, in no particular order. */
  windows(): readonly WindowHeader[] {
    return this.#shown.map(({ header }) => header);
  }

  stats(): WindowStats {
    const headers = this.windows();
    return {
      windows: headers.length,
      series: headers.reduce((sum, { series }) => sum + series, 0),
      samples: headers.reduce((sum, { samples }) => sum + samples, 0),
      bytes: this.bytes,
      minTimeMs: Math.min(Number.POSITIVE_INFINITY, ...headers.map(({ minTimeMs }) => minTimeMs)),
      maxTimeMs: Math.max(Number.NEGATIVE_INFINITY, ...headers.map(({ maxTimeMs }) => maxTimeMs)),
      tombstones: this.#tombstones.length,
      damaged: this.#damaged,
    };
  }

  /** The keys and values of the set as it is now, whatever changes meanwhile; headers last, as in writing. */
  async *snapshot(): AsyncGenerator<SnapshotEntry> {
    const windows = this.#shown;
    const tombstones = this.#tombstones;
    for (const { source } of windows) source.enter();
    try {
      yield* snapshotEntries(this.shard, windows, tombstones, this.#deps.engine);
    } finally {
      for (const { source } of windows) source.leave();
    }
  }

  /** Takes the set's part out of the metrics; it is not used any more. */
  forget(): void {
    this.#gauges.withdraw();
  }

  /** Resolves when no change and no clean-up is under way any more; readers must have left. */
  async settle(): Promise<void> {
    await this.#changing;
    await Promise.all(this.#retiring);
  }

  #adopt({ headers, tombstones, damaged }: Catalog): void {
    const known = new Map(this.#windows.map((window) => [nameOf(window.header), window]));
    // What is on the disk late is not there yet.
    const late = this.#unwritten.filter((one) => !tombstones.some(({ number }) => number === one.number));
    // A header that was read once is still right where it can't be read now.
    const kept = this.#windows.filter(({ header }) => damaged.some((id) => isSame(id, header)));
    const found = headers.map(
      (header) => known.get(nameOf(header)) ?? new SealedWindow(this.shard, header, this.#deps),
    );
    this.#windows = [...found, ...kept];
    this.#tombstones = [...tombstones, ...late];
    this.#damaged = damaged.length - kept.length;
    for (const { sequence } of headers) this.#sequence = Math.max(this.#sequence, sequence);
    for (const { number, throughSequence } of tombstones) {
      this.#sequence = Math.max(this.#sequence, throughSequence);
      this.#tombstoneNumber = Math.max(this.#tombstoneNumber, number);
    }
  }

  /** One change after the other. */
  #exclusively<T>(change: () => Promise<T>): Promise<T> {
    this.#changes++;
    const run = async (): Promise<T> => {
      try {
        await this.#ascertain();
        return await change();
      } finally {
        this.#changes--;
        this.#tell();
      }
    };
    const result = this.#changing.then(run, run);
    // The caller hears of a failure; the next change begins either way.
    this.#changing = result.catch(() => undefined);
    return result;
  }

  async #ascertain(): Promise<void> {
    if (!this.#isUncertain) return;
    await Promise.all(this.#retiring);
    const { engine, log } = this.#deps;
    // A write may have landed although it failed. What is served must not be lost with the power: a key that never is, deleted
    // in a synced write, brings everything before it to the disk.
    await engine.write([{ type: 'del', key: tombstoneKey(this.shard, 0) }], true);
    const catalog = await openCatalog(this.shard, engine, log);
    this.#generations = catalog.generations;
    this.#adopt(catalog);
    this.#isUncertain = false;
  }

  async #join(group: readonly SealedWindow[], sequence: number): Promise<void> {
    const startMs = Math.min(...group.map(({ header }) => header.startMs));
    const lengthMs = Math.max(...group.map(({ endMs }) => endMs)) - startMs;
    assert(lengthMs <= joinedWindowMs, `a window of ${lengthMs} ms is too long`);
    const epoch = Math.max(...group.map(({ header }) => header.epoch));
    const tombstones = this.#tombstones;
    for (const { source } of group) source.enter();
    try {
      await this.#write({ startMs, lengthMs, epoch, sequence, alongside: [] }, group, (pace) =>
        mergedStream(group, tombstones, pace),
      );
    } finally {
      for (const { source } of group) source.leave();
    }
  }

  async #timed<T>(seconds: Histogram | undefined, run: () => Promise<T>, isCleanup = false): Promise<T> {
    const beganMs = this.#deps.clock.monotonicMs();
    try {
      const result = await run();
      const spent = (this.#deps.clock.monotonicMs() - beganMs) / 1000;
      seconds?.observe(spent);
      if (isCleanup) this.#metrics?.tombstoneCleanupSeconds.observe(spent);
      return result;
    } catch (error) {
      this.#metrics?.compactionsFailed.inc();
      throw error;
    }
  }

  async #write(
    { alongside, ...span }: SpanPlan,
    replaced: readonly SealedWindow[],
    series: (pace: Pace) => SeriesSource,
  ): Promise<WindowHeader | undefined> {
    const { engine } = this.#deps;
    const generation = this.#generations.take(span.startMs);
    const plan: SealPlan = { ...span, shard: this.shard, generation };
    const pace = this.#pace();
    let header: WindowHeader | undefined;
    try {
      const removals = replaced.map((window) => this.#headerRemoval(window));
      header = await new WindowWriter(plan, engine, pace).write(series(pace), [...removals, ...alongside]);
    } catch (error) {
      this.#isUncertain = true;
      throw error;
    }
    if (header !== undefined) this.#metrics?.compactions.inc();
    const added = header === undefined ? [] : [new SealedWindow(this.shard, header, this.#deps)];
    this.#windows = [...this.#windows.filter((window) => !replaced.includes(window)), ...added];
    this.#retire(replaced);
    return header;
  }

  #drop(choose: () => readonly SealedWindow[], counter?: Counter): Promise<number> {
    return this.#exclusively(async () => {
      await this.#forgetTombstones();
      const gone = choose();
      if (gone.length === 0) return 0;
      const beganMs = this.#deps.clock.monotonicMs();
      await this.#remove(gone, (removals) => this.#deps.engine.write(removals, true));
      this.#metrics?.retentionSeconds.observe((this.#deps.clock.monotonicMs() - beganMs) / 1000);
      counter?.inc();
      return gone.reduce((sum, { bytes }) => sum + bytes, 0);
    });
  }

  async #remove(
    gone: readonly SealedWindow[],
    write: (removals: readonly KeyOperation[]) => Promise<void>,
  ): Promise<void> {
    try {
      await write(gone.map((window) => this.#headerRemoval(window)));
    } catch (error) {
      this.#isUncertain = true;
      throw error;
    }
    this.#windows = this.#windows.filter((window) => !gone.includes(window));
    this.#retire(gone);
    await this.#forgetTombstones();
  }

  #headerRemoval({ header }: SealedWindow): KeyOperation {
    return { type: 'del', key: windowKey(this.shard, KeyKind.Index, header, 0) };
  }

  /** Their keys go when their readers have left; what can't be deleted now is swept before the next change. */
  #retire(windows: readonly SealedWindow[]): void {
    for (const { source, header } of windows) {
      const retiring = source
        .retire()
        .catch((error: unknown) => {
          this.#isUncertain = true;
          const fields = { shard: this.shard, startMs: header.startMs, reason: errorText(error) };
          this.#deps.log.warn(fields, 'A dropped window is still on the disk; trying again later');
        })
        .finally(() => this.#retiring.delete(retiring));
      this.#retiring.add(retiring);
    }
  }

  /** Those that cover no window any more. */
  async #forgetTombstones(): Promise<void> {
    const done = this.#tombstones.filter(
      (tombstone) => !this.#windows.some(({ header }) => covers(tombstone, header)),
    );
    if (done.length === 0) return;
    const operations = done.map(
      ({ number }): KeyOperation => ({ type: 'del', key: tombstoneKey(this.shard, number) }),
    );
    await this.#deps.engine.write(operations, false);
    this.#tombstones = this.#tombstones.filter((tombstone) => !done.includes(tombstone));
    this.#unwritten = this.#unwritten.filter((tombstone) => !done.includes(tombstone));
  }

  #countDamage(error: unknown): void {
    if (isDamage(error)) this.#metrics?.damagedReads.inc();
  }

  #tell(): void {
    this.#gauges.tell(this.stats());
  }

  #pace(): Pace {
    return new Pace(this.#deps.clock, this.#deps.breathe);
  }

  #reading<T>(
    fromMs: number,
    toMs: number,
    read: (windows: readonly SealedWindow[], tombstones: readonly Tombstone[], pace: Pace) => Promise<T>,
  ): Promise<T> {
    const windows = this.#shown.filter((window) => window.overlaps(fromMs, toMs));
    const tombstones = this.#tombstones;
    return this.#holding(windows, (pace) => read(windows, tombstones, pace));
  }

  #listing<T>(
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
    list: (listing: Listing) => Promise<T>,
  ): Promise<T> {
    return this.#reading(fromMs, toMs, (windows, tombstones, pace) =>
      list({ windows, tombstones, matchers, fromMs, toMs, pace }),
    );
  }

  async #holding<T>(windows: readonly SealedWindow[], read: (pace: Pace) => Promise<T>): Promise<T> {
    for (const { source } of windows) source.enter();
    try {
      return await read(this.#pace());
    } catch (error) {
      this.#countDamage(error);
      throw error;
    } finally {
      for (const { source } of windows) source.leave();
      if (this.#metrics !== undefined) this.#deps.cache.report(this.#metrics);
    }
  }
}

function isSame(a: WindowId, b: WindowId): boolean {
  return a.startMs === b.startMs && a.generation === b.generation;
}

function nameOf({ startMs, generation, sequence }: WindowHeader): string {
  return `${startMs}/${generation}/${sequence}`;
}
