/** Queries over HTTP; what an empty query takes is taken off. */
import type { PeerProcess } from '../../peers/process.ts';
import { type BenchQuery, chosenQueries, rangeMs } from './queries.ts';
import { type Run, repeat, type Timed } from './repeat.ts';

export async function* askOverHttp(running: PeerProcess, endMs: number): AsyncGenerator<Timed> {
  const cpuSeconds = (): number => running.usage().cpuSeconds;
  const empty = { name: 'empty', text: 'nothing' };
  const idle = await repeat(empty, () => ask(running, empty, endMs), cpuSeconds);
  for (const query of chosenQueries()) {
    const timed = await repeat(query, () => ask(running, query, endMs), cpuSeconds);
    yield { ...timed, medianMs: timed.medianMs - idle.medianMs };
  }
}

async function ask({ url }: PeerProcess, query: BenchQuery, endMs: number): Promise<Run> {
  const { text, stepMs } = query;
  const parameters =
    stepMs === undefined
      ? { query: text, time: String(endMs / 1000) }
      : {
          ...{ query: text, start: String((endMs - rangeMs) / 1000), end: String(endMs / 1000) },
          step: String(stepMs / 1000),
        };
  const path = stepMs === undefined ? 'query' : 'query_range';
  const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const body = await response.text();
  if (!response.ok) throw new Error(`${text}: ${response.status} ${body.slice(0, 300)}`);
  return { bytes: body.length };
}
