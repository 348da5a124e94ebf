/**
 * `io.prometheus.client.Histogram` (client_model's metrics.proto): classic buckets, native buckets, or both in one message.
 * One of these is read into again and again; the lists keep their memory.
 */
import {
  CounterResetHint,
  countsFromDeltas,
  type FloatHistogram,
  HistogramError,
  type Span,
  soundHistogram,
} from '../../model/index.ts';
import { type ProtoCursor, Wire } from './proto_cursor.ts';
import { readTimestampMs } from './proto_exemplar.ts';
import type { HistogramSource } from './sink.ts';

/** Of each list; far above what any client library makes. */
const bucketsMax = 65_536;

const fieldNames: readonly string[] = [
  '',
  'SampleCount',
  'SampleSum',
  'Bucket',
  'SampleCountFloat',
  'Schema',
  'ZeroThreshold',
  'ZeroCount',
  'ZeroCountFloat',
  'NegativeSpan',
  'NegativeDelta',
  'NegativeCount',
  'PositiveSpan',
  'PositiveDelta',
  'PositiveCount',
  'CreatedTimestamp',
  'Exemplars',
];

export class ProtoHistogram implements HistogramSource {
  /** What the family's type says, not the message. */
  isGauge = false;
  count = 0;
  countFloat = 0;
  sum = 0;
  schema = 0;
  zeroThreshold = 0;
  zeroCount = 0;
  zeroCountFloat = 0;
  createdMs = 0;
  /** How many of the bucket columns' entries are this histogram's. */
  buckets = 0;
  bounds: Float64Array = new Float64Array(16);
  cumulative: Float64Array = new Float64Array(16);
  /** Per bucket: where its exemplar is, start and end, 0 and 0 when it has none. */
  bucketExemplars: Uint32Array = new Uint32Array(32);
  /** Where the native histogram's own exemplars are: start, end, start, end... */
  readonly exemplars: number[] = [];
  readonly #spans: Record<'negative' | 'positive', Span[]> = { negative: [], positive: [] };
  readonly #deltas: Record<'negative' | 'positive', number[]> = { negative: [], positive: [] };
  readonly #counts: Record<'negative' | 'positive', number[]> = { negative: [], positive: [] };

