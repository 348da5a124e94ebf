/**
 * Random queries to a real Prometheus and to our engine over the same data. What may differ, and why, is listed here; each
 * other difference is one of ours, or worth a line here.
 */
import { seededRandom, systemClock } from '../../../src/base/index.ts';
import { Engine, QueryError, resultToJson } from '../../../src/promql/index.ts';
import { GivenStorage } from '../../../src/promql/testing/storage.ts';
import { type ApiAnswer, api, difference } from '../compare.ts';
import { intervalMs, randomData, requestsOf, rounds } from './data.ts';
import { randomLanguageQuery } from './language.ts';

export interface Difference {
  readonly query: string;
  readonly request: string;
  readonly what: string;
}

export interface RandomComparison {
  readonly asked: number;
  /** Those that both answered, rather than refused. */
  readonly valid: number;
  readonly known: Readonly<Record<string, number>>;
  readonly differences: readonly Difference[];
}

/** Why answers may differ, by what the query and the difference look like: ours follow a later release. */
const knownReasons: readonly (readonly [reason: string, query: RegExp, difference: RegExp])[] = [
  [
    'histogram_fraction knows classic histograms since 3.6',
    /histogram_fraction/,
    /real \[[^\]]*"NaN"|ours has|\d/,
  ],
  [
    'dates of what is no time depend on how the processor converts floats',
    /minute|hour|day_of|days_in|month|year/,
    /./,
  ],
  ['regression over huge values cancels most digits', /deriv|predict_linear/, /e\+\d\d/],
  [
    'a selector with @ in a subquery of negative offset: the real one reads too little, and finds an older sample',
    /@.*\[\w+:\w+\] offset -/,
    /ours/,
  ],
  ['NaN makes mad_over_time NaN since 3.6', /mad_over_time/, /ours \[[^\]]*"NaN"/],
  [
    'matches are judged before comparisons filter since 3.6',
    /==|!=|<|>/,
    /^ours error execution ; real success/,
  ],
  [
    'rates of native histograms do not go below zero since 3.6',
    /(?:rate|increase)\(.*(?:native|mixed|job=)/,
    /ours \[/,
  ],
];

/** Means of native histograms have a bucket too full now and then, and are right when they are asked for again. */
const otherwise = 'the real one answers otherwise when it is asked again';

const limits = { samplesMax: 50_000_000, timeoutMs: 60_000, lookbackMs: 300_000 };
const depthMost = 3;

/** `url` is that of an empty Prometheus with a receiver for remote write. */
export async function compareRandom(
  url: string,
  options: { readonly seed: number; readonly queries: number; readonly report?: (asked: number) => void },
): Promise<RandomComparison> {
  const endMs = Math.floor(systemClock.nowMs() / 60_000) * 60_000;
  const startMs = endMs - rounds * intervalMs;
  const series = randomData(options.seed, startMs);
  for (const body of requestsOf(series, startMs)) await write(url, body);
  const engine = new Engine({ limits, clock: systemClock, features: { experimentalFunctions: true } });
  const storage = new GivenStorage(series);
  const random = seededRandom(options.seed + 1);
  const known: Record<string, number> = {};
  const differences: Difference[] = [];
  let valid = 0;
  for (let asked = 0; asked < options.queries; asked++) {
    const query = randomLanguageQuery(random, random.below(depthMost) + 1, startMs / 1000);
    const range = drawRange(random.below(4), random.below(rounds - 20), startMs);
    const real = withoutNotes(await askReal(url, query, range));
    const ours = withoutNotes(await askEngine(engine, storage, query, range));
    if (real.status === 'success' && ours.status === 'success') valid++;
    const compared = { tolerance: 1e-9, ordered: false };
    const what = difference(ours, real, compared);
    if (asked % 1000 === 999) options.report?.(asked + 1);
    if (what === undefined) continue;
    const again = withoutNotes(await askReal(url, query, range));
    if (difference(real, again, compared) !== undefined) {
      known[otherwise] = (known[otherwise] ?? 0) + 1;
      continue;
    }
    const reason = knownReasons.find(([, asked, found]) => asked.test(query) && found.test(what))?.[0];
    if (reason === undefined) differences.push({ query, request: JSON.stringify(range), what });
    else known[reason] = (known[reason] ?? 0) + 1;
  }
  return { asked: options.queries, valid, known, differences };
}

interface Range {
  readonly instant: boolean;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

function drawRange(kind: number, round: number, dataStartMs: number): Range {
  const atMs = dataStartMs + (round + 15) * intervalMs;
  if (kind === 0) return { instant: true, startMs: atMs, endMs: atMs, stepMs: 1 };
  const stepMs = [15_000, 37_000, 60_000][kind - 1] as number;
  return { instant: false, startMs: atMs, endMs: atMs + 20 * stepMs, stepMs };
}

async function write(url: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const headers = {
    'content-encoding': 'snappy',
    'content-type': 'application/x-protobuf',
    'x-prometheus-remote-write-version': '0.1.0',
  };
  const response = await fetch(`${url}/api/v1/write`, { method: 'POST', headers, body });
  if (!response.ok) throw new Error(`remote write: ${response.status} ${await response.text()}`);
}

function askReal(url: string, query: string, { instant, startMs, endMs, stepMs }: Range): Promise<ApiAnswer> {
  const seconds = (ms: number): string => String(ms / 1000);
  if (instant) return api(url, 'query', { query, time: seconds(startMs) });
  return api(url, 'query_range', {
    query,
    start: seconds(startMs),
    end: seconds(endMs),
    step: seconds(stepMs),
  });
}

async function askEngine(
  engine: Engine,
  storage: GivenStorage,
  query: string,
  range: Range,
): Promise<ApiAnswer> {
  try {
    const result = await engine.evaluate(query, range, { storage }, new AbortController().signal);
    const data: unknown = JSON.parse(resultToJson(result, range.instant));
    return { status: 'success', data };
  } catch (error) {
    if (error instanceof QueryError) return { status: 'error', errorType: error.code };
    throw error;
  } finally {
    storage.requests.length = 0;
  }
}

/** Values and refusals are compared, not words: those of 3.5 were changed in later releases, which ours follows. */
function withoutNotes({ status, errorType, data }: ApiAnswer): ApiAnswer {
  return { status, ...(errorType === undefined ? {} : { errorType }), data };
}
