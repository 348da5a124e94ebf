/**
 * The batch that a remote write request becomes, whichever protocol it speaks: samples go straight into columns, series
 * are those that senders have named before wherever possible, what breaks the rules is counted and the first of it told.
 * The memory of what was named belongs to one spelling, so each protocol's decoder has an assembly of its own.
 */
import {
  BatchColumns,
  type BatchExemplar,
  type BatchMetadata,
  type BatchRoster,
  CounterResetHint,
  FloatHistogram,
  HistogramError,
  isValidMetricName,
  type Labels,
  metricNameLabel,
  noteStoreRefs,
  RosterBuilder,
  type WriteBatch,
} from '../model/index.ts';
import { RemoteRequestError, remoteErrorCodes } from './errors.ts';
import { KnownSeries } from './known_series.ts';
import type { ProtoReader } from './proto_reader.ts';
import { readRemoteHistogram } from './read_histogram.ts';

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

const sampleValue = 0x09;
const sampleTimestamp = 0x10;

export interface DecodedRemoteWrite {
  /** To be given back with `settled`. */
  readonly batch: WriteBatch;
  /** Samples that were refused here, with `firstError` telling why. */
  readonly rejected: number;
  readonly firstError?: string;
  /** Positions of samples that stand for the beginning of a counter: nobody has sent them, nobody misses them. */
  readonly zeroSamplesAt?: readonly number[];
}

/** What senders have sent before, until there is too much of it. */
class SeriesMemory {
  readonly known: KnownSeries;
  readonly roster: RosterBuilder;
  /** By the first series of the request, the one used last at the end. */
  readonly rosters: Map<number, BatchRoster> = new Map();
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

export class WriteAssembly {
  readonly columns: BatchColumns = new BatchColumns(lentBatchesMax);
  readonly #seed: number;
  /** Whose series the batches have that are out. */
  readonly #origins = new WeakMap<
    WriteBatch,
    { readonly memory: SeriesMemory; readonly roster: BatchRoster }
  >();
  #memory: SeriesMemory;
  #exemplars: BatchExemplar[] = [];
  #metadata: BatchMetadata[] = [];
  #zeroSamplesAt: number[] = [];
  /** Of the series being read. */
  #seriesExemplars: Omit<BatchExemplar, 'ref'>[] = [];
  #objects = 0;
  #rejected = 0;
  #firstError: string | undefined;

  constructor(seed: number) {
    this.#seed = seed;
    this.#memory = new SeriesMemory(seed);
  }

  get known(): KnownSeries {
    return this.#memory.known;
  }

  /** There is too much to remember: see `forget`. */
  get isFull(): boolean {
    return this.#memory.isFull;
  }

  /** Forgets all series. */
  forget(): void {
    this.#memory = new SeriesMemory(this.#seed);
  }

  /** Starts a batch. */
  begin(): void {
    this.columns.begin();
    this.#memory.known.beginRequest();
    this.#memory.roster.begin(undefined);
    this.#exemplars = [];
    this.#metadata = [];
    this.#zeroSamplesAt = [];
    this.#seriesExemplars = [];
    this.#objects = 0;
    this.#rejected = 0;
    this.#firstError = undefined;
  }

