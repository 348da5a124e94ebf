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
  /** What the change between the samples is multiplied by where it is extrapolated to all of that, and the same per second. */
  readonly factor: Float64Array;
  readonly ratePerSecond: Float64Array;
  /**
   * Where a first value is not below so many times the change, a counter was not at zero inside of `toStart`: a little too
   * high, so that whoever is below it has to look.
   */
  readonly zeroShare: Float64Array;
}

/** The steps whose windows have enough samples. Shared by all series: not to be changed. */
export interface Coverage {
  readonly present: Uint8Array;
  readonly count: number;
}

/** An edge further from the nearest sample than this many average distances is not extrapolated to. */
const extrapolationReach = 1.1;
/** More than what rounding makes of a quotient. */
const zeroMargin = 1 + 1e-9;
/** Steps of all windows that a cache remembers: 40 MB with the distances. */
const cachedStepsMax = 1 << 19;

export class StepWindows {
  readonly timestamps: Float64Array;
  /** Samples `from[step] <= i < to[step]` lie in (end - range, end]. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** The most samples that a window has. */
  readonly windowMax: number;
  /** Each window has samples and ends one behind that of the step before: the last ones lie side by side. */
  readonly isPaced: boolean;
  /** And begins one behind it, with two samples at least: so do the first ones. */
  readonly isEvenlyPaced: boolean;
  readonly rangeMs: number;
  readonly #grid: Grid;
  readonly #shift: Shift;
  #samples: number | undefined;
  #distances: EdgeDistances | undefined;
  readonly #coverage: (Coverage | undefined)[] = [];

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
    let isPaced = grid.steps > 0;
    let isEvenlyPaced = isPaced;
    for (let step = 0; step < grid.steps; step++) {
      const endMs = lookupMs(grid, shift, step);
      const startMs = endMs - rangeMs;
      while (to < timestamps.length && (timestamps[to] as number) <= endMs) to++;
      while (from < to && (timestamps[from] as number) <= startMs) from++;
      this.from[step] = from;
      this.to[step] = to;
      if (to - from > windowMax) windowMax = to - from;
      if (to === from || to !== (this.to[0] as number) + step) isPaced = false;
      if (to - from < 2 || from !== (this.from[0] as number) + step) isEvenlyPaced = false;
    }
    this.windowMax = windowMax;
    this.isPaced = isPaced;
    this.isEvenlyPaced = isPaced && isEvenlyPaced;
  }

  /** The samples of all windows, and of the last. */
  get samples(): number {
    if (this.#samples === undefined) {
      let samples = 0;
      for (let step = 0; step < this.from.length; step++) {
        samples += (this.to[step] as number) - (this.from[step] as number);
      }
      this.#samples = samples;
    }
    return this.#samples;
  }

  get lastCount(): number {
    const last = this.to.length - 1;
    return last < 0 ? 0 : (this.to[last] as number) - (this.from[last] as number);
  }

  /** The steps whose windows have `samplesMin` samples. */
  withAtLeast(samplesMin: 1 | 2): Coverage {
    const known = this.#coverage[samplesMin];
    if (known !== undefined) return known;
    const { from, to } = this;
    const present = new Uint8Array(from.length);
    let count = 0;
    for (let step = 0; step < present.length; step++) {
      if ((to[step] as number) - (from[step] as number) < samplesMin) continue;
      present[step] = 1;
      count++;
    }
    const coverage = { present, count };
    this.#coverage[samplesMin] = coverage;
    return coverage;
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
    const factor = new Float64Array(steps);
    const ratePerSecond = new Float64Array(steps);
    const zeroShare = new Float64Array(steps);
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
      const start = before >= average * extrapolationReach ? average / 2 : before;
      const end = after >= average * extrapolationReach ? average / 2 : after;
      toStart[step] = start;
      toEnd[step] = end;
      const extrapolated = (between + start + end) / between;
      factor[step] = extrapolated;
      ratePerSecond[step] = extrapolated / (rangeMs / 1000);
      zeroShare[step] = (start / between) * zeroMargin;
    }
    return { sampled, toStart, toEnd, factor, ratePerSecond, zeroShare };
  }
}

/**
 * Remembers the windows of columns of times. Series of one target need not come one after the other, so many are
 * remembered, up to a bound: each by the first and the last of its times, which hardly any two have in common.
 */
export class StepWindowsCache {
  readonly #grid: Grid;
  readonly #shift: Shift;
  readonly #rangeMs: number;
  readonly #sizeMax: number;
  readonly #byEnds = new Map<number, StepWindows>();
  #last: StepWindows | undefined;

  constructor(grid: Grid, shift: Shift, rangeMs: number) {
    this.#grid = grid;
    this.#shift = shift;
    this.#rangeMs = rangeMs;
    this.#sizeMax = Math.ceil(cachedStepsMax / Math.max(1, grid.steps));
  }

  of(timestamps: Float64Array): StepWindows {
    if (this.#last?.timestamps === timestamps) return this.#last;
    const { length } = timestamps;
    const ends = length === 0 ? 0 : (timestamps[0] as number) + (timestamps[length - 1] as number) * length;
    let windows = this.#byEnds.get(ends);
    if (windows === undefined || !isSame(windows.timestamps, timestamps)) {
      windows = new StepWindows(timestamps, this.#grid, this.#shift, this.#rangeMs);
      if (this.#byEnds.size >= this.#sizeMax) this.#byEnds.clear();
      this.#byEnds.set(ends, windows);
    }
    this.#last = windows;
    return windows;
  }
}

function isSame(a: Float64Array, b: Float64Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
