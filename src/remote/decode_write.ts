/**
 * Remote write 1.0: a snappy block of `prometheus.WriteRequest` becomes a write batch in one pass, straight into
 * columns. A series that breaks the rules is refused with its samples and the rest is kept; a body that can't be read
 * is refused whole. One decoder serves all senders of a thread and remembers their series: in the steady state a series
 * costs a comparison of its bytes, and requests that repeat themselves get the same arrays with the store's references.
 */
import { systemRandom } from '../base/index.ts';
import { compareBytes, exemplarLabels, Labels, TextCache, type WriteBatch } from '../model/index.ts';
import { ProtoReader } from './proto_reader.ts';
import { readExemplar, readMetadata } from './read_extras.ts';
import { snappyUncompress } from './snappy.ts';
import { type DecodedRemoteWrite, nameFault, WriteAssembly } from './write_assembly.ts';

/** Uncompressed bodies up to this size share one buffer. */
const scratchBytesMax = 4 * 1024 * 1024;

export interface RemoteWriteOptions {
  /** Bytes of the uncompressed request. */
  readonly sizeMax: number;
  /** Any number that senders can't guess. */
  readonly hashSeed: number;
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

export class RemoteWriteDecoder {
  readonly #options: RemoteWriteOptions;
  readonly #assembly: WriteAssembly;
  readonly #texts: TextCache;
  #scratch = new Uint8Array(0);
  #reader = new ProtoReader(new Uint8Array(0));
  // The series being read.
  #flat: string[] = [];
  #previousName: string | undefined;
  #fault: string | undefined;

  constructor(options: RemoteWriteOptions) {
    this.#options = options;
    this.#assembly = new WriteAssembly(options.hashSeed);
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
    if (this.#assembly.isFull) this.#assembly.forget();
    this.#assembly.begin();
    this.#reader = new ProtoReader(bytes);
    const reader = this.#reader;
    const end = reader.length;
    while (reader.at < end) {
      const tag = reader.tag(end);
      if (tag === requestSeries) this.#readSeries(reader.window(end));
      else if (tag === requestMetadata) this.#readMetadata(reader.window(end));
      else reader.skip(tag, end);
    }
    return this.#assembly.finish();
  }

  /** The batch is stored, or given up. `isHeld`: somebody may still read its columns. */
  settled(batch: WriteBatch, isHeld: boolean): void {
    this.#assembly.settled(batch, isHeld);
  }

  #readSeries(end: number): void {
    const reader = this.#reader;
    const assembly = this.#assembly;
    const { known } = assembly;
    const firstSample = assembly.columns.count;
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
      if (tag === seriesSample) assembly.readSample(reader, reader.window(end));
      else if (tag === seriesLabel && reader.at <= labelsEnd) this.#readLabel(reader.window(end));
      else if (tag === seriesLabel) {
        // They are read anew when all else is known.
        isWhole = false;
        reader.skip(tag, end);
      } else if (tag === seriesHistogram) assembly.readHistogram(reader, reader.window(end));
      else if (tag === seriesExemplar) this.#readSeriesExemplar(reader.window(end));
      else reader.skip(tag, end);
    }
    if (series >= 0 && isWhole) this.#assembly.keepSeries(series, firstSample);
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
    const { known } = this.#assembly;
    if (labelsEnd < 0) this.#readLabelsAnew(start, end);
    const labels = Labels.fromSortedFlat(this.#flat.slice());
    const fault = this.#fault ?? nameFault(labels);
    if (fault !== undefined) this.#assembly.refuseSeries(labels, firstSample, fault);
    else if (labelsEnd < 0) this.#assembly.keepSeries(known.intern(labels), firstSample);
    else this.#assembly.keepSeries(known.add(this.#reader.bytes, start, labelsEnd, labels), firstSample);
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

  #readSeriesExemplar(end: number): void {
    this.#assembly.countObject();
    const { pairs, value, timestampMs } = readExemplar(this.#reader, end);
    const labels = pairs === undefined ? undefined : exemplarLabels(pairs);
    if (labels !== undefined) this.#assembly.addExemplar({ labels, value, timestampMs });
  }

  #readMetadata(end: number): void {
    this.#assembly.countObject();
    const metadata = readMetadata(this.#reader, end);
    if (metadata !== undefined) this.#assembly.addMetadata(metadata);
  }
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
