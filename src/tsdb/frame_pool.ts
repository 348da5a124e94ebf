/**
 * Memory for log frames, used again: a frame lives from an append to its write (with the policy `interval` to the next
 * sync), and left to the garbage collector some hundred thousand buffers a minute would fragment the process's heap by
 * tens of megabytes. Frames are cut from chunks one behind the other; a chunk is used again when all its frames are back.
 */

const chunkBytes: number = 256 * 1024;
/** Empty chunks that are kept. */
const spareChunksMax = 16;

interface Chunk {
  readonly bytes: Uint8Array<ArrayBuffer>;
  used: number;
  frames: number;
}

export class FramePool {
  readonly #chunks = new Map<ArrayBufferLike, Chunk>();
  readonly #spare: Chunk[] = [];
  #current: Chunk | undefined;

  /** Bytes of all chunks, for tests. */
  get heldBytes(): number {
    return (this.#chunks.size + this.#spare.length) * chunkBytes;
  }

  /** Room for `length` bytes with whatever was there before. */
  take(length: number): Uint8Array<ArrayBuffer> {
    if (length > chunkBytes) return new Uint8Array(length);
    let chunk = this.#current;
    if (chunk === undefined || chunk.used + length > chunkBytes) {
      chunk = this.#spare.pop() ?? { bytes: new Uint8Array(chunkBytes), used: 0, frames: 0 };
      this.#chunks.set(chunk.bytes.buffer, chunk);
      this.#current = chunk;
    }
    const frame = chunk.bytes.subarray(chunk.used, chunk.used + length);
    chunk.used += length;
    chunk.frames++;
    return frame;
  }

  /** Nobody looks at the frame any more. One that is not from here is left alone; none may be given back twice. */
  release(frame: Uint8Array): void {
    const chunk = this.#chunks.get(frame.buffer);
    if (chunk === undefined) return;
    chunk.frames--;
    if (chunk.frames > 0) return;
    chunk.used = 0;
    if (chunk === this.#current) return;
    this.#chunks.delete(frame.buffer);
    if (this.#spare.length < spareChunksMax) this.#spare.push(chunk);
  }
}
