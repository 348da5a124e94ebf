/** The values of one target's series, moved on scrape by scrape without allocating. */
import { Process, type SeriesSpec } from './series_spec.ts';

/** How the observations of a histogram spread: the share at or below its bucket 0, 1, 2, ... before the last. */
const bucketsMax = 32;
const nanosecondsPerObservation = 3e7;

export class TargetValues {
  /** What the last `step` exposes; the same array every time. */
  readonly values: Float64Array<ArrayBuffer>;
  readonly #specs: readonly SeriesSpec[];
  readonly #process: Uint8Array;
  readonly #state: Float64Array;
  readonly #level: Float64Array;
  readonly #rate: Float64Array;
  readonly #per: Float64Array;
  readonly #counts = new Float64Array(bucketsMax);
  #random: number;
  /** How busy the target is; wanders between a half and two. */
  #load = 1;

  constructor(specs: readonly SeriesSpec[], seed: number) {
    this.#specs = specs;
    this.values = new Float64Array(specs.length);
    this.#process = Uint8Array.from(specs, ({ process }) => process);
    this.#level = Float64Array.from(specs, ({ level }) => level);
    this.#state = this.#level.slice();
    this.#rate = Float64Array.from(specs, ({ rate }) => rate);
    this.#per = Float64Array.from(specs, ({ per }) => per);
    this.#random = (seed ^ 0x9e3779b9) | 1;
    for (let i = 0; i < 8; i++) this.#next();
  }

  /** Takes over the state of the series of `from` that are here, too. */
  continueFrom(from: TargetValues): void {
    const before = new Map(from.#specs.map((spec, i) => [spec, i]));
    for (const [i, spec] of this.#specs.entries()) {
      const at = before.get(spec);
      if (at !== undefined) this.#state[i] = from.#state[at] as number;
    }
    this.#load = from.#load;
  }

  /** Counters that begin at nothing are as if they had been scraped that often. */
  age(scrapes: number): void {
    for (let i = 0; i < this.#process.length; i++) {
      const process = this.#process[i];
      const rate = (this.#rate[i] as number) * scrapes;
      if (process === Process.histogram) this.#observe(i, rate);
      else if ((process === Process.events || process === Process.amount) && this.#level[i] === 0)
        this.#state[i] = Math.round(rate);
    }
  }

  /** The process behind the target restarts: its counters begin again. */
  reset(): void {
    for (let i = 0; i < this.#process.length; i++) {
      const process = this.#process[i] as Process;
      const isCounter =
        (process >= Process.events && process <= Process.burst) || process >= Process.histogram;
      if (isCounter) this.#state[i] = 0;
    }
  }

  step(timeMs: number): Float64Array {
    this.#load = Math.min(2, Math.max(0.5, this.#load + 0.05 * this.#normal()));
    for (let i = 0; i < this.#process.length; i++) this.#stepOne(i, timeMs);
    const { values } = this;
    for (let i = 0; i < values.length; i++) {
      values[i] = (this.#state[i] as number) / (this.#per[i] as number);
    }
    return values;
  }

  #stepOne(i: number, timeMs: number): void {
    const state = this.#state;
    const rate = this.#rate[i] as number;
    const level = this.#level[i] as number;
    const at = state[i] as number;
    switch (this.#process[i]) {
      case Process.events:
        state[i] = at + this.#events(rate * this.#load);
        break;
      case Process.amount:
        state[i] = at + Math.round(Math.max(0, rate * this.#load * (1 + this.#normal() / 3)));
        break;
      case Process.burst:
        if (this.#uniform() < 0.05) state[i] = at + 1 + Math.floor(rate * 2 * this.#uniform());
        break;
      case Process.walk:
        state[i] = Math.max(0, Math.round(at + (level - at) / 200 + rate * this.#normal()));
        break;
      case Process.noise:
        state[i] = Math.max(0, Math.round(level + rate * this.#normal()));
        break;
      case Process.smallSet:
        if (this.#uniform() < 0.2) {
          state[i] = this.#uniform() < 0.6 ? 0 : Math.floor((rate + 1) * this.#uniform());
        }
        break;
      case Process.slow:
        if (this.#uniform() < 0.01) state[i] = Math.max(0, Math.round(level + rate * this.#normal()));
        break;
      case Process.clock:
        state[i] = timeMs * 1000 + Math.floor(1000 * this.#uniform());
        break;
      case Process.histogram:
        this.#observe(i, rate * this.#load);
        break;
    }
  }

  /** Moves the histogram whose first bucket is series `first`. */
  #observe(first: number, rate: number): void {
    const observations = this.#events(rate);
    if (observations === 0) return;
    const buckets = this.#specs[first]?.buckets as number;
    const counts = this.#counts.fill(0, 0, buckets);
    // Latencies crowd around the middle bounds; two uniform numbers make the hill.
    const single = Math.min(observations, 64);
    const weight = observations / single;
    for (let k = 0; k < single; k++) {
      const bucket = Math.floor((this.#uniform() + this.#uniform()) * 0.5 * buckets);
      counts[bucket] = (counts[bucket] as number) + weight;
    }
    let below = 0;
    for (let b = 0; b < buckets - 1; b++) {
      below += counts[b] as number;
      this.#state[first + b] = (this.#state[first + b] as number) + Math.floor(below);
    }
    this.#state[first + buckets - 1] = (this.#state[first + buckets - 1] as number) + observations;
    const sum = first + buckets;
    const spent = observations * nanosecondsPerObservation * (0.5 + this.#uniform());
    this.#state[sum] = (this.#state[sum] as number) + Math.floor(spent);
    this.#state[sum + 1] = (this.#state[sum + 1] as number) + observations;
  }

  /** A Poisson number; by the normal distribution where the mean is large. */
  #events(mean: number): number {
    if (mean > 12) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.#normal()));
    const floor = Math.exp(-mean);
    let count = 0;
    for (let product = this.#uniform(); product > floor; product *= this.#uniform()) count++;
    return count;
  }

  /** Near enough to the normal distribution: four uniform numbers. */
  #normal(): number {
    return (this.#uniform() + this.#uniform() + this.#uniform() + this.#uniform() - 2) * Math.sqrt(3);
  }

  #uniform(): number {
    return this.#next() / 0x1_0000_0000;
  }

  /** xorshift32 (Marsaglia). */
  #next(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return x >>> 0;
  }
}
