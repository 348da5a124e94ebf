/** Everything that the head holds of a shard, for whoever takes it over or writes it down. */
import type { NewSeries } from '../log/definitions.ts';
import type { SealSeries } from '../window/window_writer.ts';
import type { HeadIndex } from './head_index.ts';
import { type HeadSamples, Late } from './head_samples.ts';
import { SampleColumn } from './sample_column.ts';
import { pageMask } from './series_page.ts';
import type { ShardState } from './shard_table.ts';

/** One series' samples of one window that were written under one epoch. Columns are lent until the next step. */
export interface HeadExport extends SealSeries {
  readonly epoch: number;
}

/** Window by window, epoch by epoch, of each instant the sample that stands. Series may come and go between steps. */
export function* exportSeries(
  index: HeadIndex,
  samples: HeadSamples,
  shard: number,
  windowMs: number,
): Generator<HeadExport> {
  const state = index.table.find(shard);
  if (state === undefined) return;
  const column = new SampleColumn();
  for (const { startMs, epoch } of partsOf(state, windowMs)) {
    for (const ref of index.refs(shard)) {
      const slot = index.series.slotOf(ref);
      if (slot < 0) continue;
      samples.readAll(slot, startMs, startMs + windowMs - 1, Late.both, column);
      column.keepHighest();
      column.keepEpoch(epoch);
      if (column.count === 0) continue;
      const { times, values, count } = column;
      const histograms = column.takeHistograms();
      const startTimes = samples.startTimes(slot, column);
      yield { epoch, labels: index.labels(slot), times, values, count, histograms, startTimes };
    }
  }
}

/** The shard's series whose log number is above `id`. */
export function* seriesSince(index: HeadIndex, shard: number, id: number): Generator<NewSeries> {
  for (const ref of index.refs(shard)) {
    const slot = index.series.slotOf(ref);
    if (slot < 0) continue;
    const own = index.series.page(slot).id[slot & pageMask] as number;
    if (own > id) yield { id: own, labels: index.labels(slot) };
  }
}

function partsOf(state: ShardState, windowMs: number): { startMs: number; epoch: number }[] {
  const parts = new Map<string, { startMs: number; epoch: number }>();
  const note = (timeMs: number, epoch: number): void => {
    const startMs = Math.floor(timeMs / windowMs) * windowMs;
    parts.set(`${startMs}/${epoch}`, { startMs, epoch });
  };
  for (const [startMs, epochs] of state.windows) for (const epoch of epochs) note(startMs, epoch);
  for (const late of [state.late, state.frozen]) for (const one of late.values()) one.forEach(note);
  return [...parts.values()].sort((a, b) => a.startMs - b.startMs || a.epoch - b.epoch);
}
