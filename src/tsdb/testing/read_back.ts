/** What a shard answers, as plain samples, and whether the answer is well formed. */
import assert from 'node:assert/strict';
import { ByteWriter } from '../../base/index.ts';
import { type FloatHistogram, type SeriesColumns, writeHistogram } from '../../model/index.ts';
import type { ShardStore } from '../shard/shard_store.ts';
import type { ReadSample } from './naive_store.ts';

export const always: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

export function histogramText(histogram: FloatHistogram): string {
  const writer = new ByteWriter(64);
  writeHistogram(writer, histogram);
  return `histogram ${Buffer.from(writer.finish()).toString('hex')}`;
}

export function floatText(bits: bigint): string {
  return bits.toString(16);
}

/** Asserts that series and samples are in order and columns of one length. */
export function samplesOf(columns: readonly SeriesColumns[]): ReadSample[] {
  const samples: ReadSample[] = [];
  for (const [i, { labels, timestamps, values, histograms, startTimes }] of columns.entries()) {
    const before = columns[i - 1];
    assert.ok(before === undefined || before.labels.compare(labels) < 0, `${labels} is out of order`);
    assert.ok(timestamps.length > 0, `${labels} has no samples`);
    for (const column of [values, histograms, startTimes]) {
      assert.equal(column?.length ?? timestamps.length, timestamps.length, `columns of ${labels}`);
    }
    const bits = new BigUint64Array(values.slice().buffer);
    for (const [k, t] of timestamps.entries()) {
      assert.ok(k === 0 || (timestamps[k - 1] as number) < t, `${labels}: ${t} is out of order`);
      const histogram = histograms?.[k] ?? null;
      const value = histogram === null ? floatText(bits[k] as bigint) : histogramText(histogram);
      samples.push({ labels, t, value, startMs: startTimes?.[k] ?? 0 });
    }
  }
  return samples;
}

export async function readAll(shard: ShardStore): Promise<ReadSample[]> {
  return samplesOf(await shard.select([], ...always));
}

export function printSamples(samples: readonly ReadSample[]): string[] {
  return samples.map(({ labels, t, value, startMs }) => `${labels} ${t} ${value} since ${startMs}`);
}
