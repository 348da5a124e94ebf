/**
 * One shard's log: an entry per accepted batch, in the order (epoch, sequence). Sequences grow over all epochs of the
 * shard. A log is a prefix of what was written: at the first record that can't be trusted, replay cuts it, so that
 * nothing behind a hole is taken for complete; every record before it stays.
 */
import { errorText, type Logger } from '../base/index.ts';
import { decodeWriteBatch, encodeWriteBatch, type WriteBatch } from '../model/index.ts';
import type { KeyOperation, StoreEngine } from './engine.ts';
import { isDiskTrouble } from './errors.ts';
import type { GroupCommit } from './group_commit.ts';
import { decodeLogFrame, decodeLogKey, encodeLogFrame, encodeLogKey, shardRange } from './log_frame.ts';
import type { TsdbMetrics } from './metrics.ts';
import { RecordIndex } from './record_index.ts';

/** Deletions are handed over in groups of this many. */
const deletionsMax = 4096;

export interface LogRecord {
  readonly epoch: number;
  readonly batch: WriteBatch;
}

export class ShardLog {
  readonly #shard: number;
  readonly #commit: GroupCommit;
  readonly #metrics: TsdbMetrics;
  readonly #log: Logger;
  readonly #index = new RecordIndex();
  #sequence = 0;

  constructor(shard: number, deps: { commit: GroupCommit; metrics: TsdbMetrics; log: Logger }) {
    this.#shard = shard;
    this.#commit = deps.commit;
    this.#metrics = deps.metrics;
    this.#log = deps.log;
  }

  get bytes(): number {
    return this.#index.bytes;
  }

  /** Hands every sound record to `apply`, in order, one in memory at a time; to be called once, before any append. */
  async replay(engine: StoreEngine, apply: (record: LogRecord) => void): Promise<void> {
    const range = shardRange(this.#shard);
    for await (const [key, frame] of engine.entries(range)) {
      const record = this.#read(key, frame);
      if ('reason' in record) {
        await this.#cut(key.slice(), range.to, record.reason);
        return;
      }
      apply(record);
    }
  }

  /** Resolves when the record is logged as the fsync policy demands. */
  async append(epoch: number, batch: WriteBatch): Promise<void> {
    const sequence = this.#sequence + 1;
    const { key, frame } = this.#encode(epoch, sequence, batch);
    this.#remember(epoch, sequence, batch, key.length + frame.length);
    this.#metrics.logRecords.inc();
    await this.#commit.write([{ type: 'put', key, value: frame }]);
  }

  /** The batch is in memory already: if it can't be written down, the store must not go on as if it were. */
  #encode(epoch: number, sequence: number, batch: WriteBatch): { key: Uint8Array; frame: Uint8Array } {
    try {
      const key = encodeLogKey({ shard: this.#shard, epoch, sequence });
      return { key, frame: encodeLogFrame(key, encodeWriteBatch(batch)) };
    } catch (cause) {
      throw this.#commit.stop(cause);
    }
  }

  /** Resolves when everything that was appended before is logged. */
  settled(): Promise<void> {
    return this.#commit.write([]);
  }

  /** Deletes the records that hold nothing but samples older than `floorMs`. */
  async deleteBefore(floorMs: number): Promise<void> {
    // Not taken out of the index unless it can be taken off the disk: the next round finds it again.
    this.#commit.assertReady();
    const before = this.#index.bytes;
    const positions = this.#index.removeBefore(this.#shard, floorMs);
    this.#metrics.logBytes.dec(before - this.#index.bytes);
    for (let at = 0; at < positions.length; at += deletionsMax) {
      const operations = positions
        .slice(at, at + deletionsMax)
        .map((position): KeyOperation => ({ type: 'del', key: encodeLogKey(position) }));
      await this.#commit.write(operations);
    }
  }

  deleteAll(): Promise<void> {
    this.forget();
    return this.#commit.clear(shardRange(this.#shard));
  }

  /** Takes this log out of the metrics. */
  forget(): void {
    this.#metrics.logBytes.dec(this.#index.bytes);
    this.#index.clear();
  }

  #read(key: Uint8Array, frame: Uint8Array): LogRecord | { reason: string } {
    const position = decodeLogKey(key);
    if (position === undefined) return { reason: 'its key is not one of a log record' };
    const result = decodeLogFrame(key, frame);
    if (!result.ok) return result;
    try {
      const batch = decodeWriteBatch(result.payload);
      this.#remember(position.epoch, position.sequence, batch, key.length + frame.length);
      return { epoch: position.epoch, batch };
    } catch (error) {
      return { reason: errorText(error) };
    }
  }

  #remember(epoch: number, sequence: number, batch: WriteBatch, sizeBytes: number): void {
    let newestMs = Number.NEGATIVE_INFINITY;
    for (const timestampMs of batch.timestamps) if (timestampMs > newestMs) newestMs = timestampMs;
    this.#index.add(epoch, sequence, newestMs, sizeBytes);
    this.#metrics.logBytes.inc(sizeBytes);
    this.#sequence = Math.max(this.#sequence, sequence);
  }

  async #cut(from: Uint8Array, to: Uint8Array, reason: string): Promise<void> {
    const position = decodeLogKey(from);
    this.#metrics.logCorruptions.inc();
    this.#log.warn(
      {
        shard: this.#shard,
        epoch: position?.epoch,
        sequence: position?.sequence,
        records: this.#index.count,
        reason,
      },
      'Cutting the log at a damaged record; the records before it are kept',
    );
    try {
      await this.#commit.clear({ from, to });
    } catch (error) {
      // Late, not lost: it is done before the shard takes anything. What was read is good meanwhile.
      if (!isDiskTrouble(error)) throw error;
    }
  }
}
