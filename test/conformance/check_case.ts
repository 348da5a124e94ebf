/**
 * Evaluates one case and judges it, as Prometheus' own runner does: instant queries also as a range query around
 * their time, and with `@ T` on every selector.
 */
import type { FloatHistogram } from '../../src/model/index.ts';
import {
  type Engine,
  type Expr,
  type MatrixSeries,
  QueryError,
  type QueryResult,
} from '../../src/promql/index.ts';
import { withAt } from './at_every_selector.ts';
import type { MemoryStorage } from './memory_storage.ts';
import { sameHistogram } from './same_histogram.ts';
import type { EvalCommand, TextMatch } from './script.ts';
import type { Point, SeriesLine } from './series_line.ts';

/** Why a case failed; undefined when it passed. */
export type Verdict = undefined | { readonly reason: string };

const tolerance = 1e-6;

/** Calls that mean something else in a range query. */
const queryContextCall = /\b(?:start|end|range|step)\(\)/;

export async function checkCase(
  engine: Engine,
  command: EvalCommand,
  storage: MemoryStorage,
): Promise<Verdict> {
  let result: QueryResult;
  try {
    result = await evaluate(engine, command.query, command, storage);
  } catch (error) {
    return judgeError(error, command);
  }
  if (command.expect.fail.length > 0) return { reason: 'expected an error, got a result' };
  const verdict = judgeResult(result, command) ?? judgeAnnotations(result, command);
  if (verdict !== undefined || !command.instant) return verdict;
  return checkVariants(engine, command, storage, result);
}

interface Times {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  readonly instant: boolean;
}

function evaluate(
  engine: Engine,
  query: string | Expr,
  times: Times,
  storage: MemoryStorage,
): Promise<QueryResult> {
  return engine.evaluate(query, times, { storage }, new AbortController().signal);
}

async function checkVariants(
  engine: Engine,
  command: EvalCommand,
  storage: MemoryStorage,
  expected: QueryResult,
): Promise<Verdict> {
  const at = command.startMs;
  if (expected.value.type === 'matrix' || expected.value.type === 'string') return undefined;
  try {
    const pinned = await evaluate(engine, withAt(engine.parse(command.query), at), command, storage);
    const asPinned = judgeResult(pinned, command);
    if (asPinned !== undefined) return { reason: `with @ on every selector: ${asPinned.reason}` };
    if (queryContextCall.test(command.query)) return undefined;
    const around = { startMs: at - 60_000, endMs: at + 60_000, stepMs: 60_000, instant: false };
    const range = await evaluate(engine, command.query, around, storage);
    const asRange = judgeRange(range, command, at);
    if (asRange !== undefined) return { reason: `as a range query: ${asRange.reason}` };
  } catch (error) {
    return { reason: `in another form: ${error instanceof Error ? error.message : String(error)}` };
  }
  return undefined;
}

function judgeError(error: unknown, { expect }: EvalCommand): Verdict {
  if (!(error instanceof Error)) throw error;
  if (!(error instanceof QueryError)) return { reason: `crashed: ${error.stack}` };
  if (expect.fail.length === 0) return { reason: `unexpected error: ${error.message}` };
  if (expect.fail.some((match) => matches(match, error.message))) return undefined;
  return { reason: `error "${error.message}" is not the expected ${JSON.stringify(expect.fail)}` };
}

function matches(match: TextMatch, text: string): boolean {
  if (match.kind === 'any') return true;
  return match.kind === 'exact' ? match.text === text : new RegExp(match.text).test(text);
}

function judgeAnnotations(result: QueryResult, { expect }: EvalCommand): Verdict {
  if (expect.noWarn && result.warnings.length > 0)
    return { reason: `unexpected warnings ${result.warnings}` };
  if (expect.noInfo && result.infos.length > 0) return { reason: `unexpected infos ${result.infos}` };
  return judgeTexts('warning', expect.warn, result.warnings) ?? judgeTexts('info', expect.info, result.infos);
}

function judgeTexts(what: string, expected: readonly TextMatch[], got: readonly string[]): Verdict {
  if (expected.length === 0) return undefined;
  if (got.length === 0) return { reason: `no ${what}` };
  for (const match of expected) {
    if (!got.some((text) => matches(match, text))) return { reason: `${what} ${match.text} not in ${got}` };
  }
  const surplus = got.find((text) => !expected.some((match) => matches(match, text)));
  return surplus === undefined ? undefined : { reason: `unexpected ${what} ${surplus}` };
}

