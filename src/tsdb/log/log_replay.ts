/**
 * One reading of a shard's log: how far it is sealed, what ids stand for, then record after record in the order in which
 * they were written. A sample that is sealed is left out; so is one whose series can't be told any more, and those are
 * counted: no sample is ever given to another series. Reading ends at the first record that can't be trusted.
 */
import { ByteFormatError, type Logger } from '../../base/index.ts';
import type { BatchMetadata, Labels } from '../../model/index.ts';
import type { StoreEngine } from '../engine.ts';
import type { NewSeries } from './definitions.ts';
import { batchFrameVersion, decodeFrame } from './frame.ts';
import { IdSet } from './id_set.ts';
import {
  kindRange,
  LogKeyKind,
  metadataRange,
  parseDefinitionsKey,
  parseRecordKey,
  type RecordPosition,
  sealedKey,
} from './keys.ts';
import type { LogMetrics } from './metrics.ts';
import type { RecordSink } from './record.ts';
import type { RecordBlocks } from './record_blocks.ts';
import { type LogRecord, type RecordColumns, RecordReader, type SamplesRecord } from './record_reader.ts';
import {
  initialState,
  type LogState,
  readDefinitionsValue,
  readMetadataValue,
  readState,
  type Sealed,
} from './state.ts';

export interface ReplayDeps {
  readonly shard: number;
  readonly engine: StoreEngine;
  readonly sink: RecordSink;
  readonly metrics: LogMetrics;
  readonly log: Logger;
}

/** Where the log is to be cut, and why. */
export interface Cut {
  readonly key: Uint8Array;
  readonly position: RecordPosition | undefined;
  readonly reason: string;
}

export class LogReplay {
  readonly #deps: ReplayDeps;
  /** Where the records that are read are noted. */
  readonly #blocks: RecordBlocks;
  readonly #reader = new RecordReader();
  readonly #known = new IdSet();
  readonly #lost = new LostSamples();
  #state: LogState = initialState;
  #lastSequence = 0;
  #keyEpoch = 0;
  /** Groups of definitions: the numbers of the first and of the next, and how many series all have. */
  #firstGroup: number | undefined;
  #nextGroup = 0;
  #definitionCount = 0;
  #newestMs = Number.NEGATIVE_INFINITY;
  /** Ids by labels, for records that name series by those; made when the first is met. */
  #ids: Map<string, number> | undefined;
  readonly #undefinedOnDisk: NewSeries[] = [];
  readonly #metadata = new Map<string, BatchMetadata>();
  #damaged = 0;
  #damageText = '';
  #cut: Cut | undefined;

  constructor(deps: ReplayDeps, blocks: RecordBlocks) {
    this.#deps = deps;
    this.#blocks = blocks;
  }

