/**
 * `prometheus.Histogram` of a remote write request as the model's histogram: integer counts come as differences, float
 * counts as they are, custom bounds beside the schema -53. What contradicts itself is refused by the model's rules, and
 * a reserved schema that is finer than those supported is read at the finest supported one, as Prometheus does.
 */
import {
  CounterResetHint,
  countsFromDeltas,
  FloatHistogram,
  HistogramError,
  type Span,
  soundHistogram,
  staleNaNWords,
} from '../model/index.ts';
import { histogramTags, readSpan } from './histogram_fields.ts';
import type { ProtoReader } from './proto_reader.ts';

/** Of one side, and of spans and custom bounds; far above what any client library makes. */
const bucketsMax = 65_536;
const [staleLow, staleHigh] = staleNaNWords;
const varintType = 0;
const fixedType = 1;
const packedType = 2;

const hints: readonly CounterResetHint[] = [
  CounterResetHint.Unknown,
  CounterResetHint.Reset,
  CounterResetHint.NotReset,
  CounterResetHint.Gauge,
];

export interface ReadHistogram {
  /** May be beyond what is exact. */
  readonly timestampMs: number;
  /** Throws HistogramError. */
  build(): FloatHistogram;
}

/** What was read so far. */
class Draft implements ReadHistogram {
  count = 0;
  isFloat = false;
  sum = 0;
  isStale = false;
  schema = 0;
  zeroThreshold = 0;
  zeroCount = 0;
  hint = 0;
  timestampMs = 0;
  isTooLarge = false;
  readonly negativeSpans: Span[] = [];
  readonly negativeDeltas: number[] = [];
  readonly negativeCounts: number[] = [];
  readonly positiveSpans: Span[] = [];
  readonly positiveDeltas: number[] = [];
  readonly positiveCounts: number[] = [];
  readonly customValues: number[] = [];

  push<T>(list: T[], item: T): void {
    if (list.length < bucketsMax) list.push(item);
    else this.isTooLarge = true;
  }

  build(): FloatHistogram {
    if (this.isStale) return FloatHistogram.stale;
    if (this.isTooLarge) {
      throw new HistogramError(
        'histogram_size',
        `the histogram has more than ${bucketsMax} buckets or spans`,
      );
    }
    const { isFloat } = this;
    const side = (deltas: number[], counts: number[]): Float64Array =>
      isFloat ? Float64Array.from(counts) : countsFromDeltas(deltas);
    return soundHistogram({
      schema: this.schema,
      count: this.count,
      sum: this.sum,
      zeroThreshold: this.zeroThreshold,
      zeroCount: this.zeroCount,
      positiveSpans: this.positiveSpans,
      positiveBuckets: side(this.positiveDeltas, this.positiveCounts),
      negativeSpans: this.negativeSpans,
      negativeBuckets: side(this.negativeDeltas, this.negativeCounts),
      customValues: Float64Array.from(this.customValues),
      counterResetHint: hints[this.hint] ?? CounterResetHint.Unknown,
      isInteger: !isFloat,
    });
  }
}

/** Throws RemoteRequestError: `message_malformed`. */
export function readRemoteHistogram(reader: ProtoReader, end: number): ReadHistogram {
  const draft = new Draft();
  while (reader.at < end) readField(reader, end, draft);
  return draft;
}

function readField(reader: ProtoReader, end: number, draft: Draft): void {
  const tag = reader.tag(end);
  switch (tag) {
    case histogramTags.countInt:
    case histogramTags.countFloat:
      draft.isFloat = tag === histogramTags.countFloat;
      draft.count = draft.isFloat ? reader.float(end) : reader.unsigned(end);
      break;
    case histogramTags.sum:
      draft.sum = reader.float(end);
      draft.isStale = reader.low === staleLow && reader.high === staleHigh;
      break;
    case histogramTags.schema:
      draft.schema = reader.signed(end);
      break;
    case histogramTags.zeroThreshold:
      draft.zeroThreshold = reader.float(end);
      break;
    case histogramTags.zeroCountInt:
      draft.zeroCount = reader.unsigned(end);
      break;
    case histogramTags.zeroCountFloat:
      draft.zeroCount = reader.float(end);
      break;
    case histogramTags.negativeSpans:
      draft.push(draft.negativeSpans, readSpan(reader, reader.window(end)));
      break;
    case histogramTags.positiveSpans:
      draft.push(draft.positiveSpans, readSpan(reader, reader.window(end)));
      break;
    case histogramTags.resetHint:
      draft.hint = reader.unsigned(end);
      break;
    case histogramTags.timestamp:
      draft.timestampMs = reader.integer(end);
      break;
    default:
      readList(reader, tag, end, draft);
  }
}

/** Lists may be packed or not. */
function readList(reader: ProtoReader, tag: number, end: number, draft: Draft): void {
  const type = tag & 7;
  const { list, isFloat } = listOf(tag - type + packedType, draft);
  const single = isFloat ? fixedType : varintType;
  if (list === undefined || (type !== packedType && type !== single)) {
    reader.skip(tag, end);
    return;
  }
  const listEnd = type === packedType ? reader.window(end) : reader.at + 1;
  while (reader.at < listEnd) {
    const within = type === packedType ? listEnd : end;
    draft.push(list, isFloat ? reader.float(within) : reader.signed(within));
  }
}

function listOf(tag: number, draft: Draft): { list: number[] | undefined; isFloat: boolean } {
  switch (tag) {
    case histogramTags.negativeDeltas:
      return { list: draft.negativeDeltas, isFloat: false };
    case histogramTags.positiveDeltas:
      return { list: draft.positiveDeltas, isFloat: false };
    case histogramTags.negativeCounts:
      return { list: draft.negativeCounts, isFloat: true };
    case histogramTags.positiveCounts:
      return { list: draft.positiveCounts, isFloat: true };
    case histogramTags.customValues:
      return { list: draft.customValues, isFloat: true };
    default:
      return { list: undefined, isFloat: false };
  }
}
