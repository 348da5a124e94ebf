/** `Exemplar`, `LabelPair` and `Timestamp` of the protobuf format: what stands inside other messages. */
import { ExpositionError } from '../errors.ts';
import { type ProtoCursor, Wire } from './proto_cursor.ts';
import type { TextSource } from './sink.ts';

/** google.protobuf.Timestamp in milliseconds; 0 when it is empty. */
export function readTimestampMs(cursor: ProtoCursor, end: number): number {
  let seconds = 0;
  let nanos = 0;
  while (cursor.at < end) {
    const tag = cursor.tag(end, 'Timestamp');
    if (tag === 0x08) seconds = cursor.integer(end);
    else if (tag === 0x10) nanos = cursor.integer(end);
    else cursor.skip(tag, end);
  }
  return seconds * 1000 + Math.trunc(nanos / 1e6);
}

/** Reads a LabelPair and appends its name and value. Throws ExpositionError when one of them is no text. */
export function readLabelPair(
  cursor: ProtoCursor,
  end: number,
  pairs: string[],
  texts: TextSource,
  isNameChecked: boolean,
): void {
  let name = '';
  let value = '';
  while (cursor.at < end) {
    const tag = cursor.tag(end, 'LabelPair');
    if (tag !== 0x0a && tag !== 0x12) {
      if (tag >> 3 === 1 || tag >> 3 === 2) throw cursor.wrongType(tag, tag >> 3 === 1 ? 'Name' : 'Value');
      cursor.skip(tag, end);
      continue;
    }
    const textEnd = cursor.window(end);
    const text = texts.text(cursor.bytes, cursor.at, textEnd);
    const isName = tag === 0x0a;
    if (text === undefined || (isName && isNameChecked && text === '')) {
      const shown = Buffer.from(cursor.bytes.subarray(cursor.at, Math.min(textEnd, cursor.at + 100)));
      throw new ExpositionError(`invalid label ${isName ? 'name' : 'value'}: ${shown.toString()}`);
    }
    if (isName) name = text;
    else value = text;
    cursor.at = textEnd;
  }
  if (name === '' && isNameChecked) throw new ExpositionError('invalid label name: ');
  pairs.push(name, value);
}

export interface ProtoExemplar {
  readonly pairs: string[];
  readonly value: number;
  /** NaN when it has none. */
  readonly timestampMs: number;
}

/** Reads the Exemplar between two offsets. */
export function readExemplar(
  cursor: ProtoCursor,
  start: number,
  end: number,
  texts: TextSource,
): ProtoExemplar {
  const pairs: string[] = [];
  let value = 0;
  let timestampMs = Number.NaN;
  cursor.at = start;
  while (cursor.at < end) {
    const tag = cursor.tag(end, 'Exemplar');
    if (tag === 0x0a) readLabelPair(cursor, cursor.window(end), pairs, texts, false);
    else if (tag === 0x11) value = cursor.float(end);
    else if (tag === 0x1a) timestampMs = readTimestampMs(cursor, cursor.window(end));
    else if (tag % 8 === Wire.bytes && tag >> 3 < 4) throw cursor.wrongType(tag, 'Exemplar');
    else cursor.skip(tag, end);
  }
  return { pairs, value, timestampMs };
}
