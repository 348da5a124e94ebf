/**
 * Remote write 1.0: a snappy block of `prometheus.WriteRequest` becomes a write batch in one pass, straight into
 * columns. A series that breaks the rules is refused with its samples and the rest is kept; a body that can't be read
 * is refused whole. One decoder serves all senders of a thread and remembers their series: in the steady state a series
 * costs a comparison of its bytes, and requests that repeat themselves get the same arrays with the store's references.
 */
import { systemRandom } from '../base/index.ts';
import {
  BatchColumns,
  type BatchExemplar,
  type BatchMetadata,
  type BatchRoster,
  compareBytes,
  exemplarLabels,
  HistogramError,
  isValidMetricName,
  Labels,
  metricNameLabel,
  noteStoreRefs,
  RosterBuilder,
  TextCache,
  type WriteBatch,
} from '../model/index.ts';
import { RemoteRequestError, remoteErrorCodes } from './errors.ts';
import { KnownSeries } from './known_series.ts';
import { ProtoReader } from './proto_reader.ts';
import { readExemplar, readMetadata } from './read_extras.ts';
import { readRemoteHistogram } from './read_histogram.ts';
import { snappyUncompress } from './snappy.ts';

/** Samples of one request; an empty one takes two bytes on the wire and twenty in memory. */
const requestSamplesMax = 4_000_000;
/** Histograms, exemplars and metadata of one request together: each is an object, and two bytes may be one. */
const requestObjectsMax = 500_000;
/** Series, and spellings of series, that are remembered; beyond that it starts afresh. */
const seriesMax = 500_000;
const spellingBytesMax = 128 * 1024 * 1024;
/** Requests whose series are remembered together. */
const rostersMax = 256;
const rosterSeriesMax = 500_000;
/** Batches that are being stored at a time and whose columns are used again. */
const lentBatchesMax = 8;
/** Uncompressed bodies up to this size share one buffer. */
const scratchBytesMax = 4 * 1024 * 1024;

export interface RemoteWriteOptions {
  /** Bytes of the uncompressed request. */
  readonly sizeMax: number;
  /** Any number that senders can't guess. */
  readonly hashSeed: number;
}

export interface DecodedRemoteWrite {
  /** To be given back with `settled`. */
  readonly batch: WriteBatch;
  /** Samples that were refused here, with `firstError` telling why. */
  readonly rejected: number;
  readonly firstError?: string;
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

/** What senders have sent before, until there is too much of it. */
class Memory {
  readonly known: KnownSeries;
  readonly roster: RosterBuilder;
  /** By the first series of the request, the one used last at the end. */
  readonly rosters = new Map<number, BatchRoster>();
  #rosterSeries = 0;

  constructor(seed: number) {
    this.known = new KnownSeries(seed);
    this.roster = new RosterBuilder(this.known);
  }

  get isFull(): boolean {
    return this.known.size > seriesMax || this.known.keyBytes > spellingBytesMax;
  }

  remember(roster: BatchRoster): void {
    const first = roster.ids[0];
    if (first === undefined) return;
    this.#forget(first);
    this.rosters.set(first, roster);
    this.#rosterSeries += roster.ids.length;
    for (const oldest of this.rosters.keys()) {
      if (this.rosters.size <= rostersMax && this.#rosterSeries <= rosterSeriesMax) break;
      this.#forget(oldest);
    }
  }

  #forget(first: number): void {
    this.#rosterSeries -= this.rosters.get(first)?.ids.length ?? 0;
    this.rosters.delete(first);
  }
}

export class RemoteWriteDecoder {
  readonly #options: RemoteWriteOptions;
  readonly #columns = new BatchColumns(lentBatchesMax);
  readonly #texts: TextCache;
  /** Whose series the batches have that are out. */
  readonly #origins = new WeakMap<WriteBatch, { readonly memory: Memory; readonly roster: BatchRoster }>();
  #memory: Memory;
  #scratch = new Uint8Array(0);
  #reader = new ProtoReader(new Uint8Array(0));
  #exemplars: BatchExemplar[] = [];
  #metadata: BatchMetadata[] = [];
  #objects = 0;
  #rejected = 0;
  #firstError: string | undefined;
  // The series being read.
  #flat: string[] = [];
  #previousName: string | undefined;
  #fault: string | undefined;
  #seriesExemplars: Omit<BatchExemplar, 'ref'>[] = [];

  constructor(options: RemoteWriteOptions) {
    this.#options = options;
    this.#memory = new Memory(options.hashSeed);
    this.#texts = new TextCache(options.hashSeed);
  }

