/**
 * `io.prometheus.client.Metric`: one label set with the value of its family's type. Read into the same object again and
 * again. What belongs to other types than the family's is stepped over.
 */
import type { ProtoCursor } from './proto_cursor.ts';
import { readTimestampMs } from './proto_exemplar.ts';
import { ProtoHistogram } from './proto_histogram.ts';

export type MetricType = 'counter' | 'gauge' | 'summary' | 'unknown' | 'histogram' | 'gaugehistogram';

/** Which of a family's series. Fits three bits. */
export const SeriesKind = { plain: 0, count: 1, sum: 2, bucket: 3, quantile: 4 } as const;
export type SeriesKind = (typeof SeriesKind)[keyof typeof SeriesKind];

const quantilesMax = 65_536;

/** Field numbers by type. */
const fieldOf: Readonly<Record<MetricType, number>> = {
  gauge: 2,
  counter: 3,
  summary: 4,
  unknown: 5,
  histogram: 7,
  gaugehistogram: 7,
};
const fieldNames: readonly string[] = [
  '',
  'Label',
  'Gauge',
  'Counter',
  'Summary',
  'Untyped',
  'TimestampMs',
  'Histogram',
];

export class ProtoMetric {
  /** Where its labels are: start and end of each with its length, start, end... */
  readonly labels: number[] = [];
  timestampMs = 0;
  createdMs = 0;
  value = 0;
  exemplarStart = 0;
  exemplarEnd = 0;
  summaryCount = 0;
  summarySum = 0;
  quantileCount = 0;
  quantiles: Float64Array = new Float64Array(8);
  quantileValues: Float64Array = new Float64Array(8);
  readonly histogram: ProtoHistogram = new ProtoHistogram();

  set isGauge(isGauge: boolean) {
    this.histogram.isGauge = isGauge;
  }

  /** Throws ExpositionError. */
  read(cursor: ProtoCursor, start: number, end: number, type: MetricType): void {
    this.#clear(type);
    const wanted = fieldOf[type];
    cursor.at = start;
    while (cursor.at < end) {
      const tag = cursor.tag(end, 'Metric');
      const field = tag >> 3;
      if (tag === 0x0a) {
        const lengthAt = cursor.at;
        const labelEnd = cursor.window(end);
        this.labels.push(lengthAt, labelEnd);
        cursor.at = labelEnd;
      } else if (tag === 0x30) this.timestampMs = cursor.integer(end);
      else if (field === wanted && (tag & 7) === 2) {
        const valueEnd = cursor.window(end);
        this.#value(cursor, valueEnd, type);
      } else if (field <= 7 && (tag & 7) !== 2) throw cursor.wrongType(tag, fieldNames[field] as string);
      else cursor.skip(tag, end);
    }
  }

  #clear(type: MetricType): void {
    this.labels.length = 0;
    this.timestampMs = 0;
    this.createdMs = 0;
    this.value = 0;
    this.exemplarStart = 0;
    this.exemplarEnd = 0;
    if (type === 'summary') {
      this.summaryCount = 0;
      this.summarySum = 0;
      this.quantileCount = 0;
    } else if (fieldOf[type] === fieldOf.histogram) this.histogram.clear();
  }

  #value(cursor: ProtoCursor, end: number, type: MetricType): void {
    if (type === 'summary') this.#summary(cursor, end);
    else if (fieldOf[type] === fieldOf.histogram) {
      this.histogram.read(cursor, end);
      this.createdMs = this.histogram.createdMs;
    } else this.#number(cursor, end, type);
  }

  #number(cursor: ProtoCursor, end: number, type: MetricType): void {
    while (cursor.at < end) {
      const tag = cursor.tag(end, 'Value');
      if (tag === 0x09) this.value = cursor.float(end);
      else if (tag === 0x12 && type === 'counter') {
        this.exemplarEnd = cursor.window(end);
        this.exemplarStart = cursor.at;
        cursor.at = this.exemplarEnd;
      } else if (tag === 0x1a && type === 'counter') {
        this.createdMs = readTimestampMs(cursor, cursor.window(end));
      } else if (tag >> 3 === 1) throw cursor.wrongType(tag, 'Value');
      else cursor.skip(tag, end);
    }
  }

  #summary(cursor: ProtoCursor, end: number): void {
    while (cursor.at < end) {
      const tag = cursor.tag(end, 'Summary');
      if (tag === 0x08) this.summaryCount = cursor.unsigned(end);
      else if (tag === 0x11) this.summarySum = cursor.float(end);
      else if (tag === 0x1a) this.#quantile(cursor, cursor.window(end));
      else if (tag === 0x22) this.createdMs = readTimestampMs(cursor, cursor.window(end));
      else if (tag >> 3 <= 4) throw cursor.wrongType(tag, 'Summary');
      else cursor.skip(tag, end);
    }
  }

  #quantile(cursor: ProtoCursor, end: number): void {
    let quantile = 0;
    let value = 0;
    while (cursor.at < end) {
      const tag = cursor.tag(end, 'Quantile');
      if (tag === 0x09) quantile = cursor.float(end);
      else if (tag === 0x11) value = cursor.float(end);
      else cursor.skip(tag, end);
    }
    if (this.quantileCount === quantilesMax) return;
    const at = this.quantileCount++;
    if (at === this.quantiles.length) {
      this.quantiles = longer(this.quantiles);
      this.quantileValues = longer(this.quantileValues);
    }
    this.quantiles[at] = quantile;
    this.quantileValues[at] = value;
  }
}

function longer(column: Float64Array): Float64Array<ArrayBuffer> {
  const copy = new Float64Array(column.length * 2);
  copy.set(column);
  return copy;
}
