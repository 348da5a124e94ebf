/**
 * Raw series on the wire, bit-exact including staleness markers: for queries that can't be pushed down.
 *
 *     version, label table, then per series:
 *     varint samples, timestamps as zigzag varints of their deltas' deltas, values as 64-bit floats
 */
import { ByteReader, ByteWriter } from '../../base/index.ts';
import type { SeriesColumns } from '../../model/index.ts';
import { UnsupportedError } from '../errors.ts';
import { boundedCount, checkVersion, readLabelTable, writeLabelTable } from './label_table.ts';

const seriesVersion = 1;

/** Throws UnsupportedError when a sample is a native histogram. */
export function encodeSeries(series: readonly SeriesColumns[]): Uint8Array<ArrayBuffer> {
  let samples = 0;
  for (const { timestamps } of series) samples += timestamps.length;
  const writer = new ByteWriter(64 + series.length * 64 + samples * 11);
  writer.u8(seriesVersion);
  writeLabelTable(
    writer,
    series.map(({ labels }) => labels),
  );
  for (const { timestamps, values, histograms } of series) {
    if (histograms?.some((histogram) => histogram !== null)) throw new UnsupportedError('native histograms');
    writer.varint(timestamps.length);
    let previous = 0;
    let previousDelta = 0;
    for (let i = 0; i < timestamps.length; i++) {
      const timestamp = timestamps[i] as number;
      const delta = timestamp - previous;
      writer.varsint(delta - previousDelta);
      previous = timestamp;
      previousDelta = delta;
    }
    writer.column(values);
  }
  return writer.finish();
}

/** Throws ByteFormatError on bytes that are no series of a known version. */
export function decodeSeries(bytes: Uint8Array): SeriesColumns[] {
  const reader = new ByteReader(bytes);
  checkVersion(reader, seriesVersion, 'series');
  return readLabelTable(reader).map((labels) => {
    const count = boundedCount(reader);
    const timestamps = new Float64Array(count);
    let previous = 0;
    let previousDelta = 0;
    for (let i = 0; i < count; i++) {
      previousDelta += reader.varsint();
      previous += previousDelta;
      timestamps[i] = previous;
    }
    return { labels, timestamps, values: reader.floats(count) };
  });
}
