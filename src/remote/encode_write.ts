/** A write batch as the body of a remote write 1.0 request. */
import type { Labels, WriteBatch } from '../model/index.ts';
import { ProtoWriter } from './proto_writer.ts';
import { snappyCompress } from './snappy_compress.ts';
import { writeHistogram } from './write_histogram.ts';

const requestSeries = 0x0a;
const seriesLabel = 0x0a;
const seriesSample = 0x12;
const seriesHistogram = 0x22;
const labelName = 0x0a;
const labelValue = 0x12;
const sampleValue = 0x09;
const sampleTimestamp = 0x10;
/** Of one series with a sample, mostly. */
const seriesBytes = 256;

/** The body: a snappy block of `prometheus.WriteRequest`. */
export function encodeRemoteWrite(batch: WriteBatch): Uint8Array<ArrayBuffer> {
  return snappyCompress(encoded(batch).written);
}

/** `prometheus.WriteRequest`, one `TimeSeries` per series of the batch that has samples, samples in the batch's order. */
export function encodeWriteRequest(batch: WriteBatch): Uint8Array<ArrayBuffer> {
  return encoded(batch).finish();
}

function encoded(batch: WriteBatch): ProtoWriter {
  const { series, refs } = batch;
  const words = new Uint32Array(batch.values.buffer, batch.values.byteOffset, batch.values.length * 2);
  const { first, next } = positionsOf(refs, series.length);
  const writer = new ProtoWriter(series.length * seriesBytes);
  for (const [ref, labels] of series.entries()) {
    let at = first[ref] as number;
    if (at < 0) continue;
    const start = writer.open(requestSeries);
    writeLabels(writer, labels);
    for (; at >= 0; at = next[at] as number) writeSample(writer, batch, words, at);
    writer.close(start);
  }
  return writer;
}

/** Lists of the samples of each series, in the batch's order: where they begin, and which follows which; -1 ends one. */
function positionsOf(refs: Uint32Array, seriesCount: number): { first: Int32Array; next: Int32Array } {
  const first = new Int32Array(seriesCount).fill(-1);
  const next = new Int32Array(refs.length);
  for (let i = refs.length - 1; i >= 0; i--) {
    const ref = refs[i] as number;
    next[i] = first[ref] as number;
    first[ref] = i;
  }
  return { first, next };
}

function writeLabels(writer: ProtoWriter, { flat }: Labels): void {
  for (let i = 0; i < flat.length; i += 2) {
    const start = writer.open(seriesLabel);
    writer.text(labelName, flat[i] as string);
    writer.text(labelValue, flat[i + 1] as string);
    writer.close(start);
  }
}

function writeSample(writer: ProtoWriter, batch: WriteBatch, words: Uint32Array, at: number): void {
  const timestampMs = batch.timestamps[at] as number;
  const histogram = batch.histograms?.[at] ?? null;
  const start = writer.open(histogram === null ? seriesSample : seriesHistogram);
  if (histogram === null) {
    writer.varint(sampleValue);
    writer.words(words[at * 2] as number, words[at * 2 + 1] as number);
    writer.varint(sampleTimestamp);
    writer.int64(timestampMs);
  } else writeHistogram(writer, timestampMs, histogram);
  writer.close(start);
}
