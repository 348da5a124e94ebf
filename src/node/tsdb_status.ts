/** The workers' counts of what is in memory, joined to the data of /api/v1/status/tsdb. */
import type { LookupSpec } from '../actors/index.ts';
import type { Answer } from '../api/index.ts';

interface Count {
  readonly name: string;
  readonly count: number;
}

/** What a worker tells; see `cardinality` of its reports. */
export interface WorkerCardinality {
  readonly series: number;
  readonly seriesByMetric: readonly Count[];
  readonly seriesByPair: readonly Count[];
  readonly valuesByLabel: readonly Count[];
  readonly minTimeMs: number | null;
  readonly maxTimeMs: number | null;
}

interface ValueCount extends Count {
  readonly bytes: number;
}

interface NamedValue {
  readonly name: string;
  readonly value: number;
}

/** What Prometheus shows of a head without samples. */
const noTimes = '{"minTime":9223372036854775807,"maxTime":-9223372036854775808}';
/** Labels whose values are counted exactly. */
const countedLabelsMax = 100;

/** How many of the largest each worker is asked for: what is large in sum need not be so everywhere. */
export const askedEntries = (limit: number): number => Math.min(1_000_000, Math.max(200, limit * 10));

/** A series lies in one store, so that counts of series add up. */
function summed(lists: readonly (readonly Count[])[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { name, count } of lists.flat()) sums.set(name, (sums.get(name) ?? 0) + count);
  return sums;
}

function largest(counts: Iterable<readonly [string, number]>, limit: number): NamedValue[] {
  return [...counts]
    .map(([name, value]) => ({ name, value }))
    .sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1))
    .slice(0, limit);
}

/**
 * The status of all nodes. `lookup` counts the values of labels, which several stores may have in common, over the cluster.
 */
export async function tsdbStatus(
  parts: readonly WorkerCardinality[],
  limit: number,
  lookup: (spec: LookupSpec) => Promise<Answer>,
): Promise<{ readonly data: string; readonly warnings: readonly string[] }> {
  const minTimes = parts.flatMap(({ minTimeMs }) => minTimeMs ?? []);
  const maxTimes = parts.flatMap(({ maxTimeMs }) => maxTimeMs ?? []);
  const hasData = minTimes.length > 0;
  const [minTime, maxTime] = [Math.min(...minTimes), Math.max(...maxTimes)];
  const candidates = largest(summed(parts.map(({ valuesByLabel }) => valuesByLabel)), countedLabelsMax);
  const counted = hasData
    ? await lookup({
        what: 'valueCounts',
        label: '',
        selectors: candidates.map(({ name }) => name),
        fromMs: minTime,
        toMs: maxTime,
        limit: 0,
      })
    : { data: new TextEncoder().encode('[]'), warnings: [] };
  const values = JSON.parse(new TextDecoder().decode(counted.data)) as ValueCount[];
  const series = parts.reduce((sum, part) => sum + part.series, 0);
  const json = JSON.stringify({
    headStats: {
      numSeries: series,
      numLabelPairs: values.reduce((sum, { count }) => sum + count, 0),
      // Every series in memory has one column that grows.
      chunkCount: series,
      minTime,
      maxTime,
    },
    seriesCountByMetricName: largest(summed(parts.map((part) => part.seriesByMetric)), limit),
    labelValueCountByLabelName: largest(
      values.map(({ name, count }) => [name, count]),
      limit,
    ),
    memoryInBytesByLabelName: largest(
      values.map(({ name, bytes }) => [name, bytes]),
      limit,
    ),
    seriesCountByLabelValuePair: largest(summed(parts.map((part) => part.seriesByPair)), limit),
  });
  // Integers beyond those that JavaScript can print.
  const data = hasData ? json : json.replace(/"minTime":null,"maxTime":null/, noTimes.slice(1, -1));
  return { data, warnings: counted.warnings };
}
