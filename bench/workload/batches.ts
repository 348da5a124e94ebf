/** Scrapes as the batches that a shard takes. */
import type { WriteBatch } from '../../src/model/index.ts';
import type { Scrape, ScrapedTarget } from './data_set.ts';

export interface ScrapeBatch extends WriteBatch {
  readonly refs: Uint32Array<ArrayBuffer>;
  readonly timestamps: Float64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
  readonly storeRefs: Int32Array<ArrayBuffer>;
}

/**
 * Makes batches, and keeps for each target what a scrape loop keeps: its columns, and the references that the store has
 * written for its series as long as these stay the same.
 */
export class Batches {
  readonly #known = new Map<ScrapedTarget, ScrapeBatch>();

  /** Good until the target's next batch: the columns are used again. */
  batch({ target, timeMs, values }: Scrape): ScrapeBatch {
    const { series } = target;
    let batch = this.#known.get(target);
    if (batch?.series !== series) {
      batch = {
        series,
        refs: Uint32Array.from(series, (_, i) => i),
        timestamps: new Float64Array(series.length),
        values: new Float64Array(series.length),
        storeRefs: new Int32Array(series.length).fill(-1),
      };
      this.#known.set(target, batch);
    }
    batch.timestamps.fill(timeMs);
    batch.values.set(values);
    return batch;
  }
}
