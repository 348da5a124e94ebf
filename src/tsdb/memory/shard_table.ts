/**
 * What the head knows about each shard. Numbers that appending touches stand in one array, a cache line per shard; the
 * rest is an object that comes with the shard's first series, so that an empty shard costs 64 bytes.
 *
 * An append finds its shard's "hot" window and epoch nearly always as the last one left them, and then has neither to
 * look at the floor nor to note that there are samples of that window and epoch: three comparisons in place of both.
 */
import type { HeadCut } from './head_cut.ts';
import type { LateSamples } from './late_samples.ts';
import { SlotList } from './postings.ts';

/** Places in a shard's cells. */
export const Cell = {
  /** Older samples were sealed or never taken. */
  floorMs: 0,
  /** Samples in `[hotFromMs, hotToMs)` under `hotEpoch` are at or above the floor, in a window that is noted. */
  hotFromMs: 1,
  hotToMs: 2,
  hotEpoch: 3,
  /** All that are held. */
  samples: 4,
  /** Of samples at or above the floor. */
  newestMs: 5,
  oldestMs: 6,
  /** Late samples that are older than the floor. */
  late: 7,
} as const;
export const cellBits = 3;
const cellsPerShard = 1 << cellBits;
const shardsMin = 16;

export class ShardState {
  readonly slots: SlotList = new SlotList();
  /** By slot; few series have any. */
  readonly late: Map<number, LateSamples> = new Map();
  /** Late samples of a cut that is not dropped yet. */
  readonly frozen: Map<number, LateSamples> = new Map();
  /** Epochs of in-order samples by the start of their window; a deletion may leave more than there are. */
  readonly windows: Map<number, Set<number>> = new Map();
  /** Series that were taken out and still stand in lists of the index. */
  readonly gone: number[] = [];
  /** Those of them that the last sweep has still to give back. */
  sweeping: number[] = [];
  /** Both together. */
  goneCount = 0;
  /** Counts the series that came and those that left. */
  changes = 0;
  /** Counts the times that slots were given back. */
  generation = 0;
  /** Oldest or newest time may have gone; whoever asks must look anew. */
  timesAreStale = false;
  newestIsStale = false;
  /** The last one, while it is not dropped. */
  cut: HeadCut | undefined;
}

export class ShardTable {
  /** `cells[(shard << cellBits) + Cell.x]`; replaced when it grows. */
  cells: Float64Array = emptyCells(0);
  readonly #states = new Map<number, ShardState>();
  readonly #windowMs: number;

  /** `windowMs`: the length of the windows that are noted. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  find(shard: number): ShardState | undefined {
    return this.#states.get(shard);
  }

  /** The shard's state, made if need be. */
  open(shard: number): ShardState {
    let state = this.#states.get(shard);
    if (state === undefined) {
      state = new ShardState();
      this.#states.set(shard, state);
      this.#reserve(shard);
    }
    return state;
  }

  get(shard: number, cell: number): number {
    return this.cells[(shard << cellBits) + cell] ?? (initial[cell] as number);
  }

  set(shard: number, cell: number, value: number): void {
    this.#reserve(shard);
    this.cells[(shard << cellBits) + cell] = value;
  }

  /** The shard must be open. */
  add(shard: number, cell: number, more: number): void {
    const at = (shard << cellBits) + cell;
    this.cells[at] = (this.cells[at] as number) + more;
  }

  /** Notes a sample of that time and epoch, and makes both hot; false when it is older than the floor. */
  enter(shard: number, timeMs: number, epoch: number): boolean {
    const floorMs = this.get(shard, Cell.floorMs);
    if (timeMs < floorMs) return false;
    const { windows } = this.open(shard);
    const startMs = Math.floor(timeMs / this.#windowMs) * this.#windowMs;
    const epochs = windows.get(startMs);
    if (epochs === undefined) windows.set(startMs, new Set([epoch]));
    else epochs.add(epoch);
    this.set(shard, Cell.hotFromMs, Math.max(floorMs, startMs));
    this.set(shard, Cell.hotToMs, startMs + this.#windowMs);
    this.set(shard, Cell.hotEpoch, epoch);
    return true;
  }

  /** Never lowers it. */
  raiseFloor(shard: number, floorMs: number): void {
    if (floorMs <= this.get(shard, Cell.floorMs)) return;
    this.set(shard, Cell.floorMs, floorMs);
    if (this.get(shard, Cell.newestMs) < floorMs) this.set(shard, Cell.newestMs, Number.NEGATIVE_INFINITY);
    if (this.get(shard, Cell.oldestMs) < floorMs) {
      // Newer samples count from here on; older ones do when the times are looked up, or what is below is dropped.
      this.set(shard, Cell.oldestMs, Number.POSITIVE_INFINITY);
      this.#markStale(shard);
    }
    this.#cool(shard);
  }

  /** What all of a shard's series were seen to have from a floor on; nothing is changed if the floor is higher now. */
  noteOldest(shard: number, floorMs: number, oldestMs: number): void {
    const state = this.#states.get(shard);
    if (state === undefined || this.get(shard, Cell.floorMs) !== floorMs || state.newestIsStale) return;
    this.set(shard, Cell.oldestMs, Math.min(oldestMs, this.get(shard, Cell.oldestMs)));
    state.timesAreStale = false;
  }

  /** Samples were deleted. */
  staleTimes(shard: number): void {
    this.#markStale(shard);
    const state = this.#states.get(shard);
    if (state !== undefined) state.newestIsStale = true;
  }

  /** Windows that are older than `timeMs` have no samples in order any more. */
  forgetWindows(shard: number, timeMs: number): void {
    const windows = this.#states.get(shard)?.windows ?? [];
    for (const [startMs] of windows)
      if (startMs + this.#windowMs <= timeMs) this.#states.get(shard)?.windows.delete(startMs);
  }

  #markStale(shard: number): void {
    const state = this.#states.get(shard);
    if (state !== undefined) state.timesAreStale = true;
  }

  /** The next append to the shard looks at floor, window and epoch. */
  #cool(shard: number): void {
    this.set(shard, Cell.hotFromMs, Number.POSITIVE_INFINITY);
  }

  /** Forgets everything about the shard. */
  close(shard: number): void {
    this.#states.delete(shard);
    const at = shard << cellBits;
    if (at < this.cells.length) this.cells.set(initial, at);
  }

  numbers(): IterableIterator<number> {
    return this.#states.keys();
  }

  get heldBytes(): number {
    let bytes = this.cells.byteLength;
    for (const { slots } of this.#states.values()) bytes += slots.heldBytes;
    return bytes;
  }

  #reserve(shard: number): void {
    const shards = this.cells.length >> cellBits;
    if (shard < shards) return;
    const cells = emptyCells(Math.max(shardsMin, shard + 1, Math.min(shards * 2, shard * 2)));
    cells.set(this.cells);
    this.cells = cells;
  }
}

const initial = Float64Array.of(
  Number.NEGATIVE_INFINITY,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  0,
  Number.NEGATIVE_INFINITY,
  Number.POSITIVE_INFINITY,
  0,
);

function emptyCells(shards: number): Float64Array {
  const cells = new Float64Array(shards * cellsPerShard);
  for (let at = 0; at < cells.length; at += cellsPerShard) cells.set(initial, at);
  return cells;
}
