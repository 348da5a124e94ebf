/**
 * A head's data as write batches, for hand-over to another node. Each batch holds samples of one epoch, because the
 * epoch decides at the receiver which of two values for one timestamp stands.
 */
import { type WriteBatch, WriteBatchBuilder } from '../model/index.ts';
import type { Head } from './head.ts';

export interface ExportedBatch extends WriteBatch {
  /** To be given to `append` with `bypassOutOfOrder`. */
  readonly epoch: number;
}

/** Epoch after epoch, series after series, oldest sample first; at most `samplesMax` samples each. */
export function* exportHead(head: Head, samplesMax: number): Generator<ExportedBatch> {
  const series = [...head.allSeries()];
  const epochs = new Set<number>();
  for (const one of series) for (const { epoch } of one.epochRuns()) epochs.add(epoch);
  for (const epoch of [...epochs].sort((a, b) => a - b)) {
    let builder = new WriteBatchBuilder();
    for (const one of series) {
      for (const run of [...one.epochRuns()].filter((candidate) => candidate.epoch === epoch)) {
        const { timestamps, values } = one.columns(run.start, run.end);
        for (let i = 0; i < timestamps.length; i++) {
          builder.addFrom(one.labels, timestamps[i] as number, values, i);
          if (builder.sampleCount < samplesMax) continue;
          yield { epoch, ...builder.finish() };
          builder = new WriteBatchBuilder();
        }
      }
    }
    if (builder.sampleCount > 0) yield { epoch, ...builder.finish() };
  }
}
