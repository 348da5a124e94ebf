/** Series, label names and label values over the whole cluster: sorted, without repeats. */
import { compareBytes, type Labels, type SeriesColumns } from '../model/index.ts';
import { decodeLabelSets, type SelectRequest } from '../promql/index.ts';
import { ClusterStorage } from './cluster_storage.ts';
import { FanOut } from './fan_out.ts';
import { Gaps } from './missing.ts';
import { decodeStrings, ExecuteKind, encodeLookup, type LookupRequest } from './payload.ts';
import type { Replicas } from './replicas.ts';

export interface LookupResult<T> {
  readonly values: readonly T[];
  readonly warnings: readonly string[];
}

const lookupDeadlineMs = 30_000;

async function ask(
  replicas: Replicas,
  kind: string,
  payload: (tableVersion: number) => Uint8Array,
  signal: AbortSignal,
): Promise<{ payloads: Uint8Array[]; warnings: string[] }> {
  const gaps = new Gaps();
  const fanOut = new FanOut(replicas, gaps);
  const payloads = await fanOut.underOneTable(signal, (attempt) => {
    const { whole, scattered } = attempt.assignment;
    return attempt.ask([...whole, ...scattered], { kind, payload }, signal);
  });
  return { payloads, warnings: gaps.warnings() };
}

export async function findSeries(
  replicas: Replicas,
  request: LookupRequest,
  signal: AbortSignal,
): Promise<LookupResult<Labels>> {
  const payload = (tableVersion: number): Uint8Array =>
    encodeLookup({ tableVersion, deadlineMs: lookupDeadlineMs }, 'series', request);
  const { payloads, warnings } = await ask(replicas, ExecuteKind.Series, payload, signal);
  const byKey = new Map<string, Labels>();
  for (const labels of payloads.flatMap(decodeLabelSets)) byKey.set(labels.key(), labels);
  return { values: [...byKey.values()].sort((a, b) => a.compare(b)), warnings };
}

/** Raw series of every holder, joined. */
export async function selectSeries(
  replicas: Replicas,
  request: SelectRequest,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<{ readonly series: readonly SeriesColumns[]; readonly isIncomplete: boolean }> {
  const gaps = new Gaps();
  const storage = new ClusterStorage(new FanOut(replicas, gaps), deadlineMs);
  const series = await storage.select(request, signal);
  return { series, isIncomplete: gaps.warnings().length > 0 };
}

/** Label names, or the values of `label` when it is given. */
export async function findStrings(
  replicas: Replicas,
  request: LookupRequest,
  label: string | undefined,
  signal: AbortSignal,
): Promise<LookupResult<string>> {
  const kind = label === undefined ? 'labelNames' : 'labelValues';
  const payload = (tableVersion: number): Uint8Array =>
    encodeLookup({ tableVersion, deadlineMs: lookupDeadlineMs }, kind, request, label);
  const executeKind = label === undefined ? ExecuteKind.LabelNames : ExecuteKind.LabelValues;
  const { payloads, warnings } = await ask(replicas, executeKind, payload, signal);
  const values = [...new Set(payloads.flatMap(decodeStrings))].sort(compareBytes);
  return { values, warnings };
}
