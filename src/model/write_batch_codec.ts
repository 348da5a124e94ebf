/**
 * A write batch as bytes, as it travels between threads and nodes; little-endian, varints are LEB128:
 *
 *     version 1:  1 · series · samples
 *     version 2:  2 · flags · series · samples · what the flags say, in this order:
 *                 1 histograms · 2 start times · 4 exemplars · 8 metadata
 *
 *     series      number, then each label set
 *     samples     number, then columns of series index (u32), time (f64), value (bits)
 *     histograms  number, then each with the samples between it and the one before
 *
 * A batch of floats alone is written as version 1, which every reader knows.
 */
import { ByteFormatError, ByteReader, ByteWriter } from '../base/index.ts';
import type { BatchExemplar, BatchMetadata } from './batch_extras.ts';
import { readHistogram, writeHistogram } from './histogram/codec.ts';
import type { FloatHistogram } from './histogram/float_histogram.ts';
import type { Labels } from './labels.ts';
import { readLabels, writeLabels } from './labels_codec.ts';
import type { WriteBatch } from './write_batch.ts';

const floatsVersion = 1;
/** The newest version that is written and read. */
export const writeBatchVersion = 2;

const histogramsFlag = 1;
const startTimesFlag = 2;
const exemplarsFlag = 4;
const metadataFlag = 8;
const flagsMax = 0b1111;

export function encodeWriteBatch(batch: WriteBatch): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(64 + batch.refs.length * 20 + batch.series.length * 64);
  const flags = flagsOf(batch);
  writer.u8(flags === 0 ? floatsVersion : writeBatchVersion);
  if (flags !== 0) writer.u8(flags);
  writer.varint(batch.series.length);
  for (const labels of batch.series) writeLabels(writer, labels);
  writer.varint(batch.refs.length);
  writer.column(batch.refs);
  writer.column(batch.timestamps);
  writer.column(batch.values);
  if (batch.histograms !== undefined) writeHistograms(writer, batch.histograms);
  if (batch.startTimes !== undefined) writer.column(batch.startTimes);
  if (batch.exemplars !== undefined) writeExemplars(writer, batch.exemplars);
  if (batch.metadata !== undefined) writeMetadata(writer, batch.metadata);
  return writer.finish();
}

/**
 * Throws ByteFormatError on bytes that are not a write batch of a known version. What a histogram says about itself is
 * not checked here (see FloatHistogram.validate): one that contradicts itself must not cost the rest of the batch.
 */
export function decodeWriteBatch(bytes: Uint8Array): WriteBatch {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  if (version !== floatsVersion && version !== writeBatchVersion)
    throw new ByteFormatError(`write batch version ${version} is not known here`);
  const flags = version === floatsVersion ? 0 : reader.u8();
  if (flags > flagsMax) throw new ByteFormatError(`write batch flags ${flags} exceed ${flagsMax}`);
  const series: Labels[] = [];
  // Ends with the bytes, as all loops here do.
  for (let left = reader.varint(); left > 0; left--) series.push(readLabels(reader));
  const count = reader.varint();
  const refs = reader.uints(count);
  // Readers index by these without looking again.
  if (refs.some((ref) => ref >= series.length))
    throw new ByteFormatError('a sample of a series that is not in the batch');
  const floats = { series, refs, timestamps: reader.floats(count), values: reader.floats(count) };
  if (flags === 0) return ended(reader, floats);
  return ended(reader, {
    ...floats,
    ...((flags & histogramsFlag) !== 0 && { histograms: readHistograms(reader, count) }),
    ...((flags & startTimesFlag) !== 0 && { startTimes: reader.floats(count) }),
    ...((flags & exemplarsFlag) !== 0 && { exemplars: readExemplars(reader, series.length) }),
    ...((flags & metadataFlag) !== 0 && { metadata: readMetadata(reader) }),
  });
}

/** The histograms among a column of samples: their number, then for each how many samples lie before it, and itself. */
export function writeHistograms(writer: ByteWriter, histograms: readonly (FloatHistogram | null)[]): void {
  writer.varint(histograms.reduce((count, histogram) => (histogram === null ? count : count + 1), 0));
  let next = 0;
  for (const [i, histogram] of histograms.entries()) {
    if (histogram === null) continue;
    writer.varint(i - next);
    writeHistogram(writer, histogram);
    next = i + 1;
  }
}

/** `count` elements, which must be bounded by what was read before. Throws ByteFormatError. */
export function readHistograms(reader: ByteReader, count: number): (FloatHistogram | null)[] {
  const histograms = new Array<FloatHistogram | null>(count).fill(null);
  let next = 0;
  for (let left = reader.varint(); left > 0; left--) {
    const at = next + reader.varint();
    if (at >= count) throw new ByteFormatError(`a histogram at sample ${at} of ${count}`);
    histograms[at] = readHistogram(reader);
    next = at + 1;
  }
  return histograms;
}

export function writeMetadata(writer: ByteWriter, metadata: readonly BatchMetadata[]): void {
  writer.varint(metadata.length);
  for (const { metric, type, unit, help } of metadata)
    for (const text of [metric, type, unit, help]) writer.text(text);
}

/** Throws ByteFormatError. */
export function readMetadata(reader: ByteReader): BatchMetadata[] {
  const metadata: BatchMetadata[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    metadata.push({ metric: reader.text(), type: reader.text(), unit: reader.text(), help: reader.text() });
  }
  return metadata;
}

function flagsOf(batch: WriteBatch): number {
  return (
    (batch.histograms === undefined ? 0 : histogramsFlag) |
    (batch.startTimes === undefined ? 0 : startTimesFlag) |
    (batch.exemplars === undefined ? 0 : exemplarsFlag) |
    (batch.metadata === undefined ? 0 : metadataFlag)
  );
}

function writeExemplars(writer: ByteWriter, exemplars: readonly BatchExemplar[]): void {
  writer.varint(exemplars.length);
  for (const { ref, labels, value, timestampMs } of exemplars) {
    writer.varint(ref);
    writeLabels(writer, labels);
    writer.f64(value);
    writer.f64(timestampMs);
  }
}

function readExemplars(reader: ByteReader, seriesCount: number): BatchExemplar[] {
  const exemplars: BatchExemplar[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const ref = reader.varint();
    if (ref >= seriesCount) throw new ByteFormatError('an exemplar of a series that is not in the batch');
    exemplars.push({ ref, labels: readLabels(reader), value: reader.f64(), timestampMs: reader.f64() });
  }
  return exemplars;
}

function ended(reader: ByteReader, batch: WriteBatch): WriteBatch {
  if (reader.remaining > 0) throw new ByteFormatError(`${reader.remaining} bytes behind a write batch`);
  return batch;
}
