/**
 * OpenMetrics text 1.0 (github.com/prometheus/OpenMetrics, specification/OpenMetrics.md), as strictly as
 * Prometheus reads it: single spaces, no blank lines, `# EOF` last, timestamps in seconds. A `_created` series is an
 * ordinary series unless start times are asked for; then it is the start time of the samples with its labels.
 */
import { decodeUtf8 } from '../../model/index.ts';
import { ExpositionError } from '../errors.ts';
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
  space,
} from './ascii.ts';
import { inKnownWords } from './complaint.ts';
import { CreatedTimes, hasStartTimes, isCreatedName } from './created.ts';
import { parseFloatBytes } from './number.ts';
import { parseBraces, parseSeries, resolveSeries, type SeriesDialect, seriesEnd } from './series.ts';
import {
  type ExpositionOptions,
  type ExpositionSink,
  type MetadataKind,
  type ParseOutcome,
  plainExposition,
  SampleNumber,
} from './sink.ts';

const dialect: SeriesDialect = { blanks: false, lineFeeds: false };
const metricTypes: ReadonlySet<string> = new Set([
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
  'unknown',
]);

/** In place of a series' id: the line is no sample. */
const startTimeId = -1;
const missingEof = 'data does not end with # EOF';

/** As parseTextExposition, for `application/openmetrics-text`. */
export function parseOpenMetrics(
  body: Uint8Array,
  sink: ExpositionSink,
  options: ExpositionOptions = plainExposition,
): ParseOutcome {
  const parser = new OpenMetricsParser(body, sink, options);
  let at = 0;
  try {
    while (at < body.length) {
      if (body[at] !== hash) at = parser.sample(at);
      else if (isEof(body, at)) {
        const end = body[at + 5] === lineFeed ? at + 6 : at + 5;
        if (end !== body.length) throw new ExpositionError('unexpected data after # EOF');
        return { samples: parser.samples, exemplars: parser.exemplars };
      } else at = parser.metadata(at);
    }
  } catch (error) {
    throw inKnownWords(error, body, at, 'openmetrics');
  }
  throw new ExpositionError(missingEof);
}

const eofLine = [hash, space, 0x45, 0x4f, 0x46];
const isEof = (body: Uint8Array, at: number): boolean => eofLine.every((byte, i) => body[at + i] === byte);

class OpenMetricsParser {
  samples = 0;
  exemplars = 0;
  readonly #body: Uint8Array;
  readonly #sink: ExpositionSink;
  /** See ExpositionSink.sample. */
  readonly #numbers = new Float64Array(SampleNumber.count);
  /** The same for an exemplar. */
  readonly #exemplarNumbers = new Float64Array(2);
  readonly #scratch = new Float64Array(1);
  #exemplarPairs: readonly string[] = [];
  readonly #options: ExpositionOptions;
  readonly #family = { type: '', unit: '' };
  readonly #created: CreatedTimes;
  /** A metadata line came since the last sample. */
  #isFamilyNew = false;
  /** Of the metadata line before, where it is kept track of. */
  #familyName = '';

  constructor(body: Uint8Array, sink: ExpositionSink, options: ExpositionOptions) {
    this.#body = body;
    this.#sink = sink;
    this.#options = options;
    this.#created = new CreatedTimes(dialect, sink);
  }