  clear(): void {
    this.count = 0;
    this.countFloat = 0;
    this.sum = 0;
    this.schema = 0;
    this.zeroThreshold = 0;
    this.zeroCount = 0;
    this.zeroCountFloat = 0;
    this.createdMs = 0;
    this.buckets = 0;
    this.exemplars.length = 0;
    for (const lists of [this.#spans, this.#deltas, this.#counts]) {
      lists.negative.length = 0;
      lists.positive.length = 0;
    }
  }

  /** The number of observations, whichever way it was given. */
  get total(): number {
    return this.countFloat === 0 ? this.count : this.countFloat;
  }

  get isNative(): boolean {
    return (
      this.#spans.positive.length > 0 ||
      this.#spans.negative.length > 0 ||
      this.zeroThreshold > 0 ||
      this.zeroCount > 0
    );
  }

  /** The native buckets, without empty ones. Throws HistogramError when they contradict each other. */
  build(): FloatHistogram {
    const isFloat = this.countFloat > 0 || this.zeroCountFloat > 0;
    const side = (name: 'negative' | 'positive'): Float64Array =>
      isFloat ? Float64Array.from(this.#counts[name]) : countsFromDeltas(this.#deltas[name]);
    return soundHistogram({
      schema: this.schema,
      count: isFloat ? this.countFloat : this.count,
      sum: this.sum,
      zeroThreshold: this.zeroThreshold,
      zeroCount: isFloat ? this.zeroCountFloat : this.zeroCount,
      positiveSpans: this.#spans.positive.slice(),
      positiveBuckets: side('positive'),
      negativeSpans: this.#spans.negative.slice(),
      negativeBuckets: side('negative'),
      counterResetHint: this.isGauge ? CounterResetHint.Gauge : CounterResetHint.Unknown,
      isInteger: !isFloat,
    }).compact();
  }

  /** Reads the message that ends at `end` on top of what is there. */
  read(cursor: ProtoCursor, end: number): void {
    while (cursor.at < end) {
      const tag = cursor.tag(end, 'Histogram');
      if (!this.#scalar(cursor, tag, end) && !this.#list(cursor, tag, end)) {
        const name = fieldNames[tag >> 3];
        if (name !== undefined && name !== '') throw cursor.wrongType(tag, name);
        cursor.skip(tag, end);
      }
    }
  }

  #scalar(cursor: ProtoCursor, tag: number, end: number): boolean {
    switch (tag) {
      case 0x08:
        this.count = cursor.unsigned(end);
        return true;
      case 0x11:
        this.sum = cursor.float(end);
        return true;
      case 0x21:
        this.countFloat = cursor.float(end);
        return true;
      case 0x28:
        this.schema = cursor.signed(end);
        return true;
      case 0x31:
        this.zeroThreshold = cursor.float(end);
        return true;
      case 0x38:
        this.zeroCount = cursor.unsigned(end);
        return true;
      case 0x41:
        this.zeroCountFloat = cursor.float(end);
        return true;
      case 0x7a:
        this.createdMs = readTimestampMs(cursor, cursor.window(end));
        return true;
      default:
        return false;
    }
  }

  #list(cursor: ProtoCursor, tag: number, end: number): boolean {
    const field = tag >> 3;
    const type = tag & 7;
    if (field === 3 || field === 9 || field === 12 || field === 16) {
      if (type !== Wire.bytes) return false;
      const itemEnd = cursor.window(end);
      if (field === 3) this.#bucket(cursor, itemEnd);
      else if (field === 16) {
        if (this.exemplars.length < bucketsMax) this.exemplars.push(cursor.at, itemEnd);
        cursor.at = itemEnd;
      } else push(this.#spans[sideOf(field)], readSpan(cursor, itemEnd));
      return true;
    }
    const isDelta = field === 10 || field === 13;
    if (!isDelta && field !== 11 && field !== 14) return false;
    if (type !== Wire.bytes && type !== (isDelta ? Wire.varint : Wire.fixed64)) return false;
    const list = (isDelta ? this.#deltas : this.#counts)[sideOf(field)];
    // Packed or not: both are allowed for either list.
    const listEnd = type === Wire.bytes ? cursor.window(end) : cursor.at + 1;
    const within = type === Wire.bytes ? listEnd : end;
    while (cursor.at < listEnd) push(list, isDelta ? cursor.signed(within) : cursor.float(within));
    return true;
  }

  #bucket(cursor: ProtoCursor, end: number): void {
    let count = 0;
    let countFloat = 0;
    let bound = 0;
    let exemplarStart = 0;
    let exemplarEnd = 0;
    while (cursor.at < end) {
      const tag = cursor.tag(end, 'Bucket');
      if (tag === 0x08) count = cursor.unsigned(end);
      else if (tag === 0x11) bound = cursor.float(end);
      else if (tag === 0x21) countFloat = cursor.float(end);
      else if (tag === 0x1a) {
        exemplarEnd = cursor.window(end);
        exemplarStart = cursor.at;
        cursor.at = exemplarEnd;
      } else cursor.skip(tag, end);
    }
    const at = this.buckets++;
    if (at === bucketsMax) throw tooLarge();
    if (at === this.bounds.length) this.#growBuckets();
    this.bounds[at] = bound;
    this.cumulative[at] = countFloat === 0 ? count : countFloat;
    this.bucketExemplars[at * 2] = exemplarStart;
    this.bucketExemplars[at * 2 + 1] = exemplarEnd;
  }

  #growBuckets(): void {
    const { bounds, cumulative, bucketExemplars } = this;
    this.bounds = new Float64Array(bounds.length * 2);
    this.bounds.set(bounds);
    this.cumulative = new Float64Array(bounds.length * 2);
    this.cumulative.set(cumulative);
    this.bucketExemplars = new Uint32Array(bounds.length * 4);
    this.bucketExemplars.set(bucketExemplars);
  }
}

const sideOf = (field: number): 'negative' | 'positive' => (field < 12 ? 'negative' : 'positive');

function tooLarge(): HistogramError {
  return new HistogramError('histogram_size', `the histogram has more than ${bucketsMax} buckets or spans`);
}

function push<T>(list: T[], item: T): void {
  if (list.length >= bucketsMax) throw tooLarge();
  list.push(item);
}

function readSpan(cursor: ProtoCursor, end: number): Span {
  let offset = 0;
  let length = 0;
  while (cursor.at < end) {
    const tag = cursor.tag(end, 'BucketSpan');
    if (tag === 0x08) offset = cursor.signed(end);
    else if (tag === 0x10) length = cursor.unsigned(end);
    else cursor.skip(tag, end);
  }
  return { offset, length };
}
