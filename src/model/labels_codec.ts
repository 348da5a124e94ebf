/** Label sets as bytes: their number, then each name and value as length and UTF-8. */
import { ByteFormatError, type ByteReader, type ByteWriter } from '../base/index.ts';
import { compareBytes, Labels } from './labels.ts';

export function writeLabels(writer: ByteWriter, labels: Labels): void {
  writer.varint(labels.size);
  for (const text of labels.flat) writer.text(text);
}

/** Throws ByteFormatError also for labels that are out of order, twice there or empty: nobody looks again. */
export function readLabels(reader: ByteReader): Labels {
  const flat: string[] = [];
  let previous: string | undefined;
  // Ends with the bytes, however many labels are claimed: each takes two at least.
  for (let left = reader.varint(); left > 0; left--) {
    const name = reader.text();
    const value = reader.text();
    if (previous !== undefined && compareBytes(previous, name) >= 0)
      throw new ByteFormatError('labels that are not in order');
    if (value === '') throw new ByteFormatError('a label without a value');
    flat.push(name, value);
    previous = name;
  }
  return Labels.fromSortedFlat(flat);
}