  /** Returns the offset of the next line. */
  sample(at: number): number {
    const body = this.#body;
    if (this.#isFamilyNew) this.#beginFamily(at);
    let end = this.#sink.expectedEnd(body, at);
    let id = startTimeId;
    if (end >= 0 && body[end] === space) id = this.#sink.expectedId;
    else {
      end = seriesEnd(body, at, dialect);
      if (!this.#isStartTime(at, end))
        id = resolveSeries(body, at, end, dialect, this.#family, this.#options, this.#sink);
    }
    const numbers = this.#numbers;
    const valueEnd = tokenEnd(body, end);
    this.#float(end, valueEnd, 'expected value after metric', numbers);
    let next = valueEnd;
    numbers[1] = Number.NaN;
    if (body[next] === space && body[next + 1] !== hash) {
      next = tokenEnd(body, next);
      this.#timestamp(valueEnd, next, numbers);
    }
    const hasExemplar = body[next] === space;
    if (hasExemplar) next = this.#exemplar(next);
    if (next >= body.length) throw expositionError(body, next, missingEof);
    if (body[next] !== lineFeed) throw expositionError(body, next, 'expected timestamp or new record');
    if (id === startTimeId) return next + 1;
    numbers[SampleNumber.startTimeMs] = this.#created.size > 0 ? this.#startTimeMs(at) : 0;
    this.samples++;
    this.#sink.sample(id, numbers);
    if (hasExemplar) {
      const [value = 0, timestampMs = Number.NaN] = this.#exemplarNumbers;
      this.#sink.exemplar(this.#exemplarPairs, value, timestampMs);
    }
    return next + 1;
  }

  #beginFamily(at: number): void {
    this.#isFamilyNew = false;
    if (this.#options.startTimes) this.#created.collect(this.#body, at, this.#family.type);
  }

  /** Whether the line only tells the start time of others. */
  #isStartTime(at: number, end: number): boolean {
    if (!this.#options.startTimes || end <= at || !hasStartTimes(this.#family.type)) return false;
    const isNamed = isMetricStart(this.#body[at]) || this.#body[at] === braceOpen;
    return isNamed && isCreatedName(parseSeries(this.#body, at, dialect, this.#sink).name, this.#family.type);
  }

  #startTimeMs(at: number): number {
    const { name, labels } = parseSeries(this.#body, at, dialect, this.#sink);
    return this.#created.of(name, labels, this.#family.type);
  }

  /** Writes the float of the token whose leading space is at `at` to `into[0]`. */
  #float(at: number, end: number, complaint: string, into: Float64Array): void {
    const body = this.#body;
    if (body[at] !== space || end <= at + 1) throw expositionError(body, at, complaint);
    if (!parseFloatBytes(body, at + 1, end, into)) throw expositionError(body, at, 'invalid value');
  }

  /** Writes the time to `into[1]`. */
  #timestamp(at: number, end: number, into: Float64Array): void {
    this.#float(at, end, 'expected timestamp or new record', this.#scratch);
    const seconds = this.#scratch[0] as number;
    if (!Number.isFinite(seconds)) throw expositionError(this.#body, at, 'invalid timestamp');
    into[1] = Math.trunc(seconds * 1000);
  }

  /** `at` is the space before ` # {labels} value [timestamp]`. Returns the offset after it. */
  #exemplar(at: number): number {
    const body = this.#body;
    const numbers = this.#exemplarNumbers;
    if (body[at + 1] !== hash || body[at + 2] !== space || body[at + 3] !== braceOpen) {
      throw expositionError(body, at, 'expected timestamp or new record');
    }
    const braces = parseBraces(body, at + 4, dialect, this.#sink);
    if (braces.quotedName !== undefined) throw expositionError(body, at, 'expected label name');
    const valueEnd = tokenEnd(body, braces.end);
    this.#float(braces.end, valueEnd, 'expected value after exemplar labels', numbers);
    let end = valueEnd;
    numbers[1] = Number.NaN;
    if (body[valueEnd] === space) {
      end = tokenEnd(body, valueEnd);
      this.#timestamp(valueEnd, end, numbers);
    }
    this.#exemplarPairs = braces.labels;
    this.exemplars++;
    return end;
  }

  /** `at` is a hash sign. Returns the offset of the next line. */
  metadata(at: number): number {
    const body = this.#body;
    const kind = body[at + 1] === space ? metadataKind(body, at + 2) : undefined;
    if (kind === undefined) throw expositionError(body, at, 'expected a valid start token');
    let nameStart = at + 7;
    let nameEnd = metricNameEnd(body, nameStart);
    let textStart = nameEnd;
    if (body[nameStart] === quote) {
      nameEnd = closingQuote(body, nameStart++);
      textStart = nameEnd + 1;
    } else if (!isMetricStart(body[nameStart])) nameEnd = -1;
    if (nameEnd < 0) throw expositionError(body, at, `expected metric name after ${kind.toUpperCase()}`);
    const end = lineEnd(body, textStart);
    if (body[textStart] !== space) throw expositionError(body, at, `expected text in ${kind.toUpperCase()}`);
    if (end >= body.length) throw expositionError(body, end, missingEof);
    if (!isUtf8(body, nameStart, end)) throw expositionError(body, at, `${kind} text is not valid UTF-8`);
    if (kind === 'type') {
      const text = decodeUtf8(body, textStart + 1, end) as string;
      if (!metricTypes.has(text))
        throw expositionError(body, at, `invalid metric type ${JSON.stringify(text)}`);
      this.#family.type = text;
    }
    if (this.#options.typeAndUnitLabels) this.#forgetUnitOfOther(nameStart, nameEnd);
    if (kind === 'unit' && end > textStart + 1) {
      const unit = decodeUtf8(body, textStart + 1, end) as string;
      this.#family.unit = unit;
      if (!(decodeUtf8(body, nameStart, nameEnd) as string).endsWith(`_${unit}`)) {
        throw expositionError(body, at, `unit ${JSON.stringify(unit)} is not a suffix of the metric's name`);
      }
    }
    this.#isFamilyNew = true;
    this.#sink.metadata(kind, body, nameStart, nameEnd, textStart + 1, end);
    return end + 1;
  }

  /** A unit is the family's for which it was told. */
  #forgetUnitOfOther(nameStart: number, nameEnd: number): void {
    const name = decodeUtf8(this.#body, nameStart, nameEnd) as string;
    if (name !== this.#familyName) this.#family.unit = '';
    this.#familyName = name;
  }
}

/** `at` is a space: the offset after the token that follows it. */
function tokenEnd(body: Uint8Array, at: number): number {
  let end = at + 1;
  while (end < body.length && body[end] !== space && body[end] !== lineFeed) end++;
  return Math.min(end, body.length);
}

const words: readonly (readonly [MetadataKind, string])[] = [
  ['help', 'HELP '],
  ['type', 'TYPE '],
  ['unit', 'UNIT '],
];

function metadataKind(body: Uint8Array, at: number): MetadataKind | undefined {
  for (const [kind, word] of words) {
    let i = 0;
    while (i < word.length && body[at + i] === word.charCodeAt(i)) i++;
    if (i === word.length) return kind;
  }
  return undefined;
}
