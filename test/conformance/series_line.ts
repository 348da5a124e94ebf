/**
 * One line of a promqltest script that describes a series: labels, then points in the expanding notation.
 */
import {
  CounterResetHint,
  FloatHistogram,
  Labels,
  parseFloatText,
  parseSignedDuration,
} from '../../src/model/index.ts';

/** A float, a histogram, a staleness marker, or nothing at this place. */
export type Point =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'histogram'; readonly histogram: FloatHistogram; readonly hintNamed: boolean }
  | { readonly kind: 'stale' }
  | { readonly kind: 'none' };

export interface SeriesLine {
  readonly labels: Labels;
  readonly points: readonly Point[];
  /** Milliseconds from a sample's time to its start time, NaN where it has none. */
  readonly startOffsets?: readonly number[];
}

/** More points than this from one line are refused. */
const pointsMax = 1_000_000;

export class ScriptError extends Error {
  override readonly name = 'ScriptError';
}

const labelPattern =
  /\s*(?:([a-zA-Z_][a-zA-Z0-9_.]*)|("(?:[^"\\]|\\.)*"))\s*(?:=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`))?\s*(,|\})/y;

/** Reads `name{a="b"}`; gives the rest of the line too. */
export function parseMetric(text: string): { labels: Labels; rest: string } {
  const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(text)?.[0] ?? '';
  let at = name.length;
  const pairs: [string, string][] = name === '' ? [] : [['__name__', name]];
  if (text[at] !== '{') return { labels: Labels.fromPairs(pairs), rest: text.slice(at) };
  at++;
  const closed = /^\s*\}/.exec(text.slice(at));
  if (closed !== null) return { labels: Labels.fromPairs(pairs), rest: text.slice(at + closed[0].length) };
  for (;;) {
    labelPattern.lastIndex = at;
    const match = labelPattern.exec(text);
    if (match === null) throw new ScriptError(`bad labels in ${text}`);
    const [whole, plain, quoted, value, end] = match;
    if (value === undefined) pairs.push(['__name__', unquote(quoted ?? '')]);
    else pairs.push([plain ?? unquote(quoted ?? ''), unquote(value)]);
    at += whole.length;
    if (end === '}') break;
    const trailing = /^\s*\}/.exec(text.slice(at));
    if (trailing !== null) {
      at += trailing[0].length;
      break;
    }
  }
  return { labels: Labels.fromPairs(pairs), rest: text.slice(at) };
}

function unquote(text: string): string {
  if (text.startsWith('`')) return text.slice(1, -1);
  const body = text.slice(1, -1);
  return text.startsWith("'") ? body : (JSON.parse(`"${body}"`) as string);
}

export function parseSeriesLine(text: string): SeriesLine {
  const { labels, rest } = parseMetric(text);
  return { labels, points: parsePoints(rest) };
}

export function parsePoints(text: string): Point[] {
  const points: Point[] = [];
  for (const token of tokens(text)) {
    for (const point of expand(token)) {
      points.push(point);
      if (points.length > pointsMax) throw new ScriptError(`more than ${pointsMax} points`);
    }
  }
  return points;
}

/** Milliseconds in the expanding notation, NaN for `_`. */
export function parseDurations(text: string): number[] {
  const offsets: number[] = [];
  for (const token of text.trim().split(/\s+/)) {
    const gap = /^_(?:x(\d+))?$/.exec(token);
    if (gap !== null) {
      for (let i = 0; i < Number(gap[1] ?? 1); i++) offsets.push(Number.NaN);
      continue;
    }
    const match = /^([+-]?[0-9a-z]+?)(?:([+-][0-9a-z]+?))?(?:x(\d+))?$/.exec(token);
    if (match === null) throw new ScriptError(`bad start time ${token}`);
    const [, start = '', delta = '0', count = '0'] = match;
    const step = signedMs(delta);
    for (let i = 0; i <= Number(count); i++) offsets.push(signedMs(start) + i * step);
  }
  return offsets;
}

function signedMs(text: string): number {
  const plain = text.replace(/^\+/, '');
  return /^-?0+$/.test(plain) ? 0 : parseSignedDuration(plain);
}

