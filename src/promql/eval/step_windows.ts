/**
 * The windows of all steps over one column of times, as indexes. Series of one target have the same times, and a storage
 * hands them out as the same array or as equal ones: their windows, and what depends on times alone, are found once.
 */
import { type Grid, lookupMs, type Shift } from './grid.ts';

/** What a rate needs of a window's times; in seconds. */
export interface EdgeDistances {
  /** From the first to the last sample. */
  readonly sampled: Float64Array;
  /** How far to extrapolate beyond the first and the last. */
  readonly toStart: Float64Array;
  readonly toEnd: Float64Array;
}

/** An edge further from the nearest sample than this many average distances is not extrapolated to. */
const extrapolationReach = 1.1;

export class StepWindows {
  readonly timestamps: Float64Array;
  /** Samples `from[step] <= i < to[step]` lie in (end - range, end]. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** The most samples that a window has. */
  readonly windowMax: number;
  readonly rangeMs: number;
  readonly #grid: Grid;
  readonly #shift: Shift;
  #distances: EdgeDistances | undefined;

  constructor(timestamps: Float64Array, grid: Grid, shift: Shift, rangeMs: number) {
    this.timestamps = timestamps;
    this.rangeMs = rangeMs;
    this.#grid = grid;
    this.#shift = shift;
    this.from = new Int32Array(grid.steps);
    this.to = new Int32Array(grid.steps);
    let from = 0;
    let to = 0;
    let windowMax = 0;
    for (let step = 0; step < grid.steps; step++) {
      const endMs = lookupMs(grid, shift, step);
      const startMs = endMs - rangeMs;
      while (to < timestamps.length && (timestamps[to] as number) <= endMs) to++;
      while (from < to && (timestamps[from] as number) <= startMs) from++;
      this.from[step] = from;
      this.to[step] = to;
      if (to - from > windowMax) windowMax = to - from;
    }
    this.windowMax = windowMax;
  }

  /** Of windows with two samples at least. */
  get distances(): EdgeDistances {
    this.#distances ??= this.#findDistances();
    return this.#distances;
  }

  #findDistances(): EdgeDistances {
    const { timestamps, from: froms, to: tos, rangeMs } = this;
    const { steps } = this.#grid;
    const sampled = new Float64Array(steps);
    const toStart = new Float64Array(steps);
    const toEnd = new Float64Array(steps);
    for (let step = 0; step < steps; step++) {
      const from = froms[step] as number;
      const to = tos[step] as number;
      if (to - from < 2) continue;
      const endMs = lookupMs(this.#grid, this.#shift, step);
      const firstMs = timestamps[from] as number;
      const lastMs = timestamps[to - 1] as number;
      const between = (lastMs - firstMs) / 1000;
      const average = between / (to - from - 1);
      const before = (firstMs - (endMs - rangeMs)) / 1000;
      const after = (endMs - lastMs) / 1000;
      sampled[step] = between;
      toStart[step] = before >= average * extrapolationReach ? average / 2 : before;
      toEnd[step] = after >= average * extrapolationReach ? average / 2 : after;
    }
    return { sampled, toStart, toEnd };
  }
}

/** Remembers the windows of the last columns of times. */
export class StepWindowsCache {
  readonly #grid: Grid;
  readonly #shift: Shift;
  readonly #rangeMs: number;
  #last: StepWindows | undefined;

  constructor(grid: Grid, shift: Shift, rangeMs: number) {
    this.#grid = grid;
    this.#shift = shift;
    this.#rangeMs = rangeMs;
  }

  of(timestamps: Float64Array): StepWindows {
    if (this.#last === undefined || !isSame(this.#last.timestamps, timestamps)) {
      this.#last = new StepWindows(timestamps, this.#grid, this.#shift, this.#rangeMs);
    }
    return this.#last;
  }
}

function isSame(a: Float64Array, b: Float64Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