  /** Throws RemoteRequestError: `snappy_corrupt`, `message_malformed`, `request_too_large`. */
  decode(body: Uint8Array): DecodedRemoteWrite {
    const bytes = snappyUncompress(body, this.#options.sizeMax, this.#scratch);
    if (bytes.buffer !== this.#scratch.buffer && bytes.length <= scratchBytesMax) this.#scratch = bytes;
    return this.decodeRequest(bytes);
  }

  /** The same for a request that is not compressed. */
  decodeRequest(bytes: Uint8Array): DecodedRemoteWrite {
    if (this.#memory.isFull) this.#memory = new Memory(this.#options.hashSeed);
    this.#begin(bytes);
    const reader = this.#reader;
    const end = reader.length;
    while (reader.at < end) {
      const tag = reader.tag(end);
      if (tag === requestSeries) this.#readSeries(reader.window(end));
      else if (tag === requestMetadata) this.#readMetadata(reader.window(end));
      else reader.skip(tag, end);
    }
    const decoded = { batch: this.#batch(), rejected: this.#rejected };
    return this.#firstError === undefined ? decoded : { ...decoded, firstError: this.#firstError };
  }

  /** The batch is stored, or given up. `isHeld`: somebody may still read its columns. */
  settled(batch: WriteBatch, isHeld: boolean): void {
    const origin = this.#origins.get(batch);
    if (origin !== undefined) noteStoreRefs(origin.roster, origin.memory.known);
    if (!isHeld) this.#columns.release(batch);
  }

  #begin(bytes: Uint8Array): void {
    this.#reader = new ProtoReader(bytes);
    this.#columns.begin();
    this.#memory.known.beginRequest();
    this.#memory.roster.begin(undefined);
    this.#exemplars = [];
    this.#seriesExemplars = [];
    this.#metadata = [];
    this.#objects = 0;
    this.#rejected = 0;
    this.#firstError = undefined;
  }

  #batch(): WriteBatch {
    const memory = this.#memory;
    const roster = memory.roster.finish();
    memory.remember(roster);
    const batch: WriteBatch = {
      series: roster.series,
      storeRefs: roster.storeRefs,
      ...this.#columns.finish(),
      ...(this.#exemplars.length === 0 ? {} : { exemplars: this.#exemplars }),
      ...(this.#metadata.length === 0 ? {} : { metadata: this.#metadata }),
    };
    this.#origins.set(batch, { memory, roster });
    return batch;
  }

  #readSeries(end: number): void {
    const reader = this.#reader;
    const { known } = this.#memory;
    const firstSample = this.#columns.count;
    const start = reader.at;
    let labelsEnd = known.guessEnd(reader.view, start);
    let series = -1;
    if (
      labelsEnd >= 0 &&
      labelsEnd <= end &&
      (labelsEnd === end || reader.bytes[labelsEnd] !== seriesLabel)
    ) {
      series = known.take();
    } else {
      labelsEnd = this.#labelsEnd(start, end);
      series = known.find(reader.bytes, start, labelsEnd);
    }
    if (series < 0) this.#beginLabels(start);
    else reader.seek(labelsEnd);
    let isWhole = true;
    while (reader.at < end) {
      const tag = reader.tag(end);
      if (tag === seriesSample) this.#readSample(reader.window(end));
      else if (tag === seriesLabel && reader.at <= labelsEnd) this.#readLabel(reader.window(end));
      else if (tag === seriesLabel) {
        // They are read anew when all else is known.
        isWhole = false;
        reader.skip(tag, end);
      } else if (tag === seriesHistogram) this.#readHistogram(reader.window(end));
      else if (tag === seriesExemplar) this.#readSeriesExemplar(reader.window(end));
      else reader.skip(tag, end);
    }
    if (series >= 0 && isWhole) this.#keepSeries(series, firstSample);
    else this.#keepNew(start, isWhole ? labelsEnd : -1, end, firstSample);
  }

  /** Where the fields end that a series begins with, as long as they are labels. */
  #labelsEnd(start: number, end: number): number {
    const reader = this.#reader;
    const { bytes } = reader;
    reader.seek(start);
    while (reader.at < end && bytes[reader.at] === seriesLabel) {
      reader.seek(reader.at + 1);
      reader.seek(reader.window(end));
    }
    return reader.at;
  }

  /** `labelsEnd` is negative when labels came behind other fields: such a spelling is not worth remembering. */
  #keepNew(start: number, labelsEnd: number, end: number, firstSample: number): void {
    const { known } = this.#memory;
    if (labelsEnd < 0) this.#readLabelsAnew(start, end);
    const labels = Labels.fromSortedFlat(this.#flat);
    this.#checkName(labels);
    if (this.#fault !== undefined) this.#refuseSeries(labels, firstSample, this.#fault);
    else if (labelsEnd < 0) this.#keepSeries(known.intern(labels), firstSample);
    else this.#keepSeries(known.add(this.#reader.bytes, start, labelsEnd, labels), firstSample);
  }

  /** Those before the others may have been passed over as known. */
  #readLabelsAnew(start: number, end: number): void {
    const reader = this.#reader;
    this.#beginLabels(start);
    while (reader.at < end) {
      const tag = reader.tag(end);
      if (tag === seriesLabel) this.#readLabel(reader.window(end));
      else reader.skip(tag, end);
    }
  }

  #beginLabels(start: number): void {
    this.#flat = [];
    this.#fault = undefined;
    this.#previousName = undefined;
    this.#reader.seek(start);
  }

  #keepSeries(series: number, firstSample: number): void {
    const exemplars = this.#seriesExemplars;
    if (this.#columns.count === firstSample && exemplars.length === 0) return;
    const { known, roster, rosters } = this.#memory;
    const next = roster.count;
    if (next === 0) roster.begin(rosters.get(series));
    const place = known.placeIn(series, next);
    if (place === next) roster.add(series, known.labels(series));
    this.#columns.assign(firstSample, place);
    if (exemplars.length === 0) return;
    for (const exemplar of exemplars) this.#exemplars.push({ ref: place, ...exemplar });
    this.#seriesExemplars = [];
  }

  #refuseSeries(labels: Labels, firstSample: number, fault: string): void {
    this.#rejected += this.#columns.count - firstSample;
    this.#columns.truncate(firstSample);
    this.#seriesExemplars = [];
    this.#firstError ??= `${fault}: ${labels.toString()}`;
  }

