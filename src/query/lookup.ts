/** Series, label names and label values over the whole cluster: sorted, without repeats, cut at a limit. */
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
  /** There were more than the limit. */
  readonly isCut: boolean;
}

/** One more than wanted tells whether there are more. */
function withOneMore(request: LookupRequest): LookupRequest {
  const { limit = 0 } = request;
  return limit > 0 ? { ...request, limit: limit + 1 } : request;
}

function cut<T>(
  values: readonly T[],
  { limit = 0 }: LookupRequest,
): { values: readonly T[]; isCut: boolean } {
  const isCut = limit > 0 && values.length > limit;
  return { values: isCut ? values.slice(0, limit) : values, isCut };
}

export const lookupDeadlineMs = 30_000;

export async function askAll(
  replicas: Replicas,
  kind: string,
  payload: (tableVersion: number) => Uint8Array,
  signal: AbortSignal,
): Promise<{ payloads: Uint8Array[]; warnings: string[] }> {
  const gaps = new Gaps();
  const fanOut = new FanOut(replicas, gaps);
  const payloads = await fanOut.underOneTable(signal, [], (attempt) => {
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
    encodeLookup({ tableVersion, deadlineMs: lookupDeadlineMs }, 'series', withOneMore(request));
  const { payloads, warnings } = await askAll(replicas, ExecuteKind.Series, payload, signal);
  const byKey = new Map<string, Labels>();
  for (const labels of payloads.flatMap(decodeLabelSets)) byKey.set(labels.key(), labels);
  const sorted = [...byKey.values()].sort((a, b) => a.compare(b));
  return { ...cut(sorted, request), warnings };
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
    encodeLookup({ tableVersion, deadlineMs: lookupDeadlineMs }, kind, withOneMore(request), label);
  const executeKind = label === undefined ? ExecuteKind.LabelNames : ExecuteKind.LabelValues;
  const { payloads, warnings } = await askAll(replicas, executeKind, payload, signal);
  const values = [...new Set(payloads.flatMap(decodeStrings))].sort(compareBytes);
  return { ...cut(values, request), warnings };
}
