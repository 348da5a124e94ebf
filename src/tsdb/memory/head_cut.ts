/** What of a shard is to be sealed: all that is older than a floor, as it was when the floor was raised. */
import type { ShardState } from './shard_table.ts';

/** A window with samples that were written under an epoch. */
export interface WindowPart {
  readonly startMs: number;
  readonly epoch: number;
}

export class HeadCut {
  readonly shard: number;
  readonly floorMs: number;
  /** The series that have samples in it, in the order of sealing, once they are sorted. */
  sorted: Uint32Array | undefined;
  readonly #state: ShardState;

  constructor(shard: number, floorMs: number, state: ShardState) {
    this.shard = shard;
    this.floorMs = floorMs;
    this.#state = state;
  }

  /**
   * The windows of that length, a multiple of the head's, and the epochs of their samples, ascending. Where samples
   * were deleted there may be a window too many, which then is empty.
   */
  windows(windowMs: number): readonly WindowPart[] {
    const parts = new Map<number, Set<number>>();
    const note = (timeMs: number, epoch: number): void => {
      const startMs = Math.floor(timeMs / windowMs) * windowMs;
      const epochs = parts.get(startMs);
      if (epochs === undefined) parts.set(startMs, new Set([epoch]));
      else epochs.add(epoch);
    };
    for (const [startMs, epochs] of this.#state.windows)
      if (startMs < this.floorMs) for (const epoch of epochs) note(startMs, epoch);
    for (const late of this.#state.frozen.values()) late.forEach(note);
    const list: WindowPart[] = [];
    for (const [startMs, epochs] of parts) for (const epoch of epochs) list.push({ startMs, epoch });
    return list.sort((a, b) => a.startMs - b.startMs || a.epoch - b.epoch);
  }
}
