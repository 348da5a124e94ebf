/** What the killed process writes: every sample's value follows from its shard, series and time, so that any can be checked. */
import { Labels, type SeriesColumns, type WriteBatch, WriteBatchBuilder } from '../../src/model/index.ts';

export const killShards: readonly number[] = [1, 2, 3];
export const storeRetentionMs: number = Number.MAX_SAFE_INTEGER / 4;
export const seriesPerShard = 20;

function sampleValue(shard: number, series: number, time: number): number {
  return shard * 1e9 + series * 1e7 + time;
}

/** One sample of each of the shard's series. */
export function batchFor(shard: number, time: number): WriteBatch {
  const builder = new WriteBatchBuilder();
  for (let series = 0; series < seriesPerShard; series++) {
    const labels = Labels.fromRecord({ __name__: 'kill', series: `${series}` });
    builder.add(labels, time, sampleValue(shard, series, time));
  }
  return builder.finish();
}

/** What is wrong with a shard that must hold all times from 1 to at least `acknowledged`, if anything. */
export function faultOf(
  shard: number,
  columns: readonly SeriesColumns[],
  acknowledged: number,
): string | undefined {
  if (acknowledged > 0 && columns.length !== seriesPerShard) return `${columns.length} series`;
  for (const { labels, timestamps, values } of columns) {
    const series = Number(labels.get('series'));
    if (timestamps.length < acknowledged) {
      return `series ${series} has ${timestamps.length} samples, ${acknowledged} were acknowledged`;
    }
    for (let i = 0; i < timestamps.length; i++) {
      if (timestamps[i] !== i + 1) return `series ${series} has time ${timestamps[i]} where ${i + 1} belongs`;
      if (values[i] !== sampleValue(shard, series, i + 1))
        return `series ${series} has ${values[i]} at ${i + 1}`;
    }
  }
  return undefined;
}