/** Blank-separated, except inside `{{...}}`. */
function tokens(text: string): string[] {
  return text.match(/(?:\{\{.*?\}\}|[^\s{])+/g) ?? [];
}

const none: Point = { kind: 'none' };
const stale: Point = { kind: 'stale' };

function expand(token: string): Point[] {
  const repeat = /^(_|stale)(?:x(\d+))?$/.exec(token);
  if (repeat !== null) {
    const count = repeat[2] === undefined ? 1 : Number(repeat[2]);
    return new Array<Point>(count).fill(repeat[1] === '_' ? none : stale);
  }
  if (token.startsWith('{{')) return expandHistograms(token);
  const series = /^(.+?)(?:([+-])([0-9.a-zA-Z]+?(?:e[+-]?\d+)?))?x(\d+)$/.exec(token);
  if (series === null) return [{ kind: 'float', value: float(token) }];
  const [, startText, sign, deltaText, countText] = series;
  const start = float(startText ?? '');
  const delta = deltaText === undefined ? 0 : float(deltaText) * (sign === '-' ? -1 : 1);
  const points: Point[] = [];
  let value = start;
  for (let i = 0; i <= Number(countText); i++) {
    points.push({ kind: 'float', value });
    value += delta;
  }
  return points;
}

function float(text: string): number {
  const value = parseFloatText(text);
  if (value === undefined) throw new ScriptError(`"${text}" is no number`);
  return value;
}

function expandHistograms(token: string): Point[] {
  const match = /^\{\{(.*?)\}\}(?:([+-])\{\{(.*?)\}\})?(?:x(\d+))?$/.exec(token);
  if (match === null) throw new ScriptError(`bad histogram ${token}`);
  const [, startText = '', sign, deltaText, countText] = match;
  const hintNamed = startText.includes('counter_reset_hint');
  let histogram = parseHistogram(startText);
  const points: Point[] = [{ kind: 'histogram', histogram, hintNamed }];
  const delta = deltaText === undefined ? undefined : parseHistogram(deltaText);
  for (let i = 0; i < Number(countText ?? 0); i++) {
    if (delta !== undefined) {
      const sum = sign === '-' ? histogram.sub(delta) : histogram.add(delta);
      histogram = sum.histogram.withHint(histogram.counterResetHint);
    }
    points.push({ kind: 'histogram', histogram, hintNamed });
  }
  return points;
}

const hints: Readonly<Record<string, CounterResetHint>> = {
  unknown: CounterResetHint.Unknown,
  reset: CounterResetHint.Reset,
  not_reset: CounterResetHint.NotReset,
  gauge: CounterResetHint.Gauge,
};

/** The inside of `{{...}}`. */
function parseHistogram(text: string): FloatHistogram {
  const fields = new Map<string, string>();
  for (const [, key = '', value = ''] of text.matchAll(/([a-z_]+):(\[[^\]]*\]|\S+)/g)) fields.set(key, value);
  const number = (key: string): number => float(fields.get(key) ?? '0');
  const list = (key: string): Float64Array => {
    const inner = (fields.get(key) ?? '[]').slice(1, -1).trim();
    return Float64Array.from(inner === '' ? [] : inner.split(/\s+/).map(float));
  };
  const positiveBuckets = list('buckets');
  const negativeBuckets = list('n_buckets');
  const spans = (buckets: Float64Array, offset: number) =>
    buckets.length === 0 ? [] : [{ offset, length: buckets.length }];
  return new FloatHistogram({
    schema: number('schema'),
    count: number('count'),
    sum: number('sum'),
    zeroCount: number('z_bucket'),
    zeroThreshold: number('z_bucket_w'),
    positiveBuckets,
    positiveSpans: spans(positiveBuckets, number('offset')),
    negativeBuckets,
    negativeSpans: spans(negativeBuckets, number('n_offset')),
    customValues: list('custom_values'),
    counterResetHint: hints[fields.get('counter_reset_hint') ?? 'unknown'] ?? CounterResetHint.Unknown,
  });
}
