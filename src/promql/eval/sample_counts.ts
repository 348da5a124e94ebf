/**
 * How many samples a query looks at, counted as Prometheus counts them: of a selector each value at each step, of a range at
 * each step the whole window, of a subquery only what its windows show; a histogram counts by its size. Whole columns are
 * counted at once, so that counting costs next to nothing; what single steps look at only where somebody asked for it.
 */
import type { SampleStats, StepSeries } from '../types.ts';
import { histogramSize } from './values.ts';

export class SampleCounts {
  total = 0;
  /** One element a step of the query. */
  readonly perStep: Float64Array | undefined;

  constructor(perStep?: Float64Array) {
    this.perStep = perStep;
  }

  /** So many at one step. */
  addAt(step: number, samples: number): void {
    this.total += samples;
    if (this.perStep !== undefined) this.perStep[step] = (this.perStep[step] as number) + samples;
  }

  /** The values of a selector's series, which are `count` over all steps. */
  addSeries({ present, histograms }: StepSeries, count: number): void {
    this.total += count;
    const { perStep } = this;
    if (perStep === undefined) return;
    for (let step = 0; step < perStep.length; step++) {
      if (present[step] !== 1) continue;
      const histogram = histograms?.[step];
      perStep[step] = (perStep[step] as number) + (histogram ? histogramSize(histogram) : 1);
    }
  }

  /** Windows over floats, samples `from[step] <= i < to[step]`, which are `count` over all steps. */
  addWindows(from: Int32Array, to: Int32Array, count: number): void {
    this.total += count;
    const { perStep } = this;
    if (perStep === undefined) return;
    for (let step = 0; step < perStep.length; step++) {
      perStep[step] = (perStep[step] as number) + (to[step] as number) - (from[step] as number);
    }
  }

  /** What another place has counted of the same query on the same steps. */
  addStats({ totalSamples, samplesPerStep }: SampleStats): void {
    this.total += totalSamples;
    const { perStep } = this;
    if (perStep === undefined || samplesPerStep === undefined) return;
    for (let step = 0; step < perStep.length; step++) {
      perStep[step] = (perStep[step] as number) + (samplesPerStep[step] ?? 0);
    }
  }
}

/**
 * What is held at once. Of several places that hold different series of one query all of these are held together, while
 * what each has beside them for itself (scalars, the window at hand) would be there once in a single place.
 */
export class HeldSamples {
  /** Now. */
  total = 0;
  /** Of these, scalars. */
  #shared = 0;
  #peak = 0;
  #peakShared = 0;

  add(samples: number, isShared: boolean): void {
    this.total += samples;
    if (isShared) this.#shared += samples;
    this.look(0, 0);
  }

  /** Notes the peak with more for a moment beside what is held. */
  look(samples: number, shared: number): void {
    if (this.total + samples + shared <= this.#peak) return;
    this.#peak = this.total + samples + shared;
    this.#peakShared = this.#shared + shared;
  }

  /** What is held now, for `backTo`. */
  mark(): HeldMark {
    return { total: this.total, shared: this.#shared };
  }

  backTo({ total, shared }: HeldMark): void {
    this.total = total;
    this.#shared = shared;
  }

  get peak(): number {
    return this.#peak;
  }

  get peakShared(): number {
    return this.#peakShared;
  }
}

export interface HeldMark {
  readonly total: number;
  readonly shared: number;
}

/** The counts of two places that have looked at different series for one part of a query. */
export function joinStats(a: SampleStats, b: SampleStats): SampleStats {
  const peakShared = Math.max(a.peakShared, b.peakShared);
  const counts = new SampleCounts(a.samplesPerStep === undefined ? undefined : a.samplesPerStep.slice());
  counts.total = a.totalSamples;
  counts.addStats(b);
  return {
    totalSamples: counts.total,
    peakSamples: a.peakSamples - a.peakShared + b.peakSamples - b.peakShared + peakShared,
    peakShared,
    series: a.series + b.series,
    workMs: a.workMs + b.workMs,
    ...(counts.perStep === undefined ? {} : { samplesPerStep: counts.perStep }),
  };
}
