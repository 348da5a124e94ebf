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
    /real \[[^\]]*"NaN"|^ours has .* too|"NaN"\]/,
  ],
  [
    'parts of a date that histogram_fraction gives since 3.6: of NaN they are what the processor makes of it',
    /(?:hour|minute|month|year|day_of_\w+)\(.*histogram_fraction/,
    /: point \d+: ours/,
  ],
  [
    "the last digit of an exponential is the library's, and decides the angle",
    /(?:sin|cos|tan)\(.*(?:sinh|cosh|exp|\^)/,
    /: point \d+: ours \[[\d.]+,"-?[\d.]+"\], real \[[\d.]+,"-?[\d.]+"\]/,
  ],
  [
    'regression over huge values cancels most digits',
    /(?:deriv|predict_linear)\(.*(?:uneven|__name__|job=)/,
    /e\+\d\d/,
  ],
  [
    'a selector with @ in a subquery of negative offset: the real one reads too little, and finds an older sample',
    /@.*\[\w+:\w+\] offset -/,
    /: point \d+: ours|^ours has .* too/,
  ],
  [
    'counts are judged since 3.6 though there is nothing to count',
    /topk|bottomk|limitk|limit_ratio/,
    /^ours error execution (?:Parameter value is NaN|Scalar value 1e\+20 overflows int64|Ratio value is NaN); real (?:success|error execution)/,
  ],
  [
    'custom buckets of other bounds go together since 3.8',
    /custom|job=/,
    /^notes: .*custom buckets|: point \d+: ours|^ours has .* too|^ours error execution (?:invalid .* factor.*|vector cannot contain metrics with the same labelset|found duplicate series .*); real success/,
  ],
  [
    'the parameter of an aggregation, as it is in later releases too: the real one sees to no @ in it',
    /quantile(?: (?:by|without) \([^)]*\))? \(scalar\(.*@/,
    /./,
  ],
  [
    'the parameter of an aggregation of what is the same at all steps, in later releases too: the real one takes it from the first step alone',
    /quantile(?: (?:by|without) \([^)]*\))? \(scalar\(.*(?:vector\(|time\(\))/,
    /: point \d+: ours|^ours (?:has|lacks) /,
  ],
  [
    'labels may become equal of series that are never together since 3.6',
    /label_replace|label_join|job=|__name__| or /,
    /^ours success .*; real error execution vector cannot contain metrics with the same labelset/,
  ],
  [
    'NaN makes mad_over_time NaN since 3.6',
    /mad_over_time\(.*(?:uneven|__name__|job=)/,
    /: point \d+: ours|^ours (?:has|lacks) .*\["(?:le|job|value)"/,
  ],
  [
    'the real one fails on a sum of histograms with custom buckets',
    /custom|job=/,
    /real error execution unexpected error: runtime error/,
  ],
  [
    'the real one fails to print custom buckets divided by zero, in later releases too',
    /count_values.*(?:custom|job=|__name__)/,
    /^ours success .*; real error execution histograms with custom buckets have no zero bucket/,
  ],
  [
    'means of histograms tell of conflicting resets since 3.6',
    /avg|sum/,
    /^notes: ours .*conflicting counter resets during histogram aggregation/,
  ],
  [
    'which of 0 and -0 is the greater is not defined',
    /count_values.*(?:uneven|__name__|job=)/,
    /^ours (?:lacks|has) .*\["(?:le|job|value)","-?0"\]/,
  ],
  [
    'of what is wrong with several pairs of a step the last is told, in the order of storage',
    / (?:[-+*/%^<>=]=?|!=|atan2) /,
    /^notes: .*incompatible sample types/,
  ],
  [
    'variances of huge values that are nearly the same lose digits',
    /(?:stddev|stdvar).*(?:uneven|1e9|__name__|job=)/,
    /: point \d+: ours \[[\d.]+,"(-?[\d.]{5})[^"]*"\], real \[[\d.]+,"\1/,
  ],
  [
    'differences of what is nearly the same are noise',
    /delta|deriv|rate|increase|-/,
    /: point \d+: ours \[[\d.]+,"(?:0|-?[\d.]+e-1\d)"\], real \[[\d.]+,"(?:0|-?[\d.]+e-1\d)"\]/,
  ],
  [
    'matches are judged before comparisons filter since 3.6',
    /==|!=|<|>/,
    /^ours error execution multiple matches for labels: .*; real (?:success|error execution)/,
  ],
  [
    'rates of native histograms do not go below zero since 3.6',
    /(?<!i)(?:rate|increase)\(.*(?:native|mixed|custom|job=)/,
    /: point \d+: ours \[\d+,"[^"]*"\], real|^ours (?:lacks|has) .*"\{count:/,
  ],
  [
    'last_over_time drops the name that a subquery is to drop since 3.6',
    /last_over_time\(\(/,
    /^ours (?:lacks \[\["__name__"|error execution vector cannot contain metrics with the same labelset; real success)/,
  ],
];

/** Means of native histograms have a bucket too full now and then, and are right when they are asked for again. */
const otherwise = 'the real one answers otherwise when it is asked again';

const limits = { samplesMax: 50_000_000, timeoutMs: 60_000, lookbackMs: 300_000 };
const depthMost = 3;
const notesMost = 10;

export interface RandomOptions {
  readonly seed: number;
  readonly queries: number;
  readonly delayedNameRemoval?: boolean;
  /** Empty nodes of a cluster of ours, each of which is asked, too, and is to answer as the engine does over all data. */
  readonly nodes?: readonly string[];
  readonly report?: (asked: number) => void;
}

/** `url` is that of an empty Prometheus with a receiver for remote write. */
export async function compareRandom(url: string, options: RandomOptions): Promise<RandomComparison> {
  const endMs = Math.floor(systemClock.nowMs() / 60_000) * 60_000;
  const startMs = endMs - rounds * intervalMs;
  const series = randomData(options.seed, startMs);
  const { nodes = [] } = options;
  await writeAll(requestsOf(series, startMs), url, nodes);
  const delayedNameRemoval = options.delayedNameRemoval ?? false;
  const features = { experimentalFunctions: true, durationExpressions: true, delayedNameRemoval };
  const engine = new Engine({ limits, clock: systemClock, features });
  const storage = new GivenStorage(series);
  const random = seededRandom(options.seed + 1);
  const known: Record<string, number> = {};
  const differences: Difference[] = [];
  let valid = 0;
  for (let asked = 0; asked < options.queries; asked++) {
    const query = randomLanguageQuery(random, random.below(depthMost) + 1, startMs / 1000);
    const range = drawRange(random.below(4), random.below(rounds - 20), startMs);
    const real = comparable(await ask(url, query, range));
    const ours = comparable(await askEngine(engine, storage, query, range));
    if (real.status === 'success' && ours.status === 'success') valid++;
    const compared = { tolerance: 1e-9, ordered: false };
    // Labels that are made of values may be the same in the digits that are compared.
    const isComparable = difference(ours, ours, compared) === undefined;
    for (const node of isComparable ? nodes : []) {
      const answer = comparable(await ask(node, query, range));
      const what = difference(answer, ours, compared);
      const request = `${node} ${JSON.stringify(range)}`;
      if (what !== undefined) differences.push({ query, request, what: `than in one place: ${what}` });
    }
    const what = difference(ours, real, compared);
    if (asked % 1000 === 999) options.report?.(asked + 1);
    if (what === undefined) continue;
    const again = comparable(await ask(url, query, range));
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

/** To the real one, and to the nodes in turn. */
async function writeAll(
  bodies: Iterable<Uint8Array<ArrayBuffer>>,
  url: string,
  nodes: readonly string[],
): Promise<void> {
  let turn = 0;
  for (const body of bodies) {
    await write(url, body);
    const node = nodes[turn++ % nodes.length];
    if (node !== undefined) await write(node, body);
  }
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

function ask(url: string, query: string, { instant, startMs, endMs, stepMs }: Range): Promise<ApiAnswer> {
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
    return { status: 'success', data, warnings: result.warnings, infos: result.infos };
  } catch (error) {
    if (error instanceof QueryError) return { status: 'error', errorType: error.code, error: error.message };
    throw error;
  } finally {
    storage.requests.length = 0;
  }
}

/** Of a refusal, the words alone that a client of the HTTP API gets around it. */
const aroundErrors = /^invalid parameter "query": /;

/**
 * Notes come in no order, and no more than ten of a kind. Which two of the series that are too many a refusal lists, and
 * for which group, depends on the order of storage.
 */
function comparable({ status, errorType = '', error = '', data, warnings, infos }: ApiAnswer): ApiAnswer {
  if (status !== 'success') {
    const told = error
      .replace(aroundErrors, '')
      .replace('"<Item 57400>" ', '')
      .replace('Ratio value NaN is NaN', 'Ratio value is NaN')
      .replace('Scalar value NaN overflows int64', 'Parameter value is NaN')
      .replace(/^\d+:\d+(?=: parse error: comparisons between scalars)/, '')
      .replace(/(?<=found duplicate series for the match group ).*/s, '');
    return { status, errorType, error: told };
  }
  const sorted = (notes: readonly string[] = []): readonly string[] =>
    notes.length > notesMost ? [] : [...new Set(notes.map(asOfLater))].filter((note) => note !== '').sort();
  return {
    status,
    data: withoutLastDigits(scalarAsVector(data)),
    warnings: sorted(warnings),
    infos: sorted(infos),
  };
}

/** So that scalars, too, are compared within the tolerance. */
function scalarAsVector(data: unknown): unknown {
  const { resultType, result } = data as { resultType: string; result: unknown };
  return resultType === 'scalar' ? { resultType: 'vector', result: [{ metric: {}, value: result }] } : data;
}

/** Labels that count_values made of values, whose last digits depend on the library of mathematics. */
function withoutLastDigits(data: unknown): unknown {
  return JSON.parse(
    JSON.stringify(data, (key, value: unknown) =>
      typeof value === 'string' && Number.isNaN(Number(key)) ? shorterNumber(value) : value,
    ),
  );
}

function shorterNumber(text: string): string {
  return text.replace(/-?\d+\.\d{8,}(?:e[-+]\d+)?/g, (number) =>
    String(Number(Number(number).toPrecision(12))),
  );
}

/** What later releases say where 3.5 says more, or nothing. */
function asOfLater(note: string): string {
  if (note.includes('sort is ineffective for range queries')) return '';
  return shorterNumber(note)
    .replace(/(bucket label "le" is missing .* of "(?:[^"\\]|\\.)*").*/, '$1')
    .replace(/(needed to be fixed for monotonicity \(see \S+\)).*/, '$1');
}
