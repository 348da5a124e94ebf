/**
 * Exemplars over the whole cluster. Between workers they travel as the JSON of the API, since that is what becomes of
 * them and they are few: a store holds a bounded number.
 */
import { formatFloat, type Labels } from '../model/index.ts';
import { askAll, lookupDeadlineMs } from './lookup.ts';
import { ExecuteKind, encodeLookup, type LookupRequest } from './payload.ts';
import type { Replicas } from './replicas.ts';

export interface ExemplarSeries {
  readonly labels: Labels;
  /** Ascending in time. */
  readonly exemplars: readonly {
    readonly labels: Labels;
    readonly value: number;
    readonly timestampMs: number;
  }[];
}

interface ExemplarJson {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
  readonly timestamp: number;
}

/** An entry of the `data` of /api/v1/query_exemplars. */
export interface ExemplarSeriesJson {
  readonly seriesLabels: Readonly<Record<string, string>>;
  readonly exemplars: readonly ExemplarJson[];
}

export function encodeExemplars(series: readonly ExemplarSeries[]): Uint8Array {
  const json = series.map(({ labels, exemplars }) => ({
    seriesLabels: labels.toRecord(),
    exemplars: exemplars.map(({ labels: own, value, timestampMs }) => ({
      labels: own.toRecord(),
      value: formatFloat(value),
      timestamp: timestampMs / 1000,
    })),
  }));
  return new TextEncoder().encode(JSON.stringify(json));
}

/** Sorted by labels; what two holders of a shard both have counts once. */
export async function findExemplars(
  replicas: Replicas,
  request: LookupRequest,
  signal: AbortSignal,
): Promise<{ readonly series: readonly ExemplarSeriesJson[]; readonly warnings: readonly string[] }> {
  const payload = (tableVersion: number): Uint8Array =>
    encodeLookup({ tableVersion, deadlineMs: lookupDeadlineMs }, 'exemplars', request);
  const { payloads, warnings } = await askAll(replicas, ExecuteKind.Exemplars, payload, signal);
  const byLabels = new Map<string, ExemplarSeriesJson>();
  for (const bytes of payloads) {
    for (const series of JSON.parse(new TextDecoder().decode(bytes)) as ExemplarSeriesJson[]) {
      const key = keyOf(series.seriesLabels);
      const known = byLabels.get(key);
      byLabels.set(key, known === undefined ? series : joined(known, series));
    }
  }
  const sorted = [...byLabels].sort(([a], [b]) => (a < b ? -1 : 1));
  return { series: sorted.map(([, series]) => series), warnings };
}

/** Labels come in the order of their names from every store. */
const keyOf = (labels: Readonly<Record<string, string>>): string => JSON.stringify(Object.entries(labels));

function joined(a: ExemplarSeriesJson, b: ExemplarSeriesJson): ExemplarSeriesJson {
  const byText = new Map([...a.exemplars, ...b.exemplars].map((one) => [JSON.stringify(one), one]));
  const exemplars = [...byText.values()].sort((x, y) => x.timestamp - y.timestamp);
  return { seriesLabels: a.seriesLabels, exemplars };
}
