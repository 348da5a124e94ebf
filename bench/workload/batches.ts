/** Scrapes as the batches that a shard takes. */
import type { Labels, WriteBatch } from '../../src/model/index.ts';
import type { Scrape, Target } from './data_set.ts';

interface Known {
  readonly series: readonly Labels[];
  readonly refs: Uint32Array;
  readonly storeRefs: Int32Array;
}

/**
 * Makes batches; keeps for each target what a scrape loop keeps: the references that the store has written for its
 * series, as long as these stay the same.
 */
export class Batches {
  readonly #known = new Map<Target, Known>();

  batch({ target, timeMs, values }: Scrape): WriteBatch & { readonly storeRefs: Int32Array } {
    const { series } = target;
    let known = this.#known.get(target);
    if (known?.series !== series) {
      const refs = Uint32Array.from(series, (_, i) => i);
      known = { series, refs, storeRefs: new Int32Array(series.length).fill(-1) };
      this.#known.set(target, known);
    }
    const timestamps = new Float64Array(series.length).fill(timeMs);
    return { ...known, timestamps, values: Float64Array.from(values) };
  }
}
