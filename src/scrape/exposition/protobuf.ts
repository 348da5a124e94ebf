/**
 * The protobuf exposition format: MetricFamily messages of client_model's metrics.proto, each after its length. The only
 * format that carries native histograms. A series is recognised by bytes here too: its key is the family's name, its
 * labels as they stand in the message, and which of the family's series it is; so one that is known costs no string.
 */
import { decodeUtf8, isValidMetricName } from '../../model/index.ts';
import { ExpositionError } from '../errors.ts';
import { backslash } from './ascii.ts';
import { formatOpenMetricsFloat } from './number.ts';
import { ProtoCursor } from './proto_cursor.ts';
import { readExemplar, readLabelPair } from './proto_exemplar.ts';
import { type MetricType, ProtoMetric, SeriesKind } from './proto_metric.ts';
import { withMetadataLabels } from './series.ts';
import {
  type ExpositionOptions,
  type ExpositionSink,
  type MetadataKind,
  type ParseOutcome,
  SampleNumber,
} from './sink.ts';

/** By the number in the message. */
const metricTypes: readonly MetricType[] = [
  'counter',
  'gauge',
  'summary',
  'unknown',
  'histogram',
  'gaugehistogram',
];
const typeNames: readonly Uint8Array[] = metricTypes.map((name) => new TextEncoder().encode(name));

/** Start and end in the body. */
type Place = readonly [start: number, end: number];

const lengthBytesMax = 5;
const keyBytesMin = 256;
/** Kind and type, the bound, the length of the name. */
const keyTailBytes = 13;

/** As parseTextExposition, for `application/vnd.google.protobuf`. */
export function parseProtobuf(
  body: Uint8Array,
  sink: ExpositionSink,
  options: ExpositionOptions,
): ParseOutcome {
  const parser = new ProtobufParser(body, sink, options);
  while (parser.nextFamily());
  return { samples: parser.samples, exemplars: parser.exemplars };
}

const kindSuffix: Readonly<Record<SeriesKind, string>> = {
  [SeriesKind.plain]: '',
  [SeriesKind.count]: '_count',
  [SeriesKind.sum]: '_sum',
  [SeriesKind.bucket]: '_bucket',
  [SeriesKind.quantile]: '',
};

class ProtobufParser {
  samples = 0;
  exemplars = 0;
  readonly #cursor: ProtoCursor;
  readonly #sink: ExpositionSink;
  readonly #options: ExpositionOptions;
  readonly #numbers = new Float64Array(SampleNumber.count);
  readonly #metric = new ProtoMetric();
  /** Where the running family's metrics are: start, end, start, end... */
  readonly #metrics: number[] = [];
  #type = 0;
  #name = '';
  #unit = '';
  /** The key of the series at hand: name and unit, labels, tail. */
  #key = new Uint8Array(keyBytesMin);
  #keyView = new DataView(this.#key.buffer);
  /** Of the name and the unit. */
  #headBytes = 0;
  /** Of them and the labels. */
  #stemBytes = 0;

  constructor(body: Uint8Array, sink: ExpositionSink, options: ExpositionOptions) {
    this.#cursor = new ProtoCursor(body);
    this.#sink = sink;
    this.#options = options;
  }

  /** False at the end of the body. */
  nextFamily(): boolean {
    const cursor = this.#cursor;
    const start = cursor.at;
    const rest = cursor.bytes.length - start;
    if (rest === 0) return false;
    const length = lengthOf(cursor);
    if (length > cursor.bytes.length - cursor.at) {
      const expected = cursor.at - start + length;
      throw new ExpositionError(
        `clientpb: insufficient length of buffer, expected at least ${expected} bytes, got ${rest} bytes`,
      );
    }
    const end = cursor.at + length;
    const metrics = this.#family(end);
    for (let i = 0; i < metrics.length; i += 2) {
      this.#metricSamples(metrics[i] as number, metrics[i + 1] as number);
    }
    cursor.at = end;
    return true;
  }

