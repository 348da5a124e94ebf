/**
 * A shard's data as write batches, for hand-over to another node: window by window in the order of time, then what is in
 * memory. Each batch holds samples of one epoch, because the epoch decides at the receiver which of two values for one
 * timestamp stands.
 */
import { type WriteBatch, WriteBatchBuilder } from '../../model/index.ts';
import type { HeadExport } from '../memory/head_export.ts';
import type { HeadStore } from '../memory/head_store.ts';
import type { WindowSet } from '../window/window_set.ts';

export interface ExportedBatch extends WriteBatch {
  /** To be given to `append` with `bypassOutOfOrder`. */
  readonly epoch: number;
}

/** Batches of at most `samplesMax` samples. Nothing may be sealed until the last one. */
export async function* exportShard(
  shard: number,
  head: HeadStore,
  windows: WindowSet,
  samplesMax: number,
): AsyncGenerator<ExportedBatch> {
  const batches = new Batches(samplesMax);
  for await (const one of windows.exportSeries()) yield* batches.add({ ...one, count: one.times.length });
  for (const one of head.exportSeries(shard)) yield* batches.add(one);
  yield* batches.rest();
}

class Batches {
  readonly #samplesMax: number;
  #builder = new WriteBatchBuilder();
  #epoch = 0;

  constructor(samplesMax: number) {
    this.#samplesMax = samplesMax;
  }

  *add({
    epoch,
    labels,
    times,
    values,
    count,
    histograms,
    startTimes,
  }: HeadExport): Generator<ExportedBatch> {
    if (epoch !== this.#epoch) yield* this.rest();
    this.#epoch = epoch;
    for (let i = 0; i < count; i++) {
      const timeMs = times[i] as number;
      const startMs = startTimes?.[i] ?? 0;
      const histogram = histograms?.[i] ?? null;
      if (histogram === null) this.#builder.addFrom(labels, timeMs, values, i, startMs);
      else this.#builder.addHistogram(labels, timeMs, histogram, startMs);
      if (this.#builder.sampleCount >= this.#samplesMax) yield* this.rest();
    }
  }

  *rest(): Generator<ExportedBatch> {
    if (this.#builder.sampleCount === 0) return;
    yield { epoch: this.#epoch, ...this.#builder.finish() };
    this.#builder = new WriteBatchBuilder();
  }
}
