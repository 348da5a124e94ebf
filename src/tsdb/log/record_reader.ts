/**
 * Reads records of version 2 and, as if they were such, write batches of version 1. A record is read whole before anybody
 * is told of it, so that one that turns out damaged leaves no trace. The columns are used again for the next one.
 */
import { ByteFormatError, ByteReader } from '../../base/index.ts';
import {
  BadRegexError,
  type BatchMetadata,
  decodeWriteBatch,
  type FloatHistogram,
  type Labels,
  Matcher,
  readHistograms,
  readLabels,
  readMetadata,
} from '../../model/index.ts';
import { ColumnReader, readIds, readTimes } from './columns.ts';
import { type NewSeries, readDefinitions } from './definitions.ts';
import { idMax } from './keys.ts';
import {
  type Deletion,
  matchTypes,
  type RecordExemplar,
  RecordFlag,
  RecordKind,
  type ReplayColumns,
} from './record.ts';

const flagsMax = 0b1111;

/** Growing columns of samples; only the first `count` elements count. */
export class RecordColumns implements ReplayColumns {
  count = 0;
  ids: Uint32Array<ArrayBuffer> = new Uint32Array(256);
  times: Float64Array<ArrayBuffer> = new Float64Array(256);
  values: Float64Array<ArrayBuffer> = new Float64Array(256);
  histograms: (FloatHistogram | null)[] | undefined;
  startTimes: Float64Array<ArrayBuffer> | undefined;
  #startTimes: Float64Array<ArrayBuffer> = new Float64Array(0);

  begin(count: number): void {
    this.count = count;
    this.histograms = undefined;
    this.startTimes = undefined;
    if (count <= this.ids.length) return;
    const size = Math.max(count, this.ids.length * 2);
    this.ids = new Uint32Array(size);
    this.times = new Float64Array(size);
    this.values = new Float64Array(size);
  }

  /** Gives the samples start times, which the caller fills in. */
  withStartTimes(): Float64Array<ArrayBuffer> {
    if (this.#startTimes.length < this.ids.length) this.#startTimes = new Float64Array(this.ids.length);
    this.startTimes = this.#startTimes;
    return this.#startTimes;
  }
}

export interface SamplesRecord {
  readonly kind: 'samples';
  readonly epoch: number;
  readonly definitions: readonly NewSeries[];
  readonly columns: RecordColumns;
  readonly exemplars: readonly RecordExemplar[];
  readonly metadata: readonly BatchMetadata[];
  /** Of the ids that it defines or uses; 0 when there is none. */
  readonly highestId: number;
  /** -Infinity without samples. */
  readonly newestMs: number;
}

export interface DeletionRecord extends Deletion {
  readonly kind: 'deletion';
}

export type LogRecord = SamplesRecord | DeletionRecord;

export class RecordReader {
  readonly #columns = new RecordColumns();

  /** What it gives holds until the next call. Throws ByteFormatError. */
  read(payload: Uint8Array): LogRecord {
    const reader = new ByteReader(payload);
    const kind = reader.u8();
    if (kind === RecordKind.Samples) return this.#readSamples(reader, payload);
    if (kind === RecordKind.Deletion) return readDeletion(reader);
    throw new ByteFormatError(`kind ${kind} of record is not known`);
  }

  /**
   * Reads a write batch, which names series by their labels: `idOf` says by which ids they go. Throws ByteFormatError, and
   * then has not called it.
   */
  readBatch(payload: Uint8Array, epoch: number, idOf: (labels: Labels) => number): SamplesRecord {
    const batch = decodeWriteBatch(payload);
    const columns = this.#columns;
    const count = batch.refs.length;
    columns.begin(count);
    columns.times.set(batch.timestamps);
    columns.values.set(batch.values);
    columns.histograms = batch.histograms?.slice();
    if (batch.startTimes !== undefined) columns.withStartTimes().set(batch.startTimes);
    const newestMs = newestOf(columns);
    const ids = batch.series.map(idOf);
    for (let i = 0; i < count; i++) columns.ids[i] = ids[batch.refs[i] as number] as number;
    const highestId = ids.reduce((highest, id) => Math.max(highest, id), 0);
    const nothing = { definitions: [], exemplars: [], metadata: [] };
    return { kind: 'samples', epoch, columns, highestId, newestMs, ...nothing };
  }

