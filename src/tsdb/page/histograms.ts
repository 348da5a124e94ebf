/**
 * The native histograms of one series in a page: their number, then for each how far its sample lies behind that of
 * the one before, and the histogram as model writes it. Samples between are floats.
 */
import { ByteFormatError, ByteReader, type ByteWriter } from '../../base/index.ts';
import { type FloatHistogram, readHistogram, writeHistogram } from '../../model/index.ts';
import { PageFormatError } from '../codec/page_format_error.ts';

/** Appends those of samples `[from, to)`. */
export function encodeHistograms(
  histograms: readonly (FloatHistogram | null)[],
  from: number,
  to: number,
  out: ByteWriter,
): void {
  let count = 0;
  for (let i = from; i < to; i++) if ((histograms[i] ?? null) !== null) count++;
  out.varint(count);
  let previous = from - 1;
  for (let i = from; i < to; i++) {
    const histogram = histograms[i] ?? null;
    if (histogram === null) continue;
    out.varint(i - previous - 1);
    writeHistogram(out, histogram);
    previous = i;
  }
}

/** `samples` elements, null where the sample is a float. Throws PageFormatError. */
export function decodeHistograms(bytes: Uint8Array, at: number, samples: number): (FloatHistogram | null)[] {
  const decoded = new Array<FloatHistogram | null>(samples).fill(null);
  const reader = new ByteReader(bytes.subarray(at));
  try {
    let sample = -1;
    for (let left = reader.varint(); left > 0; left--) {
      sample += 1 + reader.varint();
      if (sample >= samples) throw new PageFormatError(`histogram at sample ${sample} of ${samples}`);
      decoded[sample] = readHistogram(reader);
    }
  } catch (cause) {
    if (!(cause instanceof ByteFormatError)) throw cause;
    throw new PageFormatError(`histograms: ${cause.message}`, { cause });
  }
  return decoded;
}
