/**
 * Raw series on the wire, bit-exact including staleness markers: for queries that can't be pushed down.
 *
 *     version, label table, then per series:
 *     varint samples, flags, timestamps as zigzag varints of their deltas' deltas, values as 64-bit floats;
 *     with flag 1 histograms: varint how many, then per histogram varint samples skipped since the last one, histogram;
 *     with flag 2 start times: zigzag varints of how far they lie before their sample's time, plus one; 0 for unknown
 */
import { ByteFormatError, ByteReader, ByteWriter } from '../../base/index.ts';
import { type FloatHistogram, readHistogram, type SeriesColumns, writeHistogram } from '../../model/index.ts';
import { boundedCount, checkVersion, readLabelTable, writeLabelTable } from './label_table.ts';

const seriesVersion = 2;
const flags = { histograms: 1, startTimes: 2 } as const;
const flagsMax = flags.histograms | flags.startTimes;

export function encodeSeries(series: readonly SeriesColumns[]): Uint8Array<ArrayBuffer> {
  let samples = 0;
  for (const { timestamps } of series) samples += timestamps.length;
  const writer = new ByteWriter(64 + series.length * 64 + samples * 11);
  writer.u8(seriesVersion);
  writeLabelTable(
    writer,
    series.map(({ labels }) => labels),
  );
  for (const { timestamps, values, histograms, startTimes } of series) {
    writer.varint(timestamps.length);
    writer.u8(
      (histograms === undefined ? 0 : flags.histograms) | (startTimes === undefined ? 0 : flags.startTimes),
    );
    writeTimestamps(writer, timestamps);
    writer.column(values);
    if (histograms !== undefined) writeHistograms(writer, histograms);
    if (startTimes !== undefined) writeStartTimes(writer, startTimes, timestamps);
  }
  return writer.finish();
}

/** Throws ByteFormatError on bytes that are no series of a known version. */
export function decodeSeries(bytes: Uint8Array): SeriesColumns[] {
  const reader = new ByteReader(bytes);
  checkVersion(reader, seriesVersion, 'series');
  return readLabelTable(reader).map((labels) => {
    const count = boundedCount(reader);
    const set = reader.u8();
    if (set > flagsMax) throw new ByteFormatError(`series flags ${set} exceed ${flagsMax}`);
    const timestamps = readTimestamps(reader, count);
    const values = reader.floats(count);
    const histograms = (set & flags.histograms) === 0 ? undefined : readHistograms(reader, count);
    const startTimes = (set & flags.startTimes) === 0 ? undefined : readStartTimes(reader, timestamps);
    return {
      labels,
      timestamps,
      values,
      ...(histograms === undefined ? {} : { histograms }),
      ...(startTimes === undefined ? {} : { startTimes }),
    };
  });
}

function writeTimestamps(writer: ByteWriter, timestamps: Float64Array): void {
  let previous = 0;
  let previousDelta = 0;
  for (let i = 0; i < timestamps.length; i++) {
    const timestamp = timestamps[i] as number;
    const delta = timestamp - previous;
    writer.varsint(delta - previousDelta);
    previous = timestamp;
    previousDelta = delta;
  }
}

function readTimestamps(reader: ByteReader, count: number): Float64Array {
  const timestamps = new Float64Array(count);
  let previous = 0;
  let previousDelta = 0;
  for (let i = 0; i < count; i++) {
    previousDelta += reader.varsint();
    previous += previousDelta;
    timestamps[i] = previous;
  }
  return timestamps;
}

function writeHistograms(writer: ByteWriter, histograms: readonly (FloatHistogram | null)[]): void {
  let count = 0;
  for (const histogram of histograms) if (histogram !== null) count++;
  writer.varint(count);
  let next = 0;
  for (const [i, histogram] of histograms.entries()) {
    if (histogram === null) continue;
    writer.varint(i - next);
    writeHistogram(writer, histogram);
    next = i + 1;
  }
}

function readHistograms(reader: ByteReader, samples: number): (FloatHistogram | null)[] {
  const histograms = new Array<FloatHistogram | null>(samples).fill(null);
  const count = boundedCount(reader);
  let next = 0;
  for (let i = 0; i < count; i++) {
    const index = next + reader.varint();
    if (index >= samples) throw new ByteFormatError('a histogram is beyond the last sample');
    histograms[index] = readHistogram(reader);
    next = index + 1;
  }
  return histograms;
}

function writeStartTimes(writer: ByteWriter, startTimes: Float64Array, timestamps: Float64Array): void {
  for (let i = 0; i < timestamps.length; i++) {
    const start = startTimes[i] as number;
    const before = (timestamps[i] as number) - start;
    writer.varsint(start === 0 ? 0 : before >= 0 ? before + 1 : before);
  }
}

function readStartTimes(reader: ByteReader, timestamps: Float64Array): Float64Array {
  return timestamps.map((timestamp) => {
    const before = reader.varsint();
    return before === 0 ? 0 : timestamp - (before > 0 ? before - 1 : before);
  });
}