function judgeResult(result: QueryResult, command: EvalCommand): Verdict {
  const { value } = result;
  const { expect, scalar } = command;
  if (expect.string !== undefined) {
    if (value.type === 'string' && value.text === expect.string) return undefined;
    return { reason: `expected the string ${expect.string}` };
  }
  if (value.type === 'scalar') {
    if (scalar?.kind === 'float' && sameFloat(scalar.value, value.value)) return undefined;
    return { reason: `got the scalar ${value.value}` };
  }
  if (value.type === 'string') return { reason: 'got a string' };
  if (value.type === 'vector') {
    if (scalar !== undefined) return { reason: 'got a vector, not a scalar' };
    return judgeVector(value.samples, command);
  }
  return judgeMatrix(value.series, command, expect.rangeVector ?? command);
}

interface Sample {
  readonly labels: SeriesLine['labels'];
  readonly value: number;
  readonly histogram?: FloatHistogram;
}
type Samples = readonly Sample[];

function judgeVector(samples: Samples, { series, expect }: EvalCommand): Verdict {
  const got = samples.map((one) => `${one.labels} ${shown(one)}`).join(' | ');
  if (samples.length !== series.length)
    return { reason: `${samples.length} series, not ${series.length}: ${got}` };
  for (const [index, { labels, points }] of series.entries()) {
    const sample = expect.ordered ? samples[index] : samples.find((one) => one.labels.equals(labels));
    if (sample === undefined || !sample.labels.equals(labels))
      return { reason: `${labels} is missing in ${got}` };
    if (!sameSample(points[0], sample)) return { reason: `${labels} has ${shown(sample)}` };
  }
  return undefined;
}

type Value = Pick<Sample, 'value' | 'histogram'>;

function shown({ value, histogram }: Value): string {
  return histogram === undefined ? String(value) : histogram.toNotation();
}

function sameSample(expected: Point | undefined, { value, histogram }: Value): boolean {
  if (expected?.kind === 'histogram') {
    return (
      histogram !== undefined && sameHistogram(expected.histogram, histogram, expected.hintNamed, sameFloat)
    );
  }
  return expected?.kind === 'float' && histogram === undefined && sameFloat(expected.value, value);
}

function judgeMatrix(
  got: readonly MatrixSeries[],
  { series }: EvalCommand,
  times: { startMs: number; stepMs: number },
): Verdict {
  if (got.length !== series.length) {
    const names = got.map(({ labels, values }) => `${labels} ${values}`).join(' | ');
    return { reason: `${got.length} series, not ${series.length}: ${names}` };
  }
  for (const { labels, points } of series) {
    const one = got.find((candidate) => candidate.labels.equals(labels));
    if (one === undefined) return { reason: `${labels} is missing` };
    const reason = judgePoints(one, points, times);
    if (reason !== undefined) return { reason: `${labels}: ${reason}` };
  }
  return undefined;
}

function judgePoints(
  { timestamps, values, histograms }: MatrixSeries,
  points: readonly Point[],
  { startMs, stepMs }: { startMs: number; stepMs: number },
): string | undefined {
  let next = 0;
  for (const [index, point] of points.entries()) {
    if (point.kind === 'none') continue;
    if (timestamps[next] !== startMs + index * stepMs) return `no point ${index}: ${timestamps} ${values}`;
    const sample = sampleOf(values[next] as number, histograms?.[next]);
    if (!sameSample(point, sample)) return `point ${index} is ${shown(sample)}`;
    next++;
  }
  return next === timestamps.length ? undefined : `more points than expected: ${timestamps} ${values}`;
}

function sampleOf(value: number, histogram: FloatHistogram | null | undefined): Value {
  return histogram ? { value, histogram } : { value };
}

/** The point at the instant's time. */
function judgeRange(result: QueryResult, command: EvalCommand, at: number): Verdict {
  const { value } = result;
  if (value.type !== 'matrix') return { reason: `a range query gave a ${value.type}` };
  const samples: Sample[] = [];
  for (const { labels, timestamps, values, histograms } of value.series) {
    const index = timestamps.indexOf(at);
    if (index >= 0) samples.push({ labels, ...sampleOf(values[index] as number, histograms?.[index]) });
  }
  if (command.scalar !== undefined) {
    const [only] = samples;
    return only !== undefined && sameSample(command.scalar, only) ? undefined : { reason: 'another scalar' };
  }
  return judgeVector(samples, { ...command, expect: { ...command.expect, ordered: false } });
}

function sameFloat(expected: number, got: number): boolean {
  if (Number.isNaN(expected) || Number.isNaN(got)) return Number.isNaN(expected) && Number.isNaN(got);
  if (expected === got) return true;
  if (!Number.isFinite(expected) || !Number.isFinite(got)) return false;
  const difference = Math.abs(expected - got);
  const total = Math.abs(expected) + Math.abs(got);
  if (expected === 0 || got === 0) return difference < tolerance * Number.MIN_VALUE;
  return difference / total < tolerance;
}
