/**
 * Remote write 2.0 (prometheus.io/docs/specs/prw/remote_write_spec_2_0): `io.prometheus.write.v2.Request` becomes a write
 * batch in one pass over its series, after one over its symbols. A series is known by the numbers of its symbols, so in the
 * steady state no text is made, though every request has a symbol table of its own. A series that breaks the rules is
 * refused with its samples and the rest is kept; a body that can't be read is refused whole.
 */
import { compareBytes, exemplarLabels, Labels, metricNameLabel, type WriteBatch } from '../model/index.ts';
import type { RemoteWriteOptions } from './decode_write.ts';
import { ProtoReader } from './proto_reader.ts';
import { metricTypes } from './read_extras.ts';
import { snappyUncompress } from './snappy.ts';
import { SymbolCache } from './symbol_cache.ts';
import { type DecodedRemoteWrite, nameFault, WriteAssembly } from './write_assembly.ts';

/** Uncompressed bodies up to this size share one buffer. */
const scratchBytesMax = 4 * 1024 * 1024;
/** References of one series; far above what a label set may have. */
const seriesRefsMax = 65_536;
const refsCountMin = 64;

// Tags of the fields that are read: number * 8 + wire type.
const requestSymbol = 0x22;
const requestSeries = 0x2a;
const seriesLabelRefs = 0x0a;
const seriesLabelRef = 0x08;
const seriesSample = 0x12;
const seriesHistogram = 0x1a;
const seriesExemplar = 0x22;
const seriesMetadata = 0x2a;
const seriesCreated = 0x30;
const sampleTimestamp = 0x10;
const exemplarLabelRefs = 0x0a;
const exemplarLabelRef = 0x08;
const exemplarValue = 0x11;
const exemplarTimestamp = 0x18;
const metadataType = 0x08;
const metadataHelp = 0x18;
const metadataUnit = 0x20;

export interface RemoteWrite2Options extends RemoteWriteOptions {
  /** A sample of value 0 is stored where a series says that it began to count (created-timestamp-zero-ingestion). */
  readonly zeroSamples?: boolean;
}

/** One decoder serves all senders of a thread and remembers their series. */
export class RemoteWrite2Decoder {
  readonly #options: RemoteWrite2Options;
  readonly #assembly: WriteAssembly;
  #symbols: SymbolCache;
  #scratch = new Uint8Array(0);
  #reader = new ProtoReader(new Uint8Array(0));
  /** Numbers of the symbols of the series' labels: name, value, name, value... */
  #refs = new Int32Array(refsCountMin);
  #refBytes = new Uint8Array(this.#refs.buffer);
  #refView = new DataView(this.#refs.buffer);
  #refCount = 0;
  #refFault: string | undefined;
  /** By series: what was last said of its metric, so that it is not passed on again; see `metadataMark`. */
  #saidOf = new Float64Array(refsCountMin);
  /** Of the series being read; 0 when it says nothing. */
  #metadataMark = 0;

  constructor(options: RemoteWrite2Options) {
    this.#options = options;
    this.#assembly = new WriteAssembly(options.hashSeed);
    this.#symbols = new SymbolCache(options.hashSeed);
  }

  /** Throws RemoteRequestError: `snappy_corrupt`, `message_malformed`, `request_too_large`. */
  decode(body: Uint8Array): DecodedRemoteWrite {
    const bytes = snappyUncompress(body, this.#options.sizeMax, this.#scratch);
    if (bytes.buffer !== this.#scratch.buffer && bytes.length <= scratchBytesMax) this.#scratch = bytes;
    return this.decodeRequest(bytes);
  }

  /** The same for a request that is not compressed. */
  decodeRequest(bytes: Uint8Array): DecodedRemoteWrite {
    if (this.#assembly.isFull || this.#symbols.isFull) this.#forget();
    this.#assembly.begin();
    this.#symbols.beginRequest();
    this.#reader = new ProtoReader(bytes);
    // Fields may come in any order, and every series needs the symbols.
    this.#eachField(requestSymbol, (end) => this.#symbols.read(this.#reader, end));
    this.#reader.seek(0);
    this.#eachField(requestSeries, (end) => this.#readSeries(end));
    return this.#assembly.finish();
  }

  /** The batch is stored, or given up. `isHeld`: somebody may still read its columns. */
  settled(batch: WriteBatch, isHeld: boolean): void {
    this.#assembly.settled(batch, isHeld);
  }

  /** Series are known by numbers of symbols, so neither is remembered without the other. */
  #forget(): void {
    this.#assembly.forget();
    this.#symbols = new SymbolCache(this.#options.hashSeed);
    this.#saidOf = new Float64Array(refsCountMin);
  }

  #eachField(wanted: number, read: (end: number) => void): void {
    const reader = this.#reader;
    const end = reader.length;
    while (reader.at < end) {
      const tag = reader.tag(end);
      if (tag === wanted) read(reader.window(end));
      else reader.skip(tag, end);
    }
  }

  #readSeries(end: number): void {
    const reader = this.#reader;
    const assembly = this.#assembly;
    const firstSample = assembly.columns.count;
    let createdMs = this.#options.zeroSamples === true ? this.#createdMs(end) : 0;
    this.#refCount = 0;
    this.#refFault = undefined;
    this.#metadataMark = 0;
    while (reader.at < end) {
      const tag = reader.tag(end);
      if (tag === seriesSample) {
        const sampleEnd = reader.window(end);
        if (createdMs !== 0) this.#addZeroSample(createdMs, sampleEnd);
        createdMs = 0;
        assembly.readSample(reader, sampleEnd);
      } else if (tag === seriesLabelRefs) this.#readRefs(reader.window(end));
      else if (tag === seriesLabelRef) this.#readRef(end);
      else if (tag === seriesHistogram) {
        assembly.readHistogram(reader, reader.window(end), createdMs);
        createdMs = 0;
      } else if (tag === seriesExemplar) this.#readExemplar(reader.window(end));
      else if (tag === seriesMetadata) this.#readMetadata(reader.window(end));
      else reader.skip(tag, end);
    }
    this.#finishSeries(firstSample);
  }

