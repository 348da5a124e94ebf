/**
 * Label sets on the wire: every distinct text once, then each set as references. Used by all payloads of this
 * room; each of those begins with its own version byte.
 *
 *     texts: varint count, then length-prefixed UTF-8
 *     sets:  varint count, then per set: varint labels, then per label varint name, varint value
 */
import { ByteFormatError, ByteReader, ByteWriter } from '../../base/index.ts';
import { Labels } from '../../model/index.ts';

const labelSetsVersion = 1;

export function writeLabelTable(writer: ByteWriter, sets: readonly Labels[]): void {
  const refs = new Map<string, number>();
  for (const { flat } of sets) for (const text of flat) if (!refs.has(text)) refs.set(text, refs.size);
  writer.varint(refs.size);
  for (const text of refs.keys()) writer.text(text);
  writer.varint(sets.length);
  for (const { flat, size } of sets) {
    writer.varint(size);
    for (const text of flat) writer.varint(refs.get(text) as number);
  }
}

/** Throws ByteFormatError on a table that is malformed. */
export function readLabelTable(reader: ByteReader): Labels[] {
  const textCount = boundedCount(reader);
  const texts: string[] = [];
  for (let i = 0; i < textCount; i++) texts.push(reader.text());
  const setCount = boundedCount(reader);
  const sets: Labels[] = [];
  for (let i = 0; i < setCount; i++) {
    const size = boundedCount(reader);
    const flat: string[] = [];
    for (let j = 0; j < size * 2; j++) {
      const text = texts[reader.varint()];
      if (text === undefined) throw new ByteFormatError('a label refers to a text that is not there');
      flat.push(text);
    }
    sets.push(Labels.fromSortedFlat(flat));
  }
  return sets;
}

/** A count of things that take at least a byte each. */
export function boundedCount(reader: ByteReader): number {
  const count = reader.varint();
  if (count > reader.remaining) throw new ByteFormatError(`${count} entries in ${reader.remaining} bytes`);
  return count;
}

export function checkVersion(reader: ByteReader, known: number, what: string): void {
  const version = reader.u8();
  if (version !== known) throw new ByteFormatError(`${what} of version ${version} is not known here`);
}

export function encodeLabelSets(sets: readonly Labels[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(64 + sets.length * 32);
  writer.u8(labelSetsVersion);
  writeLabelTable(writer, sets);
  return writer.finish();
}

/** Throws ByteFormatError on bytes that are no label sets of a known version. */
export function decodeLabelSets(bytes: Uint8Array): Labels[] {
  const reader = new ByteReader(bytes);
  checkVersion(reader, labelSetsVersion, 'label sets');
  return readLabelTable(reader);
}
