/**
 * One shard's log: an entry per accepted batch, in the order of their sequences. A log is a prefix of what was written:
 * at the first record that can't be trusted, replay cuts it, so that nothing behind a hole is taken for complete; every
 * record before it stays. Records go when all they hold is sealed; what series their ids stand for is written down
 * before. Everything is written through the store's group commit, so it reaches the disk in the order of the calls.
 */
import type { ByteWriter, Logger } from '../../base/index.ts';
import type { BatchMetadata } from '../../model/index.ts';
import type { KeyOperation, StoreEngine } from '../engine.ts';
import { isDiskTrouble } from '../errors.ts';
import type { GroupCommit } from '../group_commit.ts';
import type { NewSeries } from './definitions.ts';
import { encodeFrame } from './frame.ts';
import { definitionsKey, idMax, kindRange, LogKeyKind, metadataKey, recordKey } from './keys.ts';
import { type Cut, LogReplay } from './log_replay.ts';
import type { LogMetrics } from './metrics.ts';
import type { RecordSink } from './record.ts';
import { positionsOf, type RecordBlock, RecordBlocks } from './record_blocks.ts';
import {
  definitionsOperation,
  initialState,
  type LogState,
  metadataOperation,
  type Sealed,
  stateOperation,
} from './state.ts';

/** Operations are handed over in batches of this many, so that none holds the thread for long. */
const operationsMax = 1024;
/** Series that are defined by one entry, and such entries that are handed over at once. */
const groupSeriesMax = 128;
const batchGroupsMax = 16;
/** Definitions of series that are no more are left until they are so many, and half of all. */
const deadDefinitionsMin = 4096;

export interface ShardLogDeps {
  readonly commit: GroupCommit;
  readonly metrics: LogMetrics;
  readonly log: Logger;
}

export class ShardLog {
  readonly #shard: number;
  readonly #commit: GroupCommit;
  readonly #metrics: LogMetrics;
  readonly #log: Logger;
  readonly #blocks = new RecordBlocks();
  #state: LogState = initialState;
  #lastSequence = 0;
  /** The highest that the shard has seen, so that keys sort by sequence even for handed-over data. */
  #keyEpoch = 0;
  /** Entries with definitions: those from the first on are there, and the next is free. */
  #firstGroup = 0;
  #nextGroup = 0;
  #definitionCount = 0;
  /** Of series that are no more. */
  #deadDefinitions = 0;
  /** Series whose definitions have to go along with the next write. */
  #undefinedOnDisk: readonly NewSeries[] = [];
  /** As it is on the disk outside of records. */
  #metadata = new Map<string, BatchMetadata>();
  /** Counts the times that everything was deleted. */
  #incarnation = 0;
  #bytesCounted = 0;
  readonly #takeFrame: (bytes: number) => Uint8Array<ArrayBuffer>;

  constructor(shard: number, deps: ShardLogDeps) {
    this.#shard = shard;
    this.#commit = deps.commit;
    this.#metrics = deps.metrics;
    this.#log = deps.log;
    this.#takeFrame = (bytes) => deps.commit.frames.take(bytes);
  }

  /** Of all records' keys and values. */
  get bytes(): number {
    return this.#blocks.bytes;
  }

  get records(): number {
    return this.#blocks.records;
  }

  /** Of the record that was appended last, 0 when there was none. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  get sealed(): Sealed {
    return this.#state;
  }

  /** `truncate` needs to be told of live series with higher ids; 0 when it is time to define all of them anew. */
  get checkpointId(): number {
    return this.#isRewriteDue ? 0 : this.#state.checkpointId;
  }

  /** An id for a new series, to be defined in the next record. Ids ascend and are never given twice. */
  nextId(): number {
    const id = this.#state.nextId;
    // Beyond, records could not be written; nothing is mended by going on.
    if (id > idMax) throw this.#commit.stop(new Error(`shard ${this.#shard} has no series ids left`));
    this.#state = { ...this.#state, nextId: id + 1 };
    return id;
  }

