/**
 * Remote write 1.0: a snappy block of `prometheus.WriteRequest` becomes a write batch in one pass, straight into
 * columns. A series that breaks the rules is refused with its samples and the rest is kept; a body that can't be read
 * is refused whole.
 */
import { compareBytes, isValidMetricName, Labels, metricNameLabel, type WriteBatch } from '../model/index.ts';
import { RemoteRequestError, remoteErrorCodes } from './errors.ts';
import { ProtoReader } from './proto_reader.ts';
import { SampleColumns } from './sample_columns.ts';
import { snappyUncompress } from './snappy.ts';

/** Samples of one request; an empty one takes two bytes on the wire and twenty in memory. */
const requestSamplesMax = 4_000_000;

export interface RemoteWriteLimits {
  /** Bytes of the uncompressed request. */
  readonly sizeMax: number;
}

export interface DecodedRemoteWrite {
  readonly batch: WriteBatch;
  /** Samples that were refused here, with `firstError` telling why. */
  readonly rejected: number;
  readonly firstError?: string;
  /** What was valid but is not stored. */
  readonly skipped: { readonly histograms: number; readonly exemplars: number; readonly metadata: number };
}

// Tags of the fields that are read: number * 8 + wire type.
const requestSeries = 0x0a;
const requestMetadata = 0x1a;
const seriesLabel = 0x0a;
const seriesSample = 0x12;
const seriesExemplar = 0x1a;
const seriesHistogram = 0x22;
const labelName = 0x0a;
const labelValue = 0x12;
const sampleValue = 0x09;
const sampleTimestamp = 0x10;

/** Throws RemoteRequestError: `snappy_corrupt`, `message_malformed`, `request_too_large`. */
export function decodeRemoteWrite(body: Uint8Array, limits: RemoteWriteLimits): DecodedRemoteWrite {
  return decodeWriteRequest(snappyUncompress(body, limits.sizeMax));
}

/** The same for a request that is not compressed. */
export function decodeWriteRequest(bytes: Uint8Array): DecodedRemoteWrite {
  return new WriteRequestDecoder(bytes).decode();
}

class WriteRequestDecoder {
  readonly #reader: ProtoReader;
  readonly #series: Labels[] = [];
  readonly #refByKey = new Map<string, number>();
  readonly #columns = new SampleColumns();
  readonly #skipped = { histograms: 0, exemplars: 0, metadata: 0 };
  #rejected = 0;
  #firstError: string | undefined;
  // The series being read.
  #flat: string[] = [];
  #fault: string | undefined;

  constructor(bytes: Uint8Array) {
    this.#reader = new ProtoReader(bytes);
  }

  decode(): DecodedRemoteWrite {
    const reader = this.#reader;
    const end = reader.length;
    while (reader.at < end) {
      const tag = reader.tag(end);
      if (tag === requestSeries) this.#readSeries(reader.window(end));
      else {
        if (tag === requestMetadata) this.#skipped.metadata++;
        reader.skip(tag, end);
      }
    }
    const decoded = {
      batch: this.#columns.finish(this.#series),
      rejected: this.#rejected,
      skipped: this.#skipped,
    };
    return this.#firstError === undefined ? decoded : { ...decoded, firstError: this.#firstError };
  }

  #readSeries(end: number): void {
    const reader = this.#reader;
    const firstSample = this.#columns.count;
    this.#flat = [];
    this.#fault = undefined;
    let previousName: string | undefined;
    while (reader.at < end) {
      const tag = reader.tag(end);
      if (tag === seriesLabel) previousName = this.#readLabel(reader.window(end), previousName);
      else if (tag === seriesSample) this.#readSample(reader.window(end));
      else {
        if (tag === seriesHistogram) this.#skipped.histograms++;
        else if (tag === seriesExemplar) this.#skipped.exemplars++;
        reader.skip(tag, end);
      }
    }
    const labels = Labels.fromSortedFlat(this.#flat);
    this.#checkName(labels);
    if (this.#fault === undefined) this.#keepSeries(labels, firstSample);
    else this.#refuseSeries(labels, firstSample, this.#fault);
  }

  #keepSeries(labels: Labels, firstSample: number): void {
    if (this.#columns.count === firstSample) return;
    const key = labels.key();
    let ref = this.#refByKey.get(key);
    if (ref === undefined) {
      ref = this.#series.push(labels) - 1;
      this.#refByKey.set(key, ref);
    }
    this.#columns.assign(firstSample, ref);
  }

  #refuseSeries(labels: Labels, firstSample: number, fault: string): void {
    this.#rejected += this.#columns.count - firstSample;
    this.#columns.truncate(firstSample);
    this.#firstError ??= `${fault}: ${labels.toString()}`;
  }

  /** Returns the label's name, for the next one to be compared with. */
  #readLabel(end: number, previousName: string | undefined): string {
    const reader = this.#reader;
    let name: string | undefined = '';
    let value: string | undefined = '';
    while (reader.at < end) {
      const tag = reader.tag(end);
      if (tag === labelName) name = reader.text(reader.window(end));
      else if (tag === labelValue) value = reader.text(reader.window(end));
      else reader.skip(tag, end);
    }
    if (this.#fault !== undefined) return '';
    if (name === undefined || value === undefined) this.#fault = 'a label is not valid UTF-8';
    else if (name === '') this.#fault = 'a label name is empty';
    else if (name === previousName) this.#fault = `label name ${JSON.stringify(name)} is not unique`;
    else if (previousName !== undefined && compareBytes(name, previousName) < 0) {
      this.#fault = `labels are not sorted, ${JSON.stringify(name)} comes after ${JSON.stringify(previousName)}`;
    } else if (value !== '') this.#flat.push(name, value);
    return name ?? '';
  }

  #checkName(labels: Labels): void {
    if (this.#fault !== undefined) return;
    const name = labels.get(metricNameLabel);
    if (name === '') this.#fault = 'the metric name is missing';
    else if (!isValidMetricName(name)) this.#fault = 'the metric name is invalid';
  }

  #readSample(end: number): void {
    const reader = this.#reader;
    let valueLow = 0;
    let valueHigh = 0;
    let timeLow = 0;
    let timeHigh = 0;
    while (reader.at < end) {
      const tag = reader.tag(end);
      if (tag === sampleValue) {
        reader.fixed64(end);
        valueLow = reader.low;
        valueHigh = reader.high;
      } else if (tag === sampleTimestamp) {
        reader.varint64(end);
        timeLow = reader.low;
        timeHigh = reader.high;
      } else reader.skip(tag, end);
    }
    const timestampMs = timeHigh * 0x1_0000_0000 + timeLow;
    if (!Number.isSafeInteger(timestampMs)) {
      this.#rejected++;
      this.#firstError ??= `timestamp ${timestampMs} is out of bounds`;
      return;
    }
    if (this.#columns.count >= requestSamplesMax) {
      const message = `the request has more than ${requestSamplesMax} samples`;
      throw new RemoteRequestError(remoteErrorCodes.tooLarge, message);
    }
    this.#columns.add(timestampMs, valueLow, valueHigh);
  }
}
