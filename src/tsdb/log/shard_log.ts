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
import { encodeFrame } from './frame.ts';
import { definitionKey, idMax, kindRange, LogKeyKind, metadataKey, recordKey, shardRange } from './keys.ts';
import { type Cut, LogReplay } from './log_replay.ts';
import type { LogMetrics } from './metrics.ts';
import type { NewSeries, RecordSink } from './record.ts';
import { positionsOf, type RecordBlock, RecordBlocks } from './record_blocks.ts';
import {
  definitionOperation,
  initialState,
  type LogState,
  metadataOperation,
  type Sealed,
  stateOperation,
} from './state.ts';

/** Definitions and deletions are handed over in groups of this many. */
const operationsMax = 4096;

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
  #definedThrough = 0;
  /** Series whose definitions have to go along with the next write. */
  #undefinedOnDisk: readonly NewSeries[] = [];
  /** As it is on the disk outside of records. */
  #metadata = new Map<string, BatchMetadata>();
  /** Counts the times that everything was deleted. */
  #incarnation = 0;
  #bytesCounted = 0;

  constructor(shard: number, deps: ShardLogDeps) {
    this.#shard = shard;
    this.#commit = deps.commit;
    this.#metrics = deps.metrics;
    this.#log = deps.log;
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

  /** Live series with an id up to this one have a definition of their own. */
  get checkpointId(): number {
    return this.#state.checkpointId;
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
    this.#definedThrough = replay.definedThrough;
    this.#undefinedOnDisk = replay.undefinedOnDisk;
    this.#metadata = replay.metadata;
    this.#countBytes();
    if (replay.cut !== undefined) await this.#cut(replay.cut);
  }

  /**
   * Resolves when the record is logged as the fsync policy demands. `newestMs` is the time of its newest sample or, for a
   * deletion, of the newest that it may have deleted.
   */
  async append(epoch: number, newestMs: number, payload: ByteWriter): Promise<void> {
    const sequence = this.#lastSequence + 1;
    const position = { epoch: Math.max(this.#keyEpoch, epoch), sequence };
    const { key, value } = this.#encode(position, payload);
    this.#lastSequence = sequence;
    this.#keyEpoch = position.epoch;
    this.#blocks.add(position, newestMs, key.length + value.length);
    this.#countBytes();
    this.#metrics.logRecords.inc();
    await this.#writeDefining([{ type: 'put', key, value }]);
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
    const checkpointId = this.#state.nextId - 1;
    for (const group of grouped(this.#checkpoint(checkpointId, live, described))) {
      if (!(await write(group))) return;
    }
    this.#state = { ...this.#state, checkpointId };
    this.#definedThrough = Math.max(this.#definedThrough, checkpointId);
    if (described !== undefined) this.#metadata = described;
    if (!(await write([stateOperation(this.#shard, this.#state)]))) return;
    for (const group of grouped(this.#forgotten(gone))) if (!(await write(group))) return;
    await this.#deleteBlocks(this.#blocks.expired(throughSequence, floorMs), write);
  }

  /** Deletes all keys of the shard, those of other kinds, too. */
  deleteAll(): Promise<void> {
    this.forget();
    this.#incarnation++;
    this.#undefinedOnDisk = [];
    this.#metadata = new Map();
    this.#definedThrough = 0;
    this.#state = { ...initialState, nextId: this.#state.nextId };
    return this.#commit.clear(shardRange(this.#shard));
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
      return { key, value: encodeFrame(key, payload.bytes, payload.length) };
    } catch (cause) {
      throw this.#commit.stop(cause);
    }
  }

  /** Writes, and in the same write the definitions that records may use and that are not on the disk yet. */
  async #writeDefining(operations: readonly KeyOperation[]): Promise<void> {
    const series = this.#undefinedOnDisk;
    if (series.length === 0) return this.#commit.write(operations);
    const incarnation = this.#incarnation;
    this.#undefinedOnDisk = [];
    for (const { id } of series) this.#definedThrough = Math.max(this.#definedThrough, id);
    try {
      const definitions = series.map((one) => definitionOperation(this.#shard, one));
      await this.#commit.write([...definitions, ...operations]);
    } catch (error) {
      // Whether they are written late or not at all: once more does no harm.
      if (incarnation === this.#incarnation) this.#undefinedOnDisk = series;
      throw error;
    }
  }

  /** What must be on the disk before records go. */
  *#checkpoint(
    checkpointId: number,
    live: Iterable<NewSeries>,
    metadata: ReadonlyMap<string, BatchMetadata> | undefined,
  ): Generator<KeyOperation> {
    const written = this.#metadata;
    for (const series of live) {
      if (series.id <= this.#state.checkpointId || series.id > checkpointId) continue;
      yield definitionOperation(this.#shard, series);
    }
    if (metadata === undefined) return;
    for (const one of metadata.values()) {
      if (!isSame(written.get(one.metric), one)) yield metadataOperation(this.#shard, one);
    }
    for (const metric of written.keys()) {
      if (!metadata.has(metric)) yield { type: 'del', key: metadataKey(this.#shard, metric) };
    }
  }

  *#forgotten(gone: readonly number[]): Generator<KeyOperation> {
    for (const id of gone) {
      if (id >= 1 && id <= this.#definedThrough) yield { type: 'del', key: definitionKey(this.#shard, id) };
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

function* grouped(operations: Iterable<KeyOperation>): Generator<readonly KeyOperation[]> {
  let group: KeyOperation[] = [];
  for (const operation of operations) {
    group.push(operation);
    if (group.length < operationsMax) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

function isSame(a: BatchMetadata | undefined, b: BatchMetadata): boolean {
  return a === b || (a?.type === b.type && a.unit === b.unit && a.help === b.help);
}