  /** Reads the family's own fields, and where its metrics are. */
  #family(end: number): readonly number[] {
    const cursor = this.#cursor;
    const places: Record<'name' | 'help' | 'unit', Place> = { name: [0, 0], help: [0, 0], unit: [0, 0] };
    const metrics = this.#metrics;
    metrics.length = 0;
    this.#type = 0;
    while (cursor.at < end) {
      const tag = cursor.tag(end, 'MetricFamily');
      if (tag === 0x22) {
        const metricEnd = cursor.window(end);
        metrics.push(cursor.at, metricEnd);
        cursor.at = metricEnd;
      } else if (tag === 0x18) this.#type = cursor.unsigned(end);
      else {
        const which = tag === 0x0a ? 'name' : tag === 0x12 ? 'help' : tag === 0x2a ? 'unit' : undefined;
        if (which === undefined) {
          if (tag >> 3 <= 5) throw cursor.wrongType(tag, fieldNames[tag >> 3] as string);
          cursor.skip(tag, end);
          continue;
        }
        const textEnd = cursor.window(end);
        places[which] = [cursor.at, textEnd];
        cursor.at = textEnd;
      }
    }
    // Prometheus takes no notice of a family without metrics.
    if (metrics.length > 0) this.#announce(places.name, places.help, places.unit);
    return metrics;
  }

  #announce(name: Place, help: Place, unit: Place): void {
    const body = this.#cursor.bytes;
    this.#name = this.#sink.text(body, name[0], name[1]) ?? '';
    if (!isValidMetricName(this.#name)) {
      throw new ExpositionError(`invalid metric name: ${shown(body, name)}`);
    }
    if (decodeUtf8(body, help[0], help[1]) === undefined) {
      throw new ExpositionError(
        `invalid help for metric ${JSON.stringify(this.#name)}: ${shown(body, help)}`,
      );
    }
    const type = typeNames[this.#type];
    if (type === undefined) {
      throw new ExpositionError(
        `unknown metric type for metric ${JSON.stringify(this.#name)}: ${this.#type}`,
      );
    }
    this.#unit = this.#sink.text(body, unit[0], unit[1]) ?? '';
    checkUnit(this.#name, this.#unit, this.#type === 0);
    this.#metric.isGauge = metricTypes[this.#type] === 'gaugehistogram';
    this.#metadata('help', name, body.subarray(help[0], help[1]));
    if (unit[1] > unit[0]) this.#metadata('unit', name, body.subarray(unit[0], unit[1]));
    this.#metadata('type', name, type);
    this.#headBytes = this.#append(name[0], name[1], 0);
    if (this.#options.typeAndUnitLabels) this.#headBytes = this.#append(unit[0], unit[1], this.#headBytes);
  }

  /** The sink wants texts escaped as the text formats have them; the name and the text may stand anywhere. */
  #metadata(kind: MetadataKind, [start, end]: Place, text: Uint8Array): void {
    const shownName = escaped(this.#cursor.bytes.subarray(start, end));
    const shownText = escaped(text);
    const joined = new Uint8Array(shownName.length + shownText.length);
    joined.set(shownName);
    joined.set(shownText, shownName.length);
    this.#sink.metadata(kind, joined, 0, shownName.length, shownName.length, joined.length);
  }

  /** Copies a part of the body into the key; returns where it ends there. */
  #append(start: number, end: number, at: number): number {
    const next = at + end - start;
    if (next + keyTailBytes > this.#key.length) {
      const longer = new Uint8Array((next + keyTailBytes) * 2);
      longer.set(this.#key);
      this.#key = longer;
      this.#keyView = new DataView(longer.buffer);
    }
    const key = this.#key;
    const body = this.#cursor.bytes;
    for (let from = start, to = at; from < end; from++, to++) key[to] = body[from] as number;
    return next;
  }

  #metricSamples(start: number, end: number): void {
    const metric = this.#metric;
    metric.read(this.#cursor, start, end, metricTypes[this.#type] as MetricType);
    let stem = this.#headBytes;
    const { labels } = metric;
    for (let i = 0; i < labels.length; i += 2) {
      // From the length on, so that neighbours stay apart.
      stem = this.#append(labels[i] as number, labels[i + 1] as number, stem);
    }
    this.#stemBytes = stem;
    const numbers = this.#numbers;
    numbers[SampleNumber.timestampMs] = metric.timestampMs === 0 ? Number.NaN : metric.timestampMs;
    numbers[SampleNumber.startTimeMs] = this.#options.startTimes ? metric.createdMs : 0;
    switch (metricTypes[this.#type]) {
      case 'summary':
        this.#summary();
        break;
      case 'histogram':
      case 'gaugehistogram':
        this.#histogram();
        break;
      default:
        this.#sample(SeriesKind.plain, 0, metric.value);
        this.#exemplar(metric.exemplarStart, metric.exemplarEnd, false);
    }
  }

  #summary(): void {
    const { summaryCount, summarySum, quantiles, quantileValues, quantileCount } = this.#metric;
    this.#sample(SeriesKind.count, 0, summaryCount);
    this.#sample(SeriesKind.sum, 0, summarySum);
    for (let i = 0; i < quantileCount; i++) {
      this.#sample(SeriesKind.quantile, quantiles[i] as number, quantileValues[i] as number);
    }
  }

  #histogram(): void {
    const { histogram } = this.#metric;
    const isNative = histogram.isNative;
    if (isNative) {
      this.samples++;
      this.#sink.histogram(this.#seriesId(SeriesKind.plain, 0), histogram, this.#numbers);
      this.#nativeExemplars();
      if (!this.#options.classicHistograms || histogram.buckets === 0) return;
    }
    this.#sample(SeriesKind.count, 0, histogram.total);
    this.#sample(SeriesKind.sum, 0, histogram.sum);
    for (let i = 0; i < histogram.buckets; i++) {
      const bound = histogram.bounds[i] as number;
      this.#sample(SeriesKind.bucket, bound, histogram.cumulative[i] as number);
      const { bucketExemplars } = histogram;
      this.#exemplar(bucketExemplars[i * 2] as number, bucketExemplars[i * 2 + 1] as number, false);
      if (bound === Number.POSITIVE_INFINITY) return;
    }
    this.#sample(SeriesKind.bucket, Number.POSITIVE_INFINITY, histogram.total);
  }

  /** Of a native histogram only exemplars with a time count; those of its classic buckets serve where it has none. */
  #nativeExemplars(): void {
    const { exemplars, bucketExemplars, buckets } = this.#metric.histogram;
    for (let i = 0; i < exemplars.length; i += 2) {
      this.#exemplar(exemplars[i] as number, exemplars[i + 1] as number, true);
    }
    if (exemplars.length > 0) return;
    for (let i = 0; i < buckets * 2; i += 2) {
      this.#exemplar(bucketExemplars[i] as number, bucketExemplars[i + 1] as number, true);
    }
  }

  #exemplar(start: number, end: number, isTimeNeeded: boolean): void {
    if (end === start) return;
    const { pairs, value, timestampMs } = readExemplar(this.#cursor, start, end, this.#sink);
    if (isTimeNeeded && Number.isNaN(timestampMs)) return;
    this.exemplars++;
    this.#sink.exemplar(pairs, value, timestampMs);
  }

  #sample(kind: SeriesKind, bound: number, value: number): void {
    this.samples++;
    const id = this.#seriesId(kind, bound);
    this.#numbers[SampleNumber.value] = value;
    this.#sink.sample(id, this.#numbers);
  }

  #seriesId(kind: SeriesKind, bound: number): number {
    const key = this.#key;
    const stem = this.#stemBytes;
    // No text begins a byte so: keys of the text formats are never equal to one of these.
    key[stem] = 0xf8 | kind;
    key[stem + 1] = this.#type;
    this.#keyView.setFloat64(stem + 2, bound, true);
    key[stem + 10] = this.#headBytes & 0xff;
    key[stem + 11] = (this.#headBytes >> 8) & 0xff;
    key[stem + 12] = (this.#headBytes >> 16) & 0xff;
    const end = stem + keyTailBytes;
    const sink = this.#sink;
    if (sink.expectedEnd(key, 0) === end) return sink.expectedId;
    const known = sink.find(key, 0, end);
    return known >= 0 ? known : sink.define(key, 0, end, this.#pairs(kind, bound));
  }

  #pairs(kind: SeriesKind, bound: number): string[] {
    const cursor = this.#cursor;
    const own: string[] = [];
    const { labels } = this.#metric;
    for (let i = 0; i < labels.length; i += 2) {
      cursor.at = labels[i] as number;
      readLabelPair(cursor, cursor.window(labels[i + 1] as number), own, this.#sink, true);
    }
    if (kind === SeriesKind.bucket) own.push('le', formatOpenMetricsFloat(bound));
    else if (kind === SeriesKind.quantile) own.push('quantile', formatOpenMetricsFloat(bound));
    const name = this.#name + kindSuffix[kind];
    const type = metricTypes[this.#type] as MetricType;
    return withMetadataLabels(this.#options, name, type, this.#unit, own);
  }
}

const fieldNames: readonly string[] = ['', 'Name', 'Help', 'Type', 'Metric', 'Unit'];

const shownBytesMax = 200;

function shown(body: Uint8Array, [start, end]: Place): string {
  return Buffer.from(body.subarray(start, Math.min(end, start + shownBytesMax))).toString();
}

function escaped(text: Uint8Array): Uint8Array {
  if (!text.includes(backslash)) return text;
  return Buffer.from(Buffer.from(text).toString().replaceAll('\\', '\\\\'));
}

function lengthOf(cursor: ProtoCursor): number {
  const start = cursor.at;
  try {
    const length = cursor.unsigned(cursor.bytes.length);
    if (cursor.at - start <= lengthBytesMax) return length;
  } catch (error) {
    if (!(error instanceof ExpositionError)) throw error;
  }
  throw new ExpositionError('clientpb: invalid varint encountered');
}

function checkUnit(name: string, unit: string, isCounter: boolean): void {
  if (unit === '') return;
  const isTotal = isCounter && name.endsWith('_total');
  const measured = isTotal ? name.slice(0, -'_total'.length) : name;
  if (measured.endsWith(`_${unit}`)) return;
  throw new ExpositionError(
    `unit ${JSON.stringify(unit)} not a suffix of ${isTotal ? 'counter' : 'metric'} ${JSON.stringify(name)}`,
  );
}