  /**
   * Tells `sink` of everything that is not sealed; to be called once, before anything else. `begin` is given the sealed state
   * before. Rejects with what the engine or the sink throws.
   */
  async replay(engine: StoreEngine, sink: RecordSink, begin?: (sealed: Sealed) => void): Promise<void> {
    const deps = { shard: this.#shard, engine, sink, metrics: this.#metrics, log: this.#log };
    const replay = new LogReplay(deps, this.#blocks);
    await replay.run(begin);
    this.#state = replay.state;
    this.#lastSequence = replay.lastSequence;
    this.#keyEpoch = replay.keyEpoch;
    this.#firstGroup = replay.firstGroup;
    this.#nextGroup = replay.nextGroup;
    this.#definitionCount = replay.definitionCount;
    this.#undefinedOnDisk = replay.undefinedOnDisk;
    this.#metadata = replay.metadata;
    this.#countBytes();
    if (replay.cut !== undefined) await this.#cut(replay.cut);
  }

  /**
   * Resolves when the record is logged as the fsync policy demands. `newestMs` is the time of its newest sample or, for a
   * deletion, of the newest that it may have deleted. `alongside` goes in the same write, which is synced if `sync` says so.
   */
  async append(
    epoch: number,
    newestMs: number,
    payload: ByteWriter,
    { alongside = [], sync = false }: { alongside?: readonly KeyOperation[]; sync?: boolean } = {},
  ): Promise<void> {
    const sequence = this.#lastSequence + 1;
    const position = { epoch: Math.max(this.#keyEpoch, epoch), sequence };
    const { key, value } = this.#encode(position, payload);
    this.#lastSequence = sequence;
    this.#keyEpoch = position.epoch;
    this.#blocks.add(position, newestMs, key.length + value.length);
    this.#countBytes();
    this.#metrics.logRecords.inc();
    await this.#writeDefining([{ type: 'put', key, value }, ...alongside], sync);
  }

  /** Resolves when everything that was appended before is logged. */
  settled(): Promise<void> {
    return this.#commit.write([]);
  }

  /** To be written in one with the last window of a round of sealing; `truncate` is to follow. */
  sealedOperation(floorMs: number, throughSequence: number): KeyOperation {
    return stateOperation(this.#shard, raised(this.#state, { floorMs, throughSequence }));
  }

  /**
   * Deletes the records up to `throughSequence` all of whose samples are older than `floorMs`, once those are sealed or gone.
   * `live` are the series with an id above `checkpointId`; it is read in slices between writes. `gone` are ids of series
   * that are no more. `metadata` is all that is known of the shard's metrics: what only deleted records say of it is lost
   * otherwise. Rejects when the disk refuses; all of it may be asked for again then.
   */
  async truncate(
    throughSequence: number,
    floorMs: number,
    live: Iterable<NewSeries>,
    gone: readonly number[],
    metadata?: ReadonlyMap<string, BatchMetadata>,
  ): Promise<void> {
    this.#commit.assertReady();
    const incarnation = this.#incarnation;
    // Everything may have been deleted meanwhile: nothing more is written then.
    const write = async (operations: readonly KeyOperation[]): Promise<boolean> => {
      await this.#writeDefining(operations);
      return incarnation === this.#incarnation;
    };
    // What is learned while this is under way is for the next time.
    const described = metadata === undefined ? undefined : new Map(metadata);
    this.#state = raised(this.#state, { floorMs, throughSequence });
    // Before anything is awaited: all series up to here are in `live`, or gone.
    const aboveId = this.checkpointId;
    const checkpointId = this.#state.nextId - 1;
    for (const id of gone) if (id <= this.#state.checkpointId) this.#deadDefinitions++;
    const deadGroups = aboveId === 0 ? ([this.#firstGroup, this.#nextGroup] as const) : undefined;
    const wanted = (function* (): Generator<NewSeries> {
      for (const series of live) if (series.id > aboveId) yield series;
    })();
    const dead = { definitions: this.#definitionCount, series: this.#deadDefinitions };
    for (const batch of grouped(this.#defining(wanted), batchGroupsMax)) if (!(await write(batch))) return;
    if (described !== undefined) {
      for (const batch of grouped(this.#describing(described), operationsMax))
        if (!(await write(batch))) return;
      this.#metadata = described;
    }
    this.#state = { ...this.#state, checkpointId };
    if (!(await write([stateOperation(this.#shard, this.#state)]))) return;
    if (deadGroups !== undefined) {
      const operations = this.#deletedGroups(...deadGroups);
      for (const batch of grouped(operations, operationsMax)) if (!(await write(batch))) return;
      this.#firstGroup = deadGroups[1];
      this.#definitionCount -= dead.definitions;
      this.#deadDefinitions -= dead.series;
    }
    await this.#deleteBlocks(this.#blocks.expired(throughSequence, floorMs), write);
  }

  /**
   * Forgets everything in memory. On the disk it is so as soon as `writeDeleted` has resolved; `sweep` is to follow, and
   * nothing is to be appended before.
   */
  beginDeleteAll(): void {
    this.forget();
    this.#incarnation++;
    this.#undefinedOnDisk = [];
    this.#metadata = new Map();
    this.#firstGroup = this.#nextGroup;
    this.#definitionCount = 0;
    this.#deadDefinitions = 0;
    this.#state = { ...initialState, nextId: this.#state.nextId, deletedThrough: this.#lastSequence };
  }

  /** Writes that the deletion that has begun is so, in one synced write with `alongside`. */
  writeDeleted(alongside: readonly KeyOperation[]): Promise<void> {
    return this.#commit.write([...alongside, stateOperation(this.#shard, this.#state)], true);
  }

  /** Deletes all keys of a log that counts no more. */
  async sweep(): Promise<void> {
    const incarnation = this.#incarnation;
    const ranges = [LogKeyKind.Record, LogKeyKind.Definition, LogKeyKind.State].map((kind) =>
      kindRange(this.#shard, kind),
    );
    // The state goes last: as long as there is a record it must say that it counts no more.
    await Promise.all(ranges.map((range) => this.#commit.clear(range)));
    if (incarnation === this.#incarnation) this.#state = { ...this.#state, deletedThrough: 0 };
  }

  /** Takes this log out of the metrics. */
  forget(): void {
    this.#blocks.clear();
    this.#countBytes();
  }

  /** The batch is in memory already: if it can't be written down, the store must not go on as if it were. */
  #encode(
    position: { epoch: number; sequence: number },
    payload: ByteWriter,
  ): { key: Uint8Array; value: Uint8Array } {
    try {
      const key = recordKey(this.#shard, position);
      return { key, value: encodeFrame(key, payload.bytes, payload.length, this.#takeFrame) };
    } catch (cause) {
      throw this.#commit.stop(cause);
    }
  }

  /** Writes, and in the same write the definitions that records may use and that are not on the disk yet. */
  async #writeDefining(operations: readonly KeyOperation[], sync = false): Promise<void> {
    const series = this.#undefinedOnDisk;
    if (series.length === 0) return this.#commit.write(operations, sync);
    const incarnation = this.#incarnation;
    this.#undefinedOnDisk = [];
    try {
      const definitions = [...this.#defining(series)];
      await this.#commit.write([...definitions, ...operations], sync);
    } catch (error) {
      // Whether they are written late or not at all: once more does no harm.
      if (incarnation === this.#incarnation) this.#undefinedOnDisk = series;
      throw error;
    }
  }

  get #isRewriteDue(): boolean {
    const dead = this.#deadDefinitions;
    return dead >= deadDefinitionsMin && dead * 2 >= this.#definitionCount;
  }

  *#defining(all: Iterable<NewSeries>): Generator<KeyOperation> {
    for (const series of grouped(all, groupSeriesMax)) {
      this.#definitionCount += series.length;
      yield definitionsOperation(this.#shard, this.#nextGroup++, series);
    }
  }

  *#deletedGroups(first: number, end: number): Generator<KeyOperation> {
    for (let number = first; number < end; number++)
      yield { type: 'del', key: definitionsKey(this.#shard, number) };
  }

  /** What changed of the metadata on the disk. */
  *#describing(metadata: ReadonlyMap<string, BatchMetadata>): Generator<KeyOperation> {
    const written = this.#metadata;
    for (const one of metadata.values()) {
      if (!isSame(written.get(one.metric), one)) yield metadataOperation(this.#shard, one);
    }
    for (const metric of written.keys()) {
      if (!metadata.has(metric)) yield { type: 'del', key: metadataKey(this.#shard, metric) };
    }
  }

  /** A block is taken out of the index only when it is off the disk: otherwise the next round finds it again. */
  async #deleteBlocks(
    blocks: readonly RecordBlock[],
    write: (operations: readonly KeyOperation[]) => Promise<boolean>,
  ): Promise<void> {
    let done = 0;
    try {
      while (done < blocks.length) {
        const operations: KeyOperation[] = [];
        let end = done;
        for (; end < blocks.length && operations.length < operationsMax; end++) {
          for (const position of positionsOf(blocks[end] as RecordBlock))
            operations.push({ type: 'del', key: recordKey(this.#shard, position) });
        }
        if (!(await write(operations))) return;
        done = end;
      }
    } finally {
      this.#blocks.remove(blocks.slice(0, done));
      this.#countBytes();
    }
  }

  async #cut({ key, position, reason }: Cut): Promise<void> {
    this.#metrics.logCorruptions.inc();
    this.#log.warn(
      { shard: this.#shard, ...position, records: this.records, reason },
      'Cutting the log at a damaged record; the records before it are kept',
    );
    try {
      await this.#commit.clear({ from: key, to: kindRange(this.#shard, LogKeyKind.Record).to });
    } catch (error) {
      // Late, not lost: it is done before the shard takes anything. What was read is good meanwhile.
      if (!isDiskTrouble(error)) throw error;
    }
  }

  #countBytes(): void {
    this.#metrics.logBytes.inc(this.#blocks.bytes - this.#bytesCounted);
    this.#bytesCounted = this.#blocks.bytes;
  }
}

/**
 * The later of two sealed states. Retention may let go of records up to a sequence and an older floor: that seals nothing,
 * since late samples between the two are in no window yet.
 */
function raised(state: LogState, { floorMs, throughSequence }: Sealed): LogState {
  const isLater = floorMs >= state.floorMs && throughSequence >= state.throughSequence;
  return isLater ? { ...state, floorMs, throughSequence } : state;
}

function* grouped<T>(all: Iterable<T>, max: number): Generator<readonly T[]> {
  let group: T[] = [];
  for (const one of all) {
    group.push(one);
    if (group.length < max) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

function isSame(a: BatchMetadata | undefined, b: BatchMetadata): boolean {
  return a === b || (a?.type === b.type && a.unit === b.unit && a.help === b.help);
}
