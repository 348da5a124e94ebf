/** What tests of remote write need: the samples that servers have, and the queue of a real Prometheus that sends. */
import assert from 'node:assert/strict';
import { until } from '../scenario/api.ts';
import { api, type LabelRecord, labelText } from './compare.ts';
import type { Program } from './programs.ts';

const sendDeadlineMs = 90_000;

/** The sum over all label sets of one of the program's own metrics. */
export async function ownMetric(program: Program, name: string): Promise<number> {
  const response = await fetch(`${program.url}/metrics`, { signal: AbortSignal.timeout(10_000) });
  let sum = 0;
  for (const line of (await response.text()).split('\n')) {
    if (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) sum += Number(line.split(' ').at(-1));
  }
  return sum;
}

/** Resolves when every sample up to a time has been sent and acknowledged. */
export async function untilSent(program: Program, toSeconds: number): Promise<void> {
  await until(`samples up to ${toSeconds} are acknowledged`, sendDeadlineMs, async () => {
    const sent = await ownMetric(program, 'prometheus_remote_storage_queue_highest_sent_timestamp_seconds');
    return sent >= toSeconds ? true : undefined;
  });
}

interface RawSeries {
  readonly metric: LabelRecord;
  readonly values?: readonly (readonly [number, string])[];
}

/** All float samples of a range, by label set. */
export async function samplesOf(
  url: string,
  endSeconds: number,
  rangeSeconds: number,
): Promise<Map<string, string[]>> {
  const query = `{job=~"prometheus|node"}[${rangeSeconds}s]`;
  const { data, error } = await api(url, 'query', { query, time: String(endSeconds) });
  assert.equal(error, undefined);
  const all = new Map<string, string[]>();
  for (const { metric, values } of (data as { result: RawSeries[] }).result) {
    if (values !== undefined)
      all.set(
        labelText(metric),
        values.map(([at, value]) => `${at} ${value}`),
      );
  }
  return all;
}

/** What of `expected` is missing or otherwise in `actual`, shortened; undefined when they are equal. */
export function missing(actual: Map<string, string[]>, expected: Map<string, string[]>): string | undefined {
  const found: string[] = [];
  for (const [key, samples] of expected) {
    const present = new Set(actual.get(key));
    const lost = samples.filter((sample) => !present.has(sample));
    if (lost.length > 0) found.push(`${key} lacks ${lost.length} of ${samples.length}, first ${lost[0]}`);
    else if (present.size !== samples.length) found.push(`${key} has ${present.size}, not ${samples.length}`);
  }
  for (const key of actual.keys()) if (!expected.has(key)) found.push(`${key} is too much`);
  return found.length === 0 ? undefined : `${found.length} series: ${found.slice(0, 3).join('; ')}`;
}

/** Resolves when the program has scraped for so much longer. */
export async function passSeconds(program: Program, seconds: number): Promise<void> {
  const from = await ownMetric(program, 'prometheus_remote_storage_highest_timestamp_in_seconds');
  await until(`${seconds} s more of samples`, 60_000, async () => {
    const now = await ownMetric(program, 'prometheus_remote_storage_highest_timestamp_in_seconds');
    return now >= from + seconds ? true : undefined;
  });
}