  #readLabel(end: number): void {
    const reader = this.#reader;
    let name: string | undefined = '';
    let value: string | undefined = '';
    while (reader.at < end) {
      const tag = reader.tag(end);
      if (tag === labelName) name = this.#text(reader.window(end));
      else if (tag === labelValue) value = this.#text(reader.window(end));
      else reader.skip(tag, end);
    }
    if (this.#fault !== undefined) return;
    const previousName = this.#previousName;
    this.#previousName = name ?? '';
    if (name === undefined || value === undefined) this.#fault = 'a label is not valid UTF-8';
    else if (name === '') this.#fault = 'a label name is empty';
    else if (name === previousName) this.#fault = `label name ${JSON.stringify(name)} is not unique`;
    else if (previousName !== undefined && compareBytes(name, previousName) < 0) {
      this.#fault = `labels are not sorted, ${JSON.stringify(name)} comes after ${JSON.stringify(previousName)}`;
    } else if (value !== '') this.#flat.push(name, value);
  }

  #text(end: number): string | undefined {
    const reader = this.#reader;
    const text = this.#texts.text(reader.bytes, reader.at, end);
    reader.seek(end);
    return text;
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
    if (!Number.isSafeInteger(timestampMs)) this.#refuse(`timestamp ${timestampMs} is out of bounds`);
    else this.#columns.setWords(this.#addSample(timestampMs), valueLow, valueHigh);
  }

  #readHistogram(end: number): void {
    this.#countObject();
    const draft = readRemoteHistogram(this.#reader, end);
    const { timestampMs } = draft;
    if (!Number.isSafeInteger(timestampMs)) {
      this.#refuse(`timestamp ${timestampMs} is out of bounds`);
      return;
    }
    try {
      const histogram = draft.build();
      this.#columns.setHistogram(this.#addSample(timestampMs), histogram);
    } catch (error) {
      if (!(error instanceof HistogramError)) throw error;
      this.#refuse(error.message);
    }
  }

  #refuse(reason: string): void {
    this.#rejected++;
    this.#firstError ??= reason;
  }

  #addSample(timestampMs: number): number {
    if (this.#columns.count >= requestSamplesMax) throw tooMany(requestSamplesMax, 'samples');
    // The series is known only behind its samples.
    return this.#columns.add(0, timestampMs);
  }

  /** One that can't be stored is left out: exemplars never fail a request, as with Prometheus. */
  #readSeriesExemplar(end: number): void {
    this.#countObject();
    const { pairs, value, timestampMs } = readExemplar(this.#reader, end);
    const labels = pairs === undefined ? undefined : exemplarLabels(pairs);
    if (labels === undefined || !Number.isSafeInteger(timestampMs)) return;
    this.#seriesExemplars.push({ labels, value, timestampMs });
  }

  #readMetadata(end: number): void {
    this.#countObject();
    const metadata = readMetadata(this.#reader, end);
    if (metadata !== undefined) this.#metadata.push(metadata);
  }

  #countObject(): void {
    if (++this.#objects > requestObjectsMax) {
      throw tooMany(requestObjectsMax, 'histograms, exemplars and metadata');
    }
  }
}

function tooMany(max: number, what: string): RemoteRequestError {
  return new RemoteRequestError(remoteErrorCodes.tooLarge, `the request has more than ${max} ${what}`);
}

/** One request by itself, for those who have no others to compare it with. Throws as RemoteWriteDecoder.decode does. */
export function decodeRemoteWrite(
  body: Uint8Array,
  limits: { readonly sizeMax: number },
): DecodedRemoteWrite {
  return new RemoteWriteDecoder({ sizeMax: limits.sizeMax, hashSeed: systemRandom().below(2 ** 32) }).decode(
    body,
  );
}