  finish(): DecodedRemoteWrite {
    const memory = this.#memory;
    const roster = memory.roster.finish();
    memory.remember(roster);
    const batch: WriteBatch = {
      series: roster.series,
      storeRefs: roster.storeRefs,
      ...this.columns.finish(),
      ...(this.#exemplars.length === 0 ? {} : { exemplars: this.#exemplars }),
      ...(this.#metadata.length === 0 ? {} : { metadata: this.#metadata }),
    };
    this.#origins.set(batch, { memory, roster });
    return {
      batch,
      rejected: this.#rejected,
      ...(this.#firstError === undefined ? {} : { firstError: this.#firstError }),
      ...(this.#zeroSamplesAt.length === 0 ? {} : { zeroSamplesAt: this.#zeroSamplesAt }),
    };
  }

  /** The batch is stored, or given up. `isHeld`: somebody may still read its columns. */
  settled(batch: WriteBatch, isHeld: boolean): void {
    const origin = this.#origins.get(batch);
    if (origin !== undefined) noteStoreRefs(origin.roster, origin.memory.known);
    if (!isHeld) this.columns.release(batch);
  }

  /** Gives the samples from `firstSample` on, and the exemplars since the last series, to a known series. */
  keepSeries(series: number, firstSample: number): void {
    const exemplars = this.#seriesExemplars;
    if (this.columns.count === firstSample && exemplars.length === 0) return;
    const { known, roster, rosters } = this.#memory;
    const next = roster.count;
    if (next === 0) roster.begin(rosters.get(series));
    const place = known.placeIn(series, next);
    if (place === next) roster.add(series, known.labels(series));
    this.columns.assign(firstSample, place);
    if (exemplars.length === 0) return;
    for (const exemplar of exemplars) this.#exemplars.push({ ref: place, ...exemplar });
    this.#seriesExemplars = [];
  }

  refuseSeries(labels: Labels, firstSample: number, fault: string): void {
    this.#rejected += this.columns.count - firstSample;
    this.columns.truncate(firstSample);
    while ((this.#zeroSamplesAt.at(-1) ?? -1) >= firstSample) {
      this.#zeroSamplesAt.pop();
      this.#rejected--;
    }
    this.#seriesExemplars = [];
    this.#firstError ??= `${fault}: ${labels.toString()}`;
  }

  /** One sample, or what can't be placed anywhere. */
  refuse(reason: string): void {
    this.#rejected++;
    this.#firstError ??= reason;
  }

  /** Reads `Sample`, which both protocols have alike. */
  readSample(reader: ProtoReader, end: number): void {
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
    if (!Number.isSafeInteger(timestampMs)) this.refuse(`timestamp ${timestampMs} is out of bounds`);
    else this.columns.setWords(this.#addSample(timestampMs), valueLow, valueHigh);
  }

  /** A sample of value 0 at the time when the series began to count, if `beforeMs` is later. */
  addZeroSample(createdMs: number, beforeMs: number): void {
    if (!Number.isSafeInteger(createdMs) || createdMs >= beforeMs) return;
    const at = this.#addSample(createdMs);
    this.columns.setWords(at, 0, 0);
    this.#zeroSamplesAt.push(at);
  }

  /** Reads `Histogram`, which both protocols have alike; `createdMs` other than 0 puts an empty one of that time before it. */
  readHistogram(reader: ProtoReader, end: number, createdMs = 0): void {
    this.countObject();
    const draft = readRemoteHistogram(reader, end);
    const { timestampMs } = draft;
    if (!Number.isSafeInteger(timestampMs)) {
      this.refuse(`timestamp ${timestampMs} is out of bounds`);
      return;
    }
    try {
      const histogram = draft.build();
      if (createdMs !== 0 && timestampMs !== 0) this.#addZeroHistogram(createdMs, timestampMs, histogram);
      this.columns.setHistogram(this.#addSample(timestampMs), histogram);
    } catch (error) {
      if (!(error instanceof HistogramError)) throw error;
      this.refuse(error.message);
    }
  }

  #addZeroHistogram(createdMs: number, beforeMs: number, like: FloatHistogram): void {
    const before = this.#zeroSamplesAt.length;
    this.addZeroSample(createdMs, beforeMs);
    if (this.#zeroSamplesAt.length === before) return;
    const { schema, zeroThreshold, customValues, isInteger } = like;
    const counterResetHint = CounterResetHint.Reset;
    const zero = new FloatHistogram({ schema, zeroThreshold, customValues, isInteger, counterResetHint });
    this.columns.setHistogram(this.#zeroSamplesAt.at(-1) as number, zero);
  }

  /** One that can't be stored is left out: exemplars never fail a request, as with Prometheus. */
  addExemplar(exemplar: Omit<BatchExemplar, 'ref'>): void {
    if (Number.isSafeInteger(exemplar.timestampMs)) this.#seriesExemplars.push(exemplar);
  }

  addMetadata(metadata: BatchMetadata): void {
    this.#metadata.push(metadata);
  }

  /** Throws RemoteRequestError: `request_too_large`. */
  countObject(): void {
    if (++this.#objects > requestObjectsMax) {
      throw tooMany(requestObjectsMax, 'histograms, exemplars and metadata');
    }
  }

  #addSample(timestampMs: number): number {
    if (this.columns.count >= requestSamplesMax) throw tooMany(requestSamplesMax, 'samples');
    // The series is known only behind its samples.
    return this.columns.add(0, timestampMs);
  }
}

function tooMany(max: number, what: string): RemoteRequestError {
  return new RemoteRequestError(remoteErrorCodes.tooLarge, `the request has more than ${max} ${what}`);
}

/** What is wrong with the name of a series, if anything. */
export function nameFault(labels: Labels): string | undefined {
  const name = labels.get(metricNameLabel);
  if (name === '') return 'the metric name is missing';
  return isValidMetricName(name) ? undefined : 'the metric name is invalid';
}