  #readSamples(reader: ByteReader, payload: Uint8Array): SamplesRecord {
    const flags = reader.u8();
    if (flags > flagsMax) throw new ByteFormatError(`record flags ${flags} exceed ${flagsMax}`);
    const epoch = reader.varint();
    if (epoch > idMax) throw new ByteFormatError(`epoch ${epoch} does not fit 32 bits`);
    const definitions = readDefinitions(reader);
    const count = reader.varint();
    // Each sample takes eight bytes at least: the columns can't grow beyond what is really there.
    if (count * 8 > reader.remaining) throw new ByteFormatError(`too few bytes for ${count} samples`);
    const columns = this.#columns;
    columns.begin(count);
    const usedId = count === 0 ? 0 : readColumns(reader, payload, columns);
    const newestMs = newestOf(columns);
    if ((flags & RecordFlag.Histograms) !== 0) columns.histograms = readHistograms(reader, count);
    if ((flags & RecordFlag.StartTimes) !== 0 && count > 0) readStartTimes(reader, payload, columns);
    const exemplars = (flags & RecordFlag.Exemplars) === 0 ? [] : readExemplars(reader);
    const metadata = (flags & RecordFlag.Metadata) === 0 ? [] : readMetadata(reader);
    assertEnd(reader);
    const highestId = definitions.reduce((highest, one) => Math.max(highest, one.id), usedId);
    return { kind: 'samples', epoch, definitions, columns, exemplars, metadata, highestId, newestMs };
  }
}

/** Returns the highest id. */
function readColumns(reader: ByteReader, payload: Uint8Array, columns: RecordColumns): number {
  const column = columnReader(reader, payload);
  const highestId = readIds(column, columns.ids, columns.count);
  readTimes(column, columns.times, columns.count);
  column.floats(columns.values, columns.count);
  passColumns(reader, payload, column);
  return highestId;
}

/** One that can be no time is taken for unknown: it must not cost the sample. */
function readStartTimes(reader: ByteReader, payload: Uint8Array, columns: RecordColumns): void {
  const startTimes = columns.withStartTimes();
  const column = columnReader(reader, payload);
  readTimes(column, startTimes, columns.count);
  passColumns(reader, payload, column);
  for (let i = 0; i < columns.count; i++) if (!Number.isSafeInteger(startTimes[i])) startTimes[i] = 0;
}

function columnReader(reader: ByteReader, payload: Uint8Array): ColumnReader {
  return new ColumnReader(payload, payload.length - reader.remaining);
}

function passColumns(reader: ByteReader, payload: Uint8Array, column: ColumnReader): void {
  reader.raw(column.at - (payload.length - reader.remaining));
}

function newestOf({ times, count }: RecordColumns): number {
  let newestMs = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    const time = times[i] as number;
    if (!Number.isSafeInteger(time)) throw new ByteFormatError(`time ${time} of a sample`);
    if (time > newestMs) newestMs = time;
  }
  return newestMs;
}

function readExemplars(reader: ByteReader): RecordExemplar[] {
  const exemplars: RecordExemplar[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const id = reader.varint();
    const labels = readLabels(reader);
    const value = reader.f64();
    const timestampMs = reader.f64();
    // As with start times.
    if (Number.isSafeInteger(timestampMs)) exemplars.push({ id, labels, value, timestampMs });
  }
  return exemplars;
}

function readDeletion(reader: ByteReader): DeletionRecord {
  const fromMs = reader.f64();
  const toMs = reader.f64();
  if (!(fromMs <= toMs)) throw new ByteFormatError(`a deletion from ${fromMs} to ${toMs}`);
  const matchers: Matcher[] = [];
  for (let left = reader.varint(); left > 0; left--) matchers.push(readMatcher(reader));
  assertEnd(reader);
  return { kind: 'deletion', matchers, fromMs, toMs };
}

function readMatcher(reader: ByteReader): Matcher {
  const type = matchTypes[reader.u8()];
  if (type === undefined) throw new ByteFormatError('no such type of matcher');
  const name = reader.text();
  const value = reader.text();
  try {
    return Matcher.create(type, name, value);
  } catch (cause) {
    if (!(cause instanceof BadRegexError)) throw cause;
    throw new ByteFormatError(cause.message, { cause });
  }
}

function assertEnd(reader: ByteReader): void {
  if (reader.remaining > 0) throw new ByteFormatError(`${reader.remaining} bytes behind a record`);
}
