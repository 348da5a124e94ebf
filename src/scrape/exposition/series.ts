/**
 * The identity part of a line, `name{label="value",...}` or `{"any name",label="value",...}`. `seriesEnd`
 * finds where it ends without understanding it; `parseSeries` understands it, and is needed only
 * for bytes that were never seen: equal bytes parse equally.
 */
import {
  backslash,
  braceClose,
  braceOpen,
  closingQuote,
  comma,
  equals,
  expositionError,
  isMetricStart,
  labelNameEnd,
  lineFeed,
  metricNameEnd,
  quote,
  skipBlanks,
  unescapeValue,
} from './ascii.ts';
import { normalizeBucketLabels } from './normalize.ts';
import type { ExpositionOptions, ExpositionSink, TextSource } from './sink.ts';

/** What the two text formats do differently inside the braces. */
export interface SeriesDialect {
  /** Spaces and tabs between the parts. */
  readonly blanks: boolean;
  /** Raw line feeds inside quotes. */
  readonly lineFeeds: boolean;
}

/** The offset after the series that starts at `at`. Malformed input gives some offset: parseSeries tells. */
export function seriesEnd(body: Uint8Array, at: number, dialect: SeriesDialect): number {
  const nameEnd = metricNameEnd(body, at);
  const next = dialect.blanks ? skipBlanks(body, nameEnd) : nameEnd;
  if (body[next] !== braceOpen) return nameEnd;
  let quoted = false;
  for (let i = next + 1; i < body.length; i++) {
    const byte = body[i];
    if (quoted) {
      if (byte === backslash) i++;
      else if (byte === quote) quoted = false;
    } else if (byte === quote) quoted = true;
    else if (byte === braceClose) return i + 1;
    else if (byte === lineFeed) return i;
  }
  return body.length;
}

/** What the lines before a series say of it. */
export interface FamilyContext {
  /** Of the last TYPE line, whatever its family: Prometheus goes by that too. Empty before the first. */
  type: string;
  /** Of the last UNIT line; empty when there was none. */
  unit: string;
}

interface ParsedSeries {
  readonly name: string;
  /** As written, empty values included. */
  readonly labels: string[];
}

/**
 * The sink's id of the series in `body[at, end)`, which is introduced to the sink when it is new. Throws ExpositionError, and
 * what `sink.define` throws.
 */
export function resolveSeries(
  body: Uint8Array,
  at: number,
  end: number,
  dialect: SeriesDialect,
  { type, unit }: FamilyContext,
  options: ExpositionOptions,
  sink: ExpositionSink,
): number {
  const known = end > at ? sink.find(body, at, end) : -1;
  if (known >= 0) return known;
  if (!isMetricStart(body[at]) && body[at] !== braceOpen) {
    throw expositionError(body, at, 'expected a valid start token');
  }
  const { name, labels } = parseSeries(body, at, dialect, sink);
  normalizeBucketLabels(type, labels);
  return sink.define(body, at, end, withMetadataLabels(options, name, type, unit, labels));
}

/** Types that say nothing. */
const untold: readonly string[] = ['', 'unknown', 'untyped'];

/**
 * The pairs of a series: its name first, then, where they are to be labels, its type and unit, which take the place of
 * exposed labels of these names; then its labels.
 */
export function withMetadataLabels(
  options: ExpositionOptions,
  name: string,
  type: string,
  unit: string,
  labels: readonly string[],
): string[] {
  const pairs = ['__name__', name];
  if (!options.typeAndUnitLabels) return pairs.concat(labels);
  if (!untold.includes(type)) pairs.push('__type__', type);
  if (unit !== '') pairs.push('__unit__', unit);
  const own = pairs.length;
  for (let i = 0; i < labels.length; i += 2) {
    const label = labels[i] as string;
    let isTaken = false;
    for (let known = 0; known < own; known += 2) isTaken ||= pairs[known] === label;
    if (!isTaken) pairs.push(label, labels[i + 1] as string);
  }
  return pairs;
}

/** The series that stands at `at`. Throws ExpositionError. */
export function parseSeries(
  body: Uint8Array,
  at: number,
  dialect: SeriesDialect,
  texts: TextSource,
): ParsedSeries {
  const nameEnd = metricNameEnd(body, at);
  const name = nameEnd > at ? texts.text(body, at, nameEnd) : undefined;
  const next = dialect.blanks ? skipBlanks(body, nameEnd) : nameEnd;
  if (body[next] !== braceOpen) {
    if (name === undefined) throw expositionError(body, at, 'expected a valid start token');
    return { name, labels: [] };
  }
  const braces = parseBraces(body, next + 1, dialect, texts);
  if (name !== undefined && braces.quotedName !== undefined) {
    throw expositionError(body, at, 'metric name already set');
  }
  const metric = name ?? braces.quotedName;
  if (metric === undefined) throw expositionError(body, at, 'metric name not set');
  return { name: metric, labels: braces.labels };
}

interface Braces {
  /** After the closing brace. */
  readonly end: number;
  /** A quoted string without value: the metric's name. */
  readonly quotedName: string | undefined;
  readonly labels: string[];
}

/** `at` is behind the opening brace. Trailing commas are allowed. Throws ExpositionError. */
export function parseBraces(body: Uint8Array, at: number, dialect: SeriesDialect, texts: TextSource): Braces {
  const blanks = (from: number): number => (dialect.blanks ? skipBlanks(body, from) : from);
  const labels: string[] = [];
  let quotedName: string | undefined;
  let cursor = blanks(at);
  while (body[cursor] !== braceClose) {
    const isQuoted = body[cursor] === quote;
    const nameEnd = isQuoted ? quotedEnd(body, cursor, dialect) : labelNameEnd(body, cursor);
    if (nameEnd === cursor) throw expositionError(body, cursor, 'expected label name');
    const name = isQuoted
      ? quotedText(texts, body, cursor, nameEnd, 'invalid UTF-8 label name')
      : (texts.text(body, cursor, nameEnd) as string);
    cursor = blanks(nameEnd);
    if (isQuoted && (body[cursor] === comma || body[cursor] === braceClose)) {
      if (quotedName !== undefined) throw expositionError(body, cursor, 'metric name already set');
      quotedName = name;
    } else {
      if (body[cursor] !== equals) throw expositionError(body, cursor, 'expected equal');
      cursor = blanks(cursor + 1);
      if (body[cursor] !== quote) throw expositionError(body, cursor, 'expected label value');
      const valueEnd = quotedEnd(body, cursor, dialect);
      labels.push(name, quotedText(texts, body, cursor, valueEnd, 'invalid UTF-8 label value'));
      cursor = blanks(valueEnd);
    }
    if (body[cursor] === comma) cursor = blanks(cursor + 1);
    else if (!dialect.blanks && body[cursor] !== braceClose) {
      throw expositionError(body, cursor, 'expected comma or brace close');
    }
  }
  return { end: cursor + 1, quotedName, labels };
}

function quotedEnd(body: Uint8Array, at: number, dialect: SeriesDialect): number {
  const close = closingQuote(body, at);
  if (close < 0) throw expositionError(body, at, 'unterminated quoted string');
  if (!dialect.lineFeeds && body.subarray(at, close).includes(lineFeed)) {
    throw expositionError(body, at, 'unterminated quoted string');
  }
  return close + 1;
}

function quotedText(
  texts: TextSource,
  body: Uint8Array,
  start: number,
  end: number,
  complaint: string,
): string {
  const text = texts.text(body, start + 1, end - 1);
  if (text === undefined) throw expositionError(body, start, complaint);
  return unescapeValue(text);
}
