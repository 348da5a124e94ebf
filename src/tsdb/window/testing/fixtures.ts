/** Sets of windows over a disk in memory, and samples as short text, for tests of sealed windows. */
import { silentLogger } from '../../../base/index.ts';
import { Labels, type SeriesColumns } from '../../../model/index.ts';
import { ManualClock } from '../../testing/fixtures.ts';
import { MemoryDisk } from '../../testing/memory_engine.ts';
import { ByteCache } from '../byte_cache.ts';
import { compareMetricFirst } from '../order.ts';
import { WindowSet, type WindowSetDeps } from '../window_set.ts';
import type { SealSeries } from '../window_writer.ts';

export const everything: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

export async function windowDeps(
  disk: MemoryDisk,
  changes: Partial<WindowSetDeps> = {},
): Promise<WindowSetDeps> {
  return {
    engine: await disk.openEngine(''),
    cache: new ByteCache(16 * 1024 * 1024),
    clock: new ManualClock(),
    log: silentLogger,
    breathe: async () => {},
    ...changes,
  };
}

export async function openSet(
  disk: MemoryDisk = new MemoryDisk(),
  changes: Partial<WindowSetDeps> = {},
): Promise<WindowSet> {
  return WindowSet.open(3, await windowDeps(disk, changes));
}

/** One series from `[time, value]` pairs. */
export function oneSeries(
  labels: Record<string, string>,
  ...samples: readonly (readonly [number, number])[]
): SealSeries {
  return {
    labels: Labels.fromRecord(labels),
    times: Float64Array.from(samples, ([time]) => time),
    values: Float64Array.from(samples, ([, value]) => value),
    count: samples.length,
  };
}

export function inOrder(series: readonly SealSeries[]): SealSeries[] {
  return [...series].sort((a, b) => compareMetricFirst(a.labels, b.labels));
}

/** `name{...} t=v ...`, one line for each series. */
export function shown(columns: readonly SeriesColumns[]): string[] {
  return columns.map(({ labels, timestamps, values }) =>
    [labels.toString(), ...Array.from(timestamps, (time, i) => `${time}=${values[i]}`)].join(' '),
  );
}
