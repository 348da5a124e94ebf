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
  isExponentialSchema,
  type Span,
  supportedSchema,
} from '../model/index.ts';
import type { ProtoReader } from './proto_reader.ts';

/** Of one side, and of spans and custom bounds; far above what any client library makes. */
const bucketsMax = 65_536;
const staleLow = 2;
const staleHigh = 0x7ff0_0000;

const fields = {
  countInt: 0x08,
  countFloat: 0x11,
  sum: 0x19,
  schema: 0x20,
  zeroThreshold: 0x29,
  zeroCountInt: 0x30,
  zeroCountFloat: 0x39,
  negativeSpans: 0x42,
  negativeDeltas: 9,
  negativeCounts: 10,
  positiveSpans: 0x5a,
  positiveDeltas: 12,
  positiveCounts: 13,
  resetHint: 0x70,
  timestamp: 0x78,
  customValues: 16,
} as const;
const spanOffset = 0x08;
const spanLength = 0x10;

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
    const given = {
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
    };
    const schema = supportedSchema(this.schema) ?? this.schema;
    const checked = new FloatHistogram({ ...given, schema });
    checked.validate();
    if (schema === this.schema || !isExponentialSchema(schema)) return checked;
    return new FloatHistogram({ ...given, schema: this.schema }).reduceResolution(schema);
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
    case fields.countInt:
    case fields.countFloat:
      draft.isFloat = tag === fields.countFloat;
      draft.count = draft.isFloat ? reader.float(end) : reader.unsigned(end);
      break;
    case fields.sum:
      draft.sum = reader.float(end);
      draft.isStale = reader.low === staleLow && reader.high === staleHigh;
      break;
    case fields.schema:
      draft.schema = reader.signed(end);
      break;
    case fields.zeroThreshold:
      draft.zeroThreshold = reader.float(end);
      break;
    case fields.zeroCountInt:
      draft.zeroCount = reader.unsigned(end);
      break;
    case fields.zeroCountFloat:
      draft.zeroCount = reader.float(end);
      break;
    case fields.negativeSpans:
      draft.push(draft.negativeSpans, readSpan(reader, reader.window(end)));
      break;
    case fields.positiveSpans:
      draft.push(draft.positiveSpans, readSpan(reader, reader.window(end)));
      break;
    case fields.resetHint:
      draft.hint = reader.unsigned(end);
      break;
    case fields.timestamp:
      draft.timestampMs = reader.integer(end);
      break;
    default:
      readList(reader, tag, end, draft);
  }
}

/** Lists may be packed or not. */
function readList(reader: ProtoReader, tag: number, end: number, draft: Draft): void {
  const { list, isFloat } = listOf(tag >> 3, draft);
  const single = isFloat ? 1 : 0;
  const type = tag & 7;
  if (list === undefined || (type !== 2 && type !== single)) {
    reader.skip(tag, end);
    return;
  }
  const listEnd = type === 2 ? reader.window(end) : reader.at + 1;
  while (reader.at < listEnd) {
    const within = type === 2 ? listEnd : end;
    draft.push(list, isFloat ? reader.float(within) : reader.signed(within));
  }
}

function listOf(field: number, draft: Draft): { list: number[] | undefined; isFloat: boolean } {
  switch (field) {
    case fields.negativeDeltas:
      return { list: draft.negativeDeltas, isFloat: false };
    case fields.positiveDeltas:
      return { list: draft.positiveDeltas, isFloat: false };
    case fields.negativeCounts:
      return { list: draft.negativeCounts, isFloat: true };
    case fields.positiveCounts:
      return { list: draft.positiveCounts, isFloat: true };
    case fields.customValues:
      return { list: draft.customValues, isFloat: true };
    default:
      return { list: undefined, isFloat: false };
  }
}

function readSpan(reader: ProtoReader, end: number): Span {
  let offset = 0;
  let length = 0;
  while (reader.at < end) {
    const tag = reader.tag(end);
    if (tag === spanOffset) offset = reader.signed(end);
    else if (tag === spanLength) length = reader.unsigned(end);
    else reader.skip(tag, end);
  }
  return { offset, length };
}
