/**
 * What is known in memory of a log's records: one entry per up to 32 neighbours, so a few bytes a record. Enough to
 * say how large the log is and which records nobody needs any more, and to name their keys without reading them.
 */
import type { RecordPosition } from './keys.ts';

const blockRecordsMax = 32;

/** Records under one key epoch whose sequences follow one another. */
export interface RecordBlock {
  readonly epoch: number;
  readonly firstSequence: number;
  count: number;
  /** Of keys and values. */
  bytes: number;
  /** Time of the newest sample. */
  newestMs: number;
}

export class RecordBlocks {
  #blocks: RecordBlock[] = [];
  #bytes = 0;
  #records = 0;
  /** Whether the last block may still grow. */
  #open = false;

  /** Bytes of all keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  get records(): number {
    return this.#records;
  }

  /** How many entries there are. */
  get size(): number {
    return this.#blocks.length;
  }

  add({ epoch, sequence }: RecordPosition, newestMs: number, bytes: number): void {
    this.#bytes += bytes;
    this.#records++;
    const last = this.#open ? this.#blocks.at(-1) : undefined;
    const follows =
      last !== undefined &&
      last.count < blockRecordsMax &&
      last.epoch === epoch &&
      last.firstSequence + last.count === sequence;
    if (!follows) {
      this.#blocks.push({ epoch, firstSequence: sequence, count: 1, bytes, newestMs });
      this.#open = true;
      return;
    }
    last.count++;
    last.bytes += bytes;
    if (newestMs > last.newestMs) last.newestMs = newestMs;
  }

  /** The blocks all of whose records are within `throughSequence` and older than `floorMs`; none of them grows any more. */
  expired(throughSequence: number, floorMs: number): RecordBlock[] {
    this.#open = false;
    return this.#blocks.filter(
      ({ firstSequence, count, newestMs }) =>
        firstSequence + count - 1 <= throughSequence && newestMs < floorMs,
    );
  }

  /** Takes out those of the blocks that are there. */
  remove(blocks: readonly RecordBlock[]): void {
    const removed = new Set(blocks);
    this.#blocks = this.#blocks.filter((block) => {
      if (!removed.has(block)) return true;
      this.#bytes -= block.bytes;
      this.#records -= block.count;
      return false;
    });
  }

  clear(): void {
    this.#blocks = [];
    this.#bytes = 0;
    this.#records = 0;
    this.#open = false;
  }
}

export function* positionsOf({ epoch, firstSequence, count }: RecordBlock): Generator<RecordPosition> {
  for (let i = 0; i < count; i++) yield { epoch, sequence: firstSequence + i };
}
