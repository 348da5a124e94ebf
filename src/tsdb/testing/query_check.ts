/** Whether a shard's other answers agree with all its samples. */
import assert from 'node:assert/strict';
import { compareBytes, type Labels, type Matcher, matchesAll } from '../../model/index.ts';
import type { ShardStore } from '../shard/shard_store.ts';
import type { ReadSample } from './naive_store.ts';
import { printSamples, samplesOf } from './read_back.ts';

/** A series that was written at some time, and the span of all that was written of it. */
export interface KnownSeries {
  readonly labels: Labels;
  readonly minMs: number;
  readonly maxMs: number;
}

export interface Examination {
  readonly query: { matchers: readonly Matcher[]; fromMs: number; toMs: number; label: string };
  readonly known: ReadonlyMap<string, KnownSeries>;
  readonly isAllInMemory: () => boolean;
  /** What is older may go at any moment. */
  readonly retainedFromMs: number;
  readonly readAll: () => Promise<ReadSample[]>;
}

/** Asks for a part first, so that what the whole brings into caches is not what answers. */
export async function checkAnswers(shard: ShardStore, exam: Examination): Promise<void> {
  const { matchers, fromMs, toMs, label } = exam.query;
  const isRetained = ({ t }: ReadSample): boolean => t >= exam.retainedFromMs;
  const part = samplesOf(await shard.select(matchers, fromMs, toMs)).filter(isRetained);
  const series = await shard.series(matchers, fromMs, toMs);
  const names = await shard.labelNames(matchers, fromMs, toMs);
  const values = await shard.labelValues(label, matchers, fromMs, toMs);
  const all = (await exam.readAll()).filter(isRetained);
  const wanted = all.filter(({ labels, t }) => t >= fromMs && t <= toMs && matchesAll(matchers, labels));
  assert.deepEqual(printSamples(part), printSamples(wanted), 'a part of the samples');

  const hasExpired = [...exam.known.values()].some(({ minMs }) => minMs < exam.retainedFromMs);
  // A window's index says between which times a series has samples, not where in between it has none.
  const must = unique(wanted.map(({ labels }) => labels));
  const may = [...exam.known.values()].filter(
    ({ labels, minMs, maxMs }) => minMs <= toMs && maxMs >= fromMs && matchesAll(matchers, labels),
  );
  const most = exam.isAllInMemory() && !hasExpired ? must : unique(may.map(({ labels }) => labels));
  const sorted = [...series].sort((a, b) => a.compare(b));
  assert.deepEqual(series.map(String), sorted.map(String), 'series are sorted');
  assertBetween(series.map(String), must.map(String), most.map(String), 'series');
  assertBetween(names, namesOf(must), namesOf(most), 'label names');
  assertBetween(values, valuesOf(must, label), valuesOf(most, label), 'label values');
  for (const texts of [names, values]) {
    assert.deepEqual(texts, [...new Set(texts)].sort(compareBytes), 'texts are sorted');
  }
  await checkFigures(shard, all, exam);
}

async function checkFigures(shard: ShardStore, all: readonly ReadSample[], exam: Examination): Promise<void> {
  const { series, samples, minTimeMs, maxTimeMs } = shard.stats();
  assert.ok(samples >= all.length, `${samples} samples, ${all.length} can be read`);
  for (const { t } of all) assert.ok(t >= minTimeMs && t <= maxTimeMs, `${t} in ${minTimeMs}..${maxTimeMs}`);
  assert.ok(series <= exam.known.size, `${series} series of ${exam.known.size}`);
  const counted = await shard.cardinality(10);
  assert.ok(counted.series <= exam.known.size, `${counted.series} series counted of ${exam.known.size}`);
  if (!exam.isAllInMemory()) return;
  if (minTimeMs >= exam.retainedFromMs) assert.equal(samples, all.length, 'what is counted can be read');
  const present = unique(all.map(({ labels }) => labels));
  const byMetric = Map.groupBy(
    present.filter(({ metricName }) => metricName !== ''),
    ({ metricName }) => metricName,
  );
  const expected = [...byMetric].map(([name, { length: count }]) => ({ name, count }));
  if (series === present.length && counted.series === series) {
    assert.deepEqual(
      [...counted.seriesByMetric].sort((a, b) => compareBytes(a.name, b.name)),
      expected.sort((a, b) => compareBytes(a.name, b.name)),
    );
  }
}

function assertBetween(
  found: readonly string[],
  must: readonly string[],
  most: readonly string[],
  what: string,
): void {
  for (const one of must) assert.ok(found.includes(one), `${what}: ${one} is missing`);
  for (const one of found) assert.ok(most.includes(one), `${what}: ${one} is too much`);
}

function unique(labels: readonly Labels[]): Labels[] {
  return [...new Map(labels.map((one) => [one.key(), one])).values()];
}

function namesOf(labels: readonly Labels[]): string[] {
  return unique(labels).flatMap((one) => Object.keys(one.toRecord()));
}

function valuesOf(labels: readonly Labels[], name: string): string[] {
  return labels.map((one) => one.get(name)).filter((value) => value !== '');
}
