/**
 * A batch of samples on its way to shards: distinct label sets, then columns of (series index, time, value).
 * The same bytes travel between threads and nodes and are what a shard's log record holds.
 */
import { ByteFormatError, ByteReader, ByteWriter } from '../base/index.ts';
import type { BatchExemplar, BatchMetadata } from './batch_extras.ts';
import type { FloatHistogram } from './histogram/float_histogram.ts';
import { Labels } from './labels.ts';

export const writeBatchVersion = 1;

export interface WriteBatch {
  readonly series: readonly Labels[];
  /** Index into `series`, one per sample. */
  readonly refs: Uint32Array;
  /** Milliseconds, one per sample. */
  readonly timestamps: Float64Array;
  /** Bit-exact values, one per sample; 0 where `histograms` holds one. */
  readonly values: Float64Array;
  /** One per sample, null where it is a float; absent when all are. */
  readonly histograms?: readonly (FloatHistogram | null)[];
  /** Milliseconds, one per sample, 0 where unknown: since when a cumulative value counts. Absent when none is known. */
  readonly startTimes?: Float64Array;
  readonly exemplars?: readonly BatchExemplar[];
  readonly metadata?: readonly BatchMetadata[];
  /**
   * The store's references, one per series, -1 where unknown: read and written by the store that the batch is appended
   * to in the same thread, never encoded. Whoever keeps the `series` array keeps this with it, so that the next batch
   * of the same series needs no lookup.
   */
  readonly storeRefs?: Int32Array;
}

/** Collects samples; series are told apart by their labels. */
export class WriteBatchBuilder {
  readonly #series: Labels[] = [];
  readonly #refByKey = new Map<string, number>();
  #refs = new Uint32Array(64);
  #timestamps = new Float64Array(64);
  #values = new Float64Array(64);
  #count = 0;

  get sampleCount(): number {
    return this.#count;
  }

  /** Adds the sample at `index` of two columns, moving its bits. */
  addFrom(labels: Labels, timestampMs: number, values: Float64Array, index: number): void {
    const key = labels.key();
    let ref = this.#refByKey.get(key);
    if (ref === undefined) {
      ref = this.#series.push(labels) - 1;
      this.#refByKey.set(key, ref);
    }
    if (this.#count === this.#refs.length) this.#grow();
    this.#refs[this.#count] = ref;
    this.#timestamps[this.#count] = timestampMs;
    this.#values.set(values.subarray(index, index + 1), this.#count);
    this.#count++;
  }

  readonly #one = new Float64Array(1);

  /** Adds an ordinary value; for NaN with a payload use addFrom. */
  add(labels: Labels, timestampMs: number, value: number): void {
    this.#one[0] = value;
    this.addFrom(labels, timestampMs, this.#one, 0);
  }

  #grow(): void {
    const size = this.#count * 2;
    const refs = new Uint32Array(size);
    const timestamps = new Float64Array(size);
    const values = new Float64Array(size);
    refs.set(this.#refs);
    timestamps.set(this.#timestamps);
    values.set(this.#values);
    this.#refs = refs;
    this.#timestamps = timestamps;
    this.#values = values;
  }

  finish(): WriteBatch {
    return {
      series: this.#series,
      refs: this.#refs.slice(0, this.#count),
      timestamps: this.#timestamps.slice(0, this.#count),
      values: this.#values.slice(0, this.#count),
    };
  }
}

/** version, series (label count, then strings), sample count, then the three columns. */
export function encodeWriteBatch(batch: WriteBatch): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(64 + batch.refs.length * 20 + batch.series.length * 64);
  writer.u8(writeBatchVersion);
  writer.varint(batch.series.length);
  for (const labels of batch.series) {
    writer.varint(labels.size);
    for (const text of labels.flat) writer.text(text);
  }
  writer.varint(batch.refs.length);
  writer.column(batch.refs);
  writer.column(batch.timestamps);
  writer.column(batch.values);
  return writer.finish();
}

/** Throws ByteFormatError on bytes that are not a write batch of a known version. */
export function decodeWriteBatch(bytes: Uint8Array): WriteBatch {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  if (version !== writeBatchVersion)
    throw new ByteFormatError(`write batch version ${version} is not known here`);
  const series: Labels[] = [];
  const seriesCount = reader.varint();
  for (let i = 0; i < seriesCount; i++) {
    const flat: string[] = [];
    const labelCount = reader.varint();
    for (let j = 0; j < labelCount * 2; j++) flat.push(reader.text());
    series.push(Labels.fromSortedFlat(flat));
  }
  const sampleCount = reader.varint();
  const refs = reader.uints(sampleCount);
  // Readers index by these without looking again.
  if (refs.some((ref) => ref >= series.length))
    throw new ByteFormatError('a sample of a series that is not in the batch');
  return {
    series,
    refs,
    timestamps: reader.floats(sampleCount),
    values: reader.floats(sampleCount),
  };
}