  /** Looks ahead for the time when the series began to count; 0 when it says none. */
  #createdMs(end: number): number {
    const reader = this.#reader;
    const start = reader.at;
    let createdMs = 0;
    while (reader.at < end) {
      const tag = reader.tag(end);
      if (tag === seriesCreated) createdMs = reader.integer(end);
      else reader.skip(tag, end);
    }
    reader.seek(start);
    return createdMs;
  }

  /** Before the sample that comes next, if that is later. */
  #addZeroSample(createdMs: number, sampleEnd: number): void {
    const reader = this.#reader;
    const start = reader.at;
    let timestampMs = 0;
    while (reader.at < sampleEnd) {
      const tag = reader.tag(sampleEnd);
      if (tag === sampleTimestamp) timestampMs = reader.integer(sampleEnd);
      else reader.skip(tag, sampleEnd);
    }
    reader.seek(start);
    if (timestampMs !== 0) this.#assembly.addZeroSample(createdMs, timestampMs);
  }

  #readRefs(end: number): void {
    while (this.#reader.at < end) this.#readRef(end);
  }

  #readRef(end: number): void {
    const reader = this.#reader;
    reader.varint64(end);
    const number = reader.high === 0 ? this.#symbols.number(reader.low) : -1;
    if (number < 0) this.#refFault = `a label refers to symbol ${reader.low}, which is not there`;
    if (this.#refCount === this.#refs.length) {
      if (this.#refCount >= seriesRefsMax) {
        this.#refFault = `a series has more than ${seriesRefsMax / 2} labels`;
        return;
      }
      this.#growRefs();
    }
    this.#refs[this.#refCount++] = number;
  }

  #growRefs(): void {
    const longer = new Int32Array(this.#refs.length * 2);
    longer.set(this.#refs);
    this.#refs = longer;
    this.#refBytes = new Uint8Array(longer.buffer);
    this.#refView = new DataView(longer.buffer);
  }

  #finishSeries(firstSample: number): void {
    const { known } = this.#assembly;
    const end = this.#refCount * 4;
    const isRight = this.#refFault === undefined && this.#refCount > 0;
    let series = -1;
    // What follows the references in the buffer may look like the rest of a longer key.
    if (isRight && known.guessEnd(this.#refView, 0) === end) series = known.take();
    else if (isRight) series = known.find(this.#refBytes, 0, end);
    if (series < 0) series = this.#newSeries(firstSample);
    if (series < 0) return;
    this.#assembly.keepSeries(series, firstSample);
    if (this.#metadataMark !== 0) this.#keepMetadata(series, this.#metadataMark);
  }

  /** The number of a series that comes for the first time, or -1 for one that is refused. */
  #newSeries(firstSample: number): number {
    const { flat, fault } = this.#labelsOf(this.#refs.subarray(0, this.#refCount), this.#refFault);
    const labels = Labels.fromSortedFlat(flat.slice());
    const problem = fault ?? nameFault(labels);
    if (problem !== undefined) {
      this.#assembly.refuseSeries(labels, firstSample, problem);
      return -1;
    }
    return this.#assembly.known.add(this.#refBytes, 0, this.#refCount * 4, labels);
  }

  /** Sorted, as the sender should have done and Prometheus does for those that have not. */
  #labelsOf(
    refs: Int32Array,
    refFault: string | undefined,
  ): { readonly flat: string[]; readonly fault: string | undefined } {
    let fault = refFault;
    if (refs.length % 2 !== 0) fault ??= 'a label has no value';
    const pairs: [string, string][] = [];
    for (let i = 0; i + 1 < refs.length; i += 2) {
      const nameRef = refs[i] as number;
      const valueRef = refs[i + 1] as number;
      if (nameRef < 0 || valueRef < 0) continue;
      const name = this.#symbols.text(nameRef);
      const value = this.#symbols.text(valueRef);
      if (name === undefined || value === undefined) fault ??= 'a label is not valid UTF-8';
      else if (name === '') fault ??= 'a label name is empty';
      else pairs.push([name, value]);
    }
    pairs.sort(([a], [b]) => compareBytes(a, b));
    const twice = pairs.find(([name], i) => name === pairs[i + 1]?.[0]);
    if (twice !== undefined) fault ??= `label name ${JSON.stringify(twice[0])} is not unique`;
    return { flat: pairs.filter(([, value]) => value !== '').flat(), fault };
  }

  #readExemplar(end: number): void {
    this.#assembly.countObject();
    const reader = this.#reader;
    const numbers: number[] = [];
    const add = (within: number): void => {
      reader.varint64(within);
      if (numbers.length < seriesRefsMax)
        numbers.push(reader.high === 0 ? this.#symbols.number(reader.low) : -1);
    };
    let value = 0;
    let timestampMs = 0;
    while (reader.at < end) {
      const tag = reader.tag(end);
      if (tag === exemplarLabelRefs)
        for (const listEnd = reader.window(end); reader.at < listEnd; ) add(listEnd);
      else if (tag === exemplarLabelRef) add(end);
      else if (tag === exemplarValue) value = reader.float(end);
      else if (tag === exemplarTimestamp) timestampMs = reader.integer(end);
      else reader.skip(tag, end);
    }
    if (numbers.includes(-1)) return;
    const { flat, fault } = this.#labelsOf(Int32Array.from(numbers), undefined);
    const labels = fault === undefined ? exemplarLabels(flat) : undefined;
    if (labels !== undefined) this.#assembly.addExemplar({ labels, value, timestampMs });
  }

  #readMetadata(end: number): void {
    const reader = this.#reader;
    let type = 0;
    let help = 0;
    let unit = 0;
    while (reader.at < end) {
      const tag = reader.tag(end);
      if (tag === metadataType) type = reader.unsigned(end);
      else if (tag === metadataHelp) help = reader.unsigned(end);
      else if (tag === metadataUnit) unit = reader.unsigned(end);
      else reader.skip(tag, end);
    }
    this.#metadataMark = metadataMark(type, this.#symbols.number(help), this.#symbols.number(unit));
  }

  /** What is said of a metric again and again is passed on once. */
  #keepMetadata(series: number, mark: number): void {
    if (series >= this.#saidOf.length) {
      const longer = new Float64Array(Math.max(series + 1, this.#saidOf.length * 2));
      longer.set(this.#saidOf);
      this.#saidOf = longer;
    }
    if (this.#saidOf[series] === mark) return;
    this.#saidOf[series] = mark;
    const type = metricTypes[mark % typesMax] ?? 'unknown';
    const help = this.#symbols.text(Math.floor(mark / typesMax) % numbersMax);
    const unit = this.#symbols.text(Math.floor(mark / typesMax / numbersMax) - 1);
    if (help === undefined || unit === undefined) return;
    if (type === 'unknown' && help === '' && unit === '') return;
    this.#assembly.countObject();
    const metric = familyOf(this.#assembly.known.labels(series).get(metricNameLabel), type);
    this.#assembly.addMetadata({ metric, type, help, unit });
  }
}

const typesMax = 8;
/** More than there are numbers of symbols at a time. */
const numbersMax = 2 ** 22;

/** Type, number of the help, number of the unit in one; 0 when one of them is not there. */
function metadataMark(type: number, help: number, unit: number): number {
  if (help < 0 || unit < 0) return 0;
  return (type < typesMax ? type : 0) + typesMax * (help + numbersMax * (unit + 1));
}

const partSuffix = /_(?:bucket|sum|count)$/;

/** Metadata comes with each series here, and belongs to the metric that the series is a part of. */
function familyOf(name: string, type: string): string {
  const hasParts = type === 'histogram' || type === 'gaugehistogram' || type === 'summary';
  return hasParts ? name.replace(partSuffix, '') : name;
}
