/** A write batch as the body of a remote write 1.0 request. */
import { ByteWriter } from '../base/index.ts';
import type { Labels, WriteBatch } from '../model/index.ts';
import { snappyCompress } from './snappy.ts';

// What a field takes at most: a tag, a length of at most 5 bytes, and its content.
const prefixBytesMax = 6;
const sampleBytesMax: number = prefixBytesMax + 1 + 8 + 1 + 10;
/** UTF-8 bytes per UTF-16 unit. */
const utf8BytesMax = 3;

/** The body: a snappy block of `prometheus.WriteRequest`. */
export function encodeRemoteWrite(batch: WriteBatch): Uint8Array<ArrayBuffer> {
  return snappyCompress(encodeWriteRequest(batch));
}

/** `prometheus.WriteRequest`, one `TimeSeries` per series of the batch that has samples, samples in the batch's order. */
export function encodeWriteRequest(batch: WriteBatch): Uint8Array<ArrayBuffer> {
  const positions: number[][] = batch.series.map(() => []);
  for (let i = 0; i < batch.refs.length; i++) positions[batch.refs[i] as number]?.push(i);
  let requestBytesMax = 0;
  const encoded: Uint8Array[] = [];
  for (const [ref, labels] of batch.series.entries()) {
    const samples = positions[ref] ?? [];
    if (samples.length === 0) continue;
    const series = encodeTimeSeries(labels, batch, samples);
    requestBytesMax += prefixBytesMax + series.length;
    encoded.push(series);
  }
  const request = new ByteWriter(requestBytesMax);
  for (const series of encoded) {
    request.u8(0x0a);
    request.block(series);
  }
  return request.finish();
}

function encodeTimeSeries(labels: Labels, batch: WriteBatch, samples: readonly number[]): Uint8Array {
  const labelBytesMax = labels.flat.reduce(
    (sum, text) => sum + 2 * prefixBytesMax + text.length * utf8BytesMax,
    0,
  );
  const series = new ByteWriter(labelBytesMax + samples.length * sampleBytesMax);
  for (const [name, value] of labels) {
    const label = new ByteWriter(2 * prefixBytesMax + (name.length + value.length) * utf8BytesMax);
    label.u8(0x0a);
    label.text(name);
    label.u8(0x12);
    label.text(value);
    series.u8(0x0a);
    series.block(label.finish());
  }
  for (const i of samples) {
    const sample = new ByteWriter(sampleBytesMax);
    sample.u8(0x09);
    sample.column(batch.values.subarray(i, i + 1));
    sample.u8(0x10);
    int64(sample, batch.timestamps[i] as number);
    series.u8(0x12);
    series.block(sample.finish());
  }
  return series.finish();
}

/** Negative numbers take ten bytes: two's complement in 64 bits. */
function int64(writer: ByteWriter, value: number): void {
  if (value >= 0) {
    writer.varint(value);
    return;
  }
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) writer.u8(Number(rest & 0x7fn) | 0x80);
  writer.u8(Number(rest));
}
