/**
 * What is known in memory of each record in a shard's log, as columns (24 bytes a record): enough to say how large the
 * log is and which records retention may delete, without reading them again.
 */
import type { LogPosition } from './log_frame.ts';

const initialCapacity = 16;

export class RecordIndex {
  #epochs = new Uint32Array(initialCapacity);
  #sizes = new Uint32Array(initialCapacity);
  #sequences = new Float64Array(initialCapacity);
  #newest = new Float64Array(initialCapacity);
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes of all keys and frames. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `newestMs` is the time of the record's newest sample. */
  add(epoch: number, sequence: number, newestMs: number, sizeBytes: number): void {
    if (this.#count === this.#epochs.length) this.#grow();
    this.#set(this.#count++, epoch, sequence, newestMs, sizeBytes);
    this.#bytes += sizeBytes;
  }

  /** Takes out and returns the records whose newest sample is older than `floorMs`. */
  removeBefore(shard: number, floorMs: number): LogPosition[] {
    const removed: LogPosition[] = [];
    let kept = 0;
    for (let i = 0; i < this.#count; i++) {
      const epoch = this.#epochs[i] as number;
      const sequence = this.#sequences[i] as number;
      const newestMs = this.#newest[i] as number;
      const sizeBytes = this.#sizes[i] as number;
      if (newestMs < floorMs) {
        removed.push({ shard, epoch, sequence });
        this.#bytes -= sizeBytes;
      } else this.#set(kept++, epoch, sequence, newestMs, sizeBytes);
    }
    this.#count = kept;
    return removed;
  }

  clear(): void {
    this.#count = 0;
    this.#bytes = 0;
  }

  #set(at: number, epoch: number, sequence: number, newestMs: number, sizeBytes: number): void {
    this.#epochs[at] = epoch;
    this.#sequences[at] = sequence;
    this.#newest[at] = newestMs;
    this.#sizes[at] = sizeBytes;
  }

  #grow(): void {
    const capacity = this.#count * 2;
    const grownUints = (column: Uint32Array): Uint32Array<ArrayBuffer> => {
      const grown = new Uint32Array(capacity);
      grown.set(column);
      return grown;
    };
    const grownFloats = (column: Float64Array): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(capacity);
      grown.set(column);
      return grown;
    };
    this.#epochs = grownUints(this.#epochs);
    this.#sizes = grownUints(this.#sizes);
    this.#sequences = grownFloats(this.#sequences);
    this.#newest = grownFloats(this.#newest);
  }
}
