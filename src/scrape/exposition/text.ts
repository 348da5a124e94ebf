/**
 * The Prometheus text exposition format, version 0.0.4 and its successor 1.0.0 with quoted UTF-8 names
 * (prometheus.io/docs/instrumenting/exposition_formats), read at byte level in one pass. A line whose series
 * the sink recognises costs one comparison and one number.
 */
import { decodeUtf8 } from '../../model/index.ts';
import {
  braceOpen,
  closingQuote,
  expositionError,
  hash,
  isMetricStart,
  isUtf8,
  lineEnd,
  lineFeed,
  metricNameEnd,
  quote,
  skipBlanks,
  space,
  tab,
} from './ascii.ts';
import { inKnownWords } from './complaint.ts';
import { parseFloatBytes } from './number.ts';
import { resolveSeries, type SeriesDialect, seriesEnd } from './series.ts';
import {
  type ExpositionOptions,
  type ExpositionSink,
  type MetadataKind,
  type ParseOutcome,
  plainExposition,
  SampleNumber,
} from './sink.ts';

const dialect: SeriesDialect = { blanks: true, lineFeeds: true };
const metricTypes: ReadonlySet<string> = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']);
const zeroDigit = 0x30;
const nineDigit = 0x39;
const int64Max = 2 ** 63;

/**
 * Feeds every sample and metadata line of `body` to `sink`. Throws ExpositionError (or what `sink.define`
 * throws) at the first fault; what the sink got before is then to be thrown away.
 */
export function parseTextExposition(
  body: Uint8Array,
  sink: ExpositionSink,
  options: ExpositionOptions = plainExposition,
): ParseOutcome {
  const parser = new TextParser(body, sink, options);
  let at = 0;
  try {
    while (at < body.length) {
      const byte = body[at] as number;
      if (byte === lineFeed || byte === space || byte === tab) at++;
      else if (byte === hash) at = parser.comment(at);
      else at = parser.sample(at);
    }
  } catch (error) {
    // The complaint shows the blanks before the entry as well.
    while (at > 0 && (body[at - 1] === space || body[at - 1] === tab)) at--;
    throw inKnownWords(error, body, at, 'text');
  }
  return { samples: parser.samples, exemplars: 0 };
}

class TextParser {
  samples = 0;
  readonly #body: Uint8Array;
  readonly #sink: ExpositionSink;
  /** See ExpositionSink.sample. */
  readonly #numbers = new Float64Array(SampleNumber.count);
  readonly #options: ExpositionOptions;
  readonly #family = { type: '', unit: '' };

  constructor(body: Uint8Array, sink: ExpositionSink, options: ExpositionOptions) {
    this.#body = body;
    this.#sink = sink;
    this.#options = options;
  }

  /** `at` is the first byte of a series. Returns the offset of the line's end. */
  sample(at: number): number {
    const body = this.#body;
    let end = this.#sink.expectedEnd(body, at);
    let id = -1;
    if (end >= 0 && (body[end] === space || body[end] === tab)) id = this.#sink.expectedId;
    let valueStart = id >= 0 ? skipBlanks(body, end) : 0;
    // A known name without labels may today be followed by a blank and labels.
    if (id < 0 || body[valueStart] === braceOpen) {
      end = seriesEnd(body, at, dialect);
      id = resolveSeries(body, at, end, dialect, this.#family, this.#options, this.#sink);
      valueStart = skipBlanks(body, end);
    }
    const valueEnd = tokenEnd(body, valueStart);
    if (valueEnd === valueStart) throw expositionError(body, valueStart, 'expected value after metric');
    const numbers = this.#numbers;
    if (!parseFloatBytes(body, valueStart, valueEnd, numbers)) {
      throw expositionError(body, valueStart, 'invalid value');
    }
    numbers[1] = Number.NaN;
    let next = skipBlanks(body, valueEnd);
    if (next < body.length && body[next] !== lineFeed) {
      const start = next;
      let timestampMs = 0;
      while (isDigit(body[next])) timestampMs = timestampMs * 10 + ((body[next++] as number) - zeroDigit);
      if (next === start) throw expositionError(body, start, 'expected timestamp or new record');
      if (timestampMs >= int64Max) throw expositionError(body, start, 'timestamp out of range');
      next = skipBlanks(body, next);
      if (next < body.length && body[next] !== lineFeed) {
        throw expositionError(body, next, 'expected next entry after timestamp');
      }
      numbers[1] = timestampMs;
    }
    this.samples++;
    this.#sink.sample(id, numbers);
    return next;
  }

  /** `at` is a hash sign. Returns the offset of the line's end. */
  comment(at: number): number {
    const body = this.#body;
    const wordStart = skipBlanks(body, at + 1);
    const kind = wordStart > at + 1 ? metadataKind(body, wordStart) : undefined;
    if (kind === undefined) return lineEnd(body, at);
    let nameStart = skipBlanks(body, wordStart + 4);
    let nameEnd = metricNameEnd(body, nameStart);
    let textStart = nameEnd;
    if (body[nameStart] === quote) {
      nameEnd = closingQuote(body, nameStart++);
      textStart = nameEnd + 1;
    } else if (!isMetricStart(body[nameStart])) nameEnd = -1;
    if (nameEnd < 0) throw expositionError(body, at, `expected metric name after ${kind.toUpperCase()}`);
    const end = lineEnd(body, textStart);
    textStart = Math.min(textStart + 1, end);
    if (!isUtf8(body, nameStart, end)) throw expositionError(body, at, `${kind} text is not valid UTF-8`);
    if (kind === 'type') {
      const type = decodeUtf8(body, textStart, end) ?? '';
      if (!metricTypes.has(type))
        throw expositionError(body, at, `invalid metric type ${JSON.stringify(type)}`);
      this.#family.type = type;
    }
    this.#sink.metadata(kind, body, nameStart, nameEnd, textStart, end);
    return end;
  }
}

const isDigit = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= zeroDigit && byte <= nineDigit;

/** After the run of bytes that are no blank, line feed or opening brace. */
function tokenEnd(body: Uint8Array, at: number): number {
  let end = at;
  while (end < body.length) {
    const byte = body[end];
    if (byte === space || byte === lineFeed || byte === tab || byte === braceOpen) break;
    end++;
  }
  return end;
}

const helpWord = [0x48, 0x45, 0x4c, 0x50];
const typeWord = [0x54, 0x59, 0x50, 0x45];

function metadataKind(body: Uint8Array, at: number): MetadataKind | undefined {
  const after = body[at + 4];
  if (after !== space && after !== tab) return undefined;
  const matches = (word: readonly number[]): boolean => word.every((byte, i) => body[at + i] === byte);
  if (matches(helpWord)) return 'help';
  return matches(typeWord) ? 'type' : undefined;
}