  /** With the next id behind all that were met. */
  get state(): LogState {
    return this.#state;
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** The highest epoch of a key. */
  get keyEpoch(): number {
    return this.#keyEpoch;
  }

  /** Of definitions outside of records, as are the next two. */
  get firstGroup(): number {
    return this.#firstGroup ?? 0;
  }

  get nextGroup(): number {
    return this.#nextGroup;
  }

  get definitionCount(): number {
    return this.#definitionCount;
  }

  /** Series that got their ids now, and whose definitions are in no record. */
  get undefinedOnDisk(): readonly NewSeries[] {
    return this.#undefinedOnDisk;
  }

  /** What is known of metrics outside of records. */
  get metadata(): Map<string, BatchMetadata> {
    return this.#metadata;
  }

  get cut(): Cut | undefined {
    return this.#cut;
  }

  /** `begin` hears of the sealed state before the sink hears of anything. Rejects with what the engine or the sink throws. */
  async run(begin?: (sealed: Sealed) => void): Promise<void> {
    await this.#readState();
    begin?.(this.#state);
    await this.#readMetadata();
    await this.#readDefinitions();
    await this.#readRecords();
    this.#report();
  }

  async #readState(): Promise<void> {
    const { engine, shard } = this.#deps;
    const key = sealedKey(shard);
    const value = await engine.get(key);
    if (value === undefined) return;
    this.#undamaged(key, () => {
      this.#state = readState(key, value);
      this.#lastSequence = Math.max(this.#state.throughSequence, this.#state.deletedThrough);
    });
  }

  async #readMetadata(): Promise<void> {
    const { engine, shard, sink } = this.#deps;
    for await (const [key, value] of engine.entries(metadataRange(shard))) {
      const metadata = this.#undamaged(key, () => readMetadataValue(key, value));
      if (metadata === undefined) continue;
      this.#metadata.set(metadata.metric, metadata);
      sink.metadata(metadata);
    }
  }

  async #readDefinitions(): Promise<void> {
    for await (const [key, value] of this.#definitions()) {
      const series = this.#undamaged(key, () => {
        const number = parseDefinitionsKey(key);
        if (number === undefined) throw new ByteFormatError('its key is not one of definitions');
        this.#firstGroup ??= number;
        this.#nextGroup = Math.max(this.#nextGroup, number + 1);
        return readDefinitionsValue(key, value);
      });
      for (const { id, labels } of series ?? []) {
        this.#definitionCount++;
        this.#meet(id);
        this.#define(id, labels);
      }
    }
  }

  #definitions(): AsyncIterable<readonly [Uint8Array, Uint8Array]> {
    return this.#deps.engine.entries(kindRange(this.#deps.shard, LogKeyKind.Definition));
  }

  #records(): AsyncIterable<readonly [Uint8Array, Uint8Array]> {
    return this.#deps.engine.entries(kindRange(this.#deps.shard, LogKeyKind.Record));
  }

  async #readRecords(): Promise<void> {
    for await (const [key, value] of this.#records()) {
      const position = parseRecordKey(key);
      if (position !== undefined && position.sequence <= this.#state.deletedThrough) {
        // Goes with the next records that do.
        this.#keyEpoch = Math.max(this.#keyEpoch, position.epoch);
        this.#blocks.add(position, Number.NEGATIVE_INFINITY, key.length + value.length);
        continue;
      }
      const frame = decodeFrame(key, value);
      if (frame.ok && frame.version === batchFrameVersion) this.#ids ??= await this.#idsByLabels();
      const result = this.#read(position, frame);
      if (typeof result === 'string') {
        this.#cut = { key: key.slice(), position, reason: result };
        return;
      }
      const { record, at } = result;
      this.#note(record, at, key.length + value.length);
      this.#deliver(record, at.sequence);
    }
  }

  /** The record, or why it can't be one. */
  #read(
    position: RecordPosition | undefined,
    frame: ReturnType<typeof decodeFrame>,
  ): { readonly record: LogRecord; readonly at: RecordPosition } | string {
    if (position === undefined) return 'its key is not one of a log record';
    if (!frame.ok) return frame.reason;
    try {
      const record =
        frame.version === batchFrameVersion
          ? this.#reader.readBatch(frame.payload, position.epoch, (labels) => this.#idOf(labels))
          : this.#reader.read(frame.payload);
      return { record, at: position };
    } catch (error) {
      if (error instanceof ByteFormatError) return error.message;
      throw error;
    }
  }

  #note(record: LogRecord, position: RecordPosition, bytes: number): void {
    this.#lastSequence = Math.max(this.#lastSequence, position.sequence);
    this.#keyEpoch = Math.max(this.#keyEpoch, position.epoch);
    // A deletion is needed for as long as anything older than its end may be in a record before it.
    const newestMs = record.kind === 'samples' ? record.newestMs : Math.min(record.toMs, this.#newestMs);
    this.#newestMs = Math.max(this.#newestMs, newestMs);
    this.#blocks.add(position, newestMs, bytes);
  }

  #deliver(record: LogRecord, sequence: number): void {
    const { sink } = this.#deps;
    if (record.kind === 'deletion') {
      this.#lost.deleted(record.fromMs, record.toMs);
      sink.deletion(record.matchers, record.fromMs, record.toMs);
      return;
    }
    this.#meet(record.highestId);
    for (const { id, labels } of record.definitions) this.#define(id, labels);
    this.#leaveOut(record, sequence);
    if (record.columns.count > 0) sink.samples(record.epoch, record.columns, sequence);
    for (const { id, labels, value, timestampMs } of record.exemplars) {
      if (this.#known.has(id)) sink.exemplar(id, labels, value, timestampMs);
    }
    for (const metadata of record.metadata) sink.metadata(metadata);
  }

  /** Takes out what is sealed, and what belongs to no series. */
  #leaveOut({ columns }: SamplesRecord, sequence: number): void {
    const { floorMs, throughSequence } = this.#state;
    const sealedBeforeMs = sequence <= throughSequence ? floorMs : Number.NEGATIVE_INFINITY;
    const { ids, times, count } = columns;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const timeMs = times[i] as number;
      if (timeMs < sealedBeforeMs) continue;
      if (!this.#known.has(ids[i] as number)) {
        this.#lost.add(timeMs);
        continue;
      }
      if (kept !== i) moveSample(columns, i, kept);
      kept++;
    }
    columns.count = kept;
    if (kept < count) columns.histograms?.splice(kept);
  }

  /** Of two definitions of an id the first stands: one in a record and one of its own are the same. */
  #define(id: number, labels: Labels): void {
    if (this.#known.add(id)) this.#deps.sink.define(id, labels);
  }

  #meet(id: number): void {
    if (id >= this.#state.nextId) this.#state = { ...this.#state, nextId: id + 1 };
  }

  #idOf(labels: Labels): number {
    const key = labels.key();
    const known = this.#ids?.get(key);
    if (known !== undefined) return known;
    const id = this.#state.nextId;
    this.#meet(id);
    this.#ids?.set(key, id);
    this.#undefinedOnDisk.push({ id, labels });
    this.#define(id, labels);
    return id;
  }

  /**
   * The ids that series have already, for records that name them by labels. New ids begin behind all that records further on
   * use, so these are read twice; it happens while a store of version 1 is left behind.
   */
  async #idsByLabels(): Promise<Map<string, number>> {
    const ids = new Map<string, number>();
    for await (const [key, value] of this.#definitions()) {
      const series = readable(() => readDefinitionsValue(key, value));
      // The last one that a series had, as for the head.
      for (const { id, labels } of series ?? []) ids.set(labels.key(), id);
    }
    const reader = new RecordReader();
    for await (const [key, value] of this.#records()) {
      const frame = decodeFrame(key, value);
      if (!frame.ok) break;
      if (frame.version === batchFrameVersion) continue;
      const record = readable(() => reader.read(frame.payload));
      if (record === undefined) break;
      if (record.kind === 'samples') this.#meet(record.highestId);
    }
    return ids;
  }

  /** Undefined when what is read turns out damaged, which is noted. */
  #undamaged<T>(key: Uint8Array, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ByteFormatError)) throw error;
      this.#damaged++;
      if (this.#damaged === 1) this.#damageText = `${Buffer.from(key).toString('hex')}: ${error.message}`;
      return undefined;
    }
  }

  #report(): void {
    const { shard, metrics, log } = this.#deps;
    if (this.#damaged > 0) {
      metrics.damagedEntries.inc(this.#damaged);
      log.error(
        { shard, entries: this.#damaged, first: this.#damageText },
        'What a log names series and its sealed state by is damaged in parts; those parts are left as they are',
      );
    }
    if (this.#lost.count > 0) {
      metrics.skippedSamples.inc(this.#lost.count);
      log.error(
        { shard, samples: this.#lost.count },
        'A log has samples whose series can not be told any more; they are left out',
      );
    }
  }
}

/**
 * Samples without a series. A series that was deleted takes its definition along, and its samples stay in older records
 * until these go: those are not lost, so a deletion that covers all there are takes them back.
 */
class LostSamples {
  count = 0;
  #minMs = Number.POSITIVE_INFINITY;
  #maxMs = Number.NEGATIVE_INFINITY;

  add(timeMs: number): void {
    this.count++;
    this.#minMs = Math.min(this.#minMs, timeMs);
    this.#maxMs = Math.max(this.#maxMs, timeMs);
  }

  deleted(fromMs: number, toMs: number): void {
    if (!(fromMs <= this.#minMs && toMs >= this.#maxMs)) return;
    this.count = 0;
    this.#minMs = Number.POSITIVE_INFINITY;
    this.#maxMs = Number.NEGATIVE_INFINITY;
  }
}

function moveSample(columns: RecordColumns, from: number, to: number): void {
  const { ids, times, values, histograms, startTimes } = columns;
  ids[to] = ids[from] as number;
  times[to] = times[from] as number;
  values.copyWithin(to, from, from + 1);
  if (histograms !== undefined) histograms[to] = histograms[from] ?? null;
  if (startTimes !== undefined) startTimes[to] = startTimes[from] as number;
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ByteFormatError) return undefined;
    throw error;
  }
}
