/**
 * The answer of remote read as a stream of frames: varint length, CRC-32 (Castagnoli polynomial, RFC 3720 appendix B.4)
 * big-endian, `prometheus.ChunkedReadResponse`. A frame has chunks of one series, about as many bytes as it may have; the
 * next one is made when somebody wants it.
 */
import type { FloatHistogram, SeriesColumns } from '../../model/index.ts';
import { ProtoWriter } from '../proto_writer.ts';
import { crc32c } from './crc32c.ts';
import { encodeHistogramChunk, isIntegerChunk, mayFollow } from './histogram_chunk.ts';
import { withExternalLabels } from './request.ts';
import { writeLabels } from './samples.ts';
import { encodeXorChunk } from './xor_chunk.ts';

/** As Prometheus' own chunks, which its readers expect. */
const chunkSamplesMax = 120;

const answerSeries = 0x0a;
const answerQuery = 0x10;
const seriesLabel = 0x0a;
const seriesChunk = 0x12;
const chunkFrom = 0x08;
const chunkTo = 0x10;
const chunkType = 0x18;
const chunkData = 0x22;
const encodings = { xor: 1, histogram: 2, floatHistogram: 3 } as const;

interface Chunk {
  readonly type: number;
  readonly data: Uint8Array;
  /** The first sample behind it. */
  readonly end: number;
}

export interface FrameOptions {
  readonly externalLabels: Readonly<Record<string, string>>;
  /** About so many bytes of a series in one frame. */
  readonly frameBytesMax: number;
}

/** All frames of the result of query number `queryIndex`; series are sorted. */
export function* frames(
  series: Iterable<SeriesColumns>,
  queryIndex: number,
  { externalLabels, frameBytesMax }: FrameOptions,
): Generator<Uint8Array<ArrayBuffer>> {
  const writer = new ProtoWriter();
  for (const one of series) {
    const labels = withExternalLabels(one.labels.flat, externalLabels);
    const words = new Uint32Array(one.values.buffer, one.values.byteOffset, one.values.length * 2);
    for (let at = 0; at < one.timestamps.length; ) {
      writer.reset();
      const start = writer.open(answerSeries);
      writeLabels(writer, seriesLabel, labels);
      do {
        const chunk = chunkAt(one, words, at);
        writeChunk(writer, chunk, one.timestamps[at] as number, one.timestamps[chunk.end - 1] as number);
        at = chunk.end;
      } while (at < one.timestamps.length && writer.length < frameBytesMax);
      writer.close(start);
      if (queryIndex > 0) {
        writer.varint(answerQuery);
        writer.varint(queryIndex);
      }
      yield framed(writer.written);
    }
  }
}

function chunkAt(series: SeriesColumns, words: Uint32Array, at: number): Chunk {
  const { timestamps, histograms } = series;
  const first = histograms?.[at] ?? null;
  const endMax = Math.min(timestamps.length, at + chunkSamplesMax);
  let end = at + 1;
  if (first === null) {
    while (end < endMax && (histograms?.[end] ?? null) === null) end++;
    return { type: encodings.xor, data: encodeXorChunk(timestamps, words, at, end), end };
  }
  const run: FloatHistogram[] = [first];
  for (; end < endMax; end++) {
    const next = histograms?.[end] ?? null;
    if (next === null || !mayFollow(run.at(-1) as FloatHistogram, next)) break;
    run.push(next);
  }
  const type = isIntegerChunk(first) ? encodings.histogram : encodings.floatHistogram;
  return { type, data: encodeHistogramChunk(timestamps.subarray(at, end), run), end };
}

function writeChunk(writer: ProtoWriter, { type, data }: Chunk, fromMs: number, toMs: number): void {
  const start = writer.open(seriesChunk);
  writer.varint(chunkFrom);
  writer.int64(fromMs);
  writer.varint(chunkTo);
  writer.int64(toMs);
  writer.varint(chunkType);
  writer.varint(type);
  writer.bytes(chunkData, data);
  writer.close(start);
}

function framed(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new ProtoWriter();
  head.varint(message.length);
  const frame = new Uint8Array(head.length + 4 + message.length);
  frame.set(head.written);
  new DataView(frame.buffer).setUint32(head.length, crc32c(message));
  frame.set(message, head.length + 4);
  return frame;
}
