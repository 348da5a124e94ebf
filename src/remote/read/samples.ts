/** The answer of remote read in one piece: a snappy block of `prometheus.ReadResponse`. */
import type { SeriesColumns } from '../../model/index.ts';
import { RemoteRequestError, remoteErrorCodes } from '../errors.ts';
import { ProtoWriter } from '../proto_writer.ts';
import { snappyCompress } from '../snappy_compress.ts';
import { writeHistogram } from '../write_histogram.ts';
import { withExternalLabels } from './request.ts';

/** Of an answer, uncompressed: it is in memory whole. Streamed answers have no bound. */
const answerBytesMax = 1024 * 1024 * 1024;

const responseResult = 0x0a;
const resultSeries = 0x0a;
const seriesLabel = 0x0a;
const seriesSample = 0x12;
const seriesHistogram = 0x22;
const labelName = 0x0a;
const labelValue = 0x12;
const sampleValue = 0x09;
const sampleTimestamp = 0x10;

export interface SamplesOptions {
  readonly externalLabels: Readonly<Record<string, string>>;
  /** Samples of one query; 0: no limit. */
  readonly samplesMax: number;
}

/** Writes `labels` as `Label` messages. */
export function writeLabels(writer: ProtoWriter, tag: number, labels: readonly string[]): void {
  for (let i = 0; i < labels.length; i += 2) {
    const start = writer.open(tag);
    writer.text(labelName, labels[i] as string);
    writer.text(labelValue, labels[i + 1] as string);
    writer.close(start);
  }
}

export class SampledAnswer {
  readonly #writer = new ProtoWriter();
  readonly #options: SamplesOptions;

  constructor(options: SamplesOptions) {
    this.#options = options;
  }

  /** Adds the result of the next query; series are sorted. Throws RemoteRequestError: `sample_limit`. */
  add(series: readonly SeriesColumns[]): void {
    const { samplesMax, externalLabels } = this.#options;
    let samples = 0;
    for (const { timestamps } of series) samples += timestamps.length;
    if (samplesMax > 0 && samples > samplesMax) {
      throw new RemoteRequestError(remoteErrorCodes.sampleLimit, `exceeded sample limit (${samplesMax})`);
    }
    const writer = this.#writer;
    const result = writer.open(responseResult);
    for (const one of series) {
      const start = writer.open(resultSeries);
      writeLabels(writer, seriesLabel, withExternalLabels(one.labels.flat, externalLabels));
      writeSamples(writer, one);
      writer.close(start);
      if (writer.length > answerBytesMax) {
        const message = `the answer exceeds ${answerBytesMax} bytes, ask for it in chunks`;
        throw new RemoteRequestError(remoteErrorCodes.sampleLimit, message);
      }
    }
    writer.close(result);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return snappyCompress(this.#writer.written);
  }
}

function writeSamples(writer: ProtoWriter, { timestamps, values, histograms }: SeriesColumns): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  for (let i = 0; i < timestamps.length; i++) {
    const histogram = histograms?.[i] ?? null;
    if (histogram !== null) continue;
    const start = writer.open(seriesSample);
    writer.varint(sampleValue);
    writer.words(words[i * 2] as number, words[i * 2 + 1] as number);
    writer.varint(sampleTimestamp);
    writer.int64(timestamps[i] as number);
    writer.close(start);
  }
  for (const [i, histogram] of (histograms ?? []).entries()) {
    if (histogram === null) continue;
    const start = writer.open(seriesHistogram);
    writeHistogram(writer, timestamps[i] as number, histogram);
    writer.close(start);
  }
}
