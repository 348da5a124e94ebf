/**
 * Columns of a record: series ids and times. A scrape has ids in runs and one time for all, and costs a few bytes here;
 * anything else is differences as varints (LEB128, signed ones zigzag-coded). docs/formats/log-frame.md draws both.
 */
import { assert, ByteFormatError, type ByteWriter } from '../../base/index.ts';
import { idMax } from './keys.ts';

const idsAsRuns = 0;
const idsAsDeltas = 1;
const timesEqual = 0;
const timesAsDeltas = 1;
const timesAsTheyAre = 2;

/** Bytes of the longest difference between two ids, and of a run. */
const idDeltaBytesMax = 5;
const idRunBytesMax = 10;
/** Of a varint below 2^53. */
const varintBytesMax = 8;
/** Differences of times up to here fit a zigzag-coded varint. */
const deltaTimeMax: number = 2 ** 50;

/** A place in a column's bytes; every read is checked. */
export class ColumnReader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  u8(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new ByteFormatError('a column ends early');
    this.at++;
    return byte;
  }

  varint(): number {
    const first = this.u8();
    return first < 0x80 ? first : this.#longVarint(first);
  }

  /** Zigzag-coded. */
  varsint(): number {
    const coded = this.varint();
    return coded % 2 === 1 ? -(coded + 1) / 2 : coded / 2;
  }

  f64(): number {
    const at = this.at;
    if (at + 8 > this.bytes.length) throw new ByteFormatError('a column ends early');
    this.at = at + 8;
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at, 8).getFloat64(0, true);
  }

  /** Copies `count` 64-bit floats bit by bit. */
  floats(out: Float64Array, count: number): void {
    const end = this.at + count * 8;
    if (end > this.bytes.length) throw new ByteFormatError('a column ends early');
    new Uint8Array(out.buffer, out.byteOffset, count * 8).set(this.bytes.subarray(this.at, end));
    this.at = end;
  }

  #longVarint(first: number): number {
    let value = first & 0x7f;
    let scale = 0x80;
    for (let i = 1; i < varintBytesMax; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 0x80;
    }
    throw new ByteFormatError('a varint exceeds 2^53 - 1');
  }
}

export function writeIds(into: ByteWriter, ids: Uint32Array, count: number): void {
  let runs = 0;
  let next = -1;
  for (let i = 0; i < count; i++) {
    const id = ids[i] as number;
    assert(id !== 0, 'a sample of a series without an id');
    if (id !== next) runs++;
    next = id + 1;
  }
  // A run takes two bytes at least, a difference one.
  if (runs * 2 <= count) writeIdRuns(into, ids, count, runs);
  else writeIdDeltas(into, ids, count);
}

/** Per run: how far its first id is from the one that would follow the last run, and how many follow the first. */
function writeIdRuns(into: ByteWriter, ids: Uint32Array, count: number, runs: number): void {
  const begin = into.reserve(1 + varintBytesMax + runs * idRunBytesMax);
  const { bytes } = into;
  bytes[begin] = idsAsRuns;
  let at = putVarint(bytes, begin + 1, runs);
  let next = 0;
  for (let i = 0; i < count; ) {
    const first = ids[i] as number;
    let end = i + 1;
    while (end < count && ids[end] === first + (end - i)) end++;
    at = putVarsint(bytes, at, first - next);
    at = putVarint(bytes, at, end - i - 1);
    next = first + (end - i);
    i = end;
  }
  into.truncate(at);
}

/** Per sample: how far its id is from the one that would follow the last. */
function writeIdDeltas(into: ByteWriter, ids: Uint32Array, count: number): void {
  const begin = into.reserve(1 + count * idDeltaBytesMax);
  const { bytes } = into;
  bytes[begin] = idsAsDeltas;
  let at = begin + 1;
  let next = 0;
  for (let i = 0; i < count; i++) {
    const id = ids[i] as number;
    at = putVarsint(bytes, at, id - next);
    next = id + 1;
  }
  into.truncate(at);
}

/** Reads `count` ids, each from 1 to 2^32 - 1, and returns the highest. */
export function readIds(reader: ColumnReader, out: Uint32Array, count: number): number {
  const kind = reader.u8();
  if (kind === idsAsRuns) return readIdRuns(reader, out, count);
  if (kind !== idsAsDeltas) throw new ByteFormatError(`kind ${kind} of ids is not known`);
  let highest = 0;
  let next = 0;
  for (let i = 0; i < count; i++) {
    const id = next + reader.varsint();
    if (!(id >= 1 && id <= idMax)) throw new ByteFormatError(`series id ${id}`);
    out[i] = id;
    if (id > highest) highest = id;
    next = id + 1;
  }
  return highest;
}

function readIdRuns(reader: ColumnReader, out: Uint32Array, count: number): number {
  let highest = 0;
  let next = 0;
  let filled = 0;
  for (let left = reader.varint(); left > 0; left--) {
    const first = next + reader.varsint();
    const length = reader.varint() + 1;
    next = first + length;
    if (!(first >= 1 && next - 1 <= idMax)) throw new ByteFormatError(`series ids ${first} to ${next - 1}`);
    if (length > count - filled) throw new ByteFormatError(`more than ${count} ids`);
    for (let i = 0; i < length; i++) out[filled + i] = first + i;
    filled += length;
    if (next - 1 > highest) highest = next - 1;
  }
  if (filled !== count) throw new ByteFormatError(`${filled} ids for ${count} samples`);
  return highest;
}

/** Times are integers of any sign, in milliseconds; anything else is written, too, and comes back as it was. */
export function writeTimes(into: ByteWriter, times: Float64Array, count: number): void {
  const first = times[0] as number;
  let isEqual = true;
  let isNear = true;
  for (let i = 0; i < count; i++) {
    const time = times[i] as number;
    if (time !== first) isEqual = false;
    if (!(Number.isInteger(time) && time <= deltaTimeMax && time >= -deltaTimeMax)) isNear = false;
  }
  if (isEqual) {
    into.u8(timesEqual);
    into.f64(first);
    return;
  }
  if (isNear) {
    writeTimeDeltas(into, times, count);
    return;
  }
  into.u8(timesAsTheyAre);
  into.column(times.subarray(0, count));
}

function writeTimeDeltas(into: ByteWriter, times: Float64Array, count: number): void {
  const begin = into.reserve(1 + count * varintBytesMax);
  const { bytes } = into;
  bytes[begin] = timesAsDeltas;
  let at = begin + 1;
  let previous = 0;
  for (let i = 0; i < count; i++) {
    const time = times[i] as number;
    at = putVarsint(bytes, at, time - previous);
    previous = time;
  }
  into.truncate(at);
}

/** Reads `count` times, at least one, which may be no integers when the bytes say so. */
export function readTimes(reader: ColumnReader, out: Float64Array, count: number): void {
  const kind = reader.u8();
  if (kind === timesEqual) {
    out.fill(reader.f64(), 0, count);
  } else if (kind === timesAsDeltas) {
    let time = 0;
    for (let i = 0; i < count; i++) {
      time += reader.varsint();
      out[i] = time;
    }
  } else if (kind === timesAsTheyAre) reader.floats(out, count);
  else throw new ByteFormatError(`kind ${kind} of times is not known`);
}

/** Writes an integer from 0 to 2^53 - 1 at `at`, where there must be room, and returns the place behind it. */
function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let place = at;
  let rest = value;
  while (rest >= 0x80) {
    bytes[place++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[place++] = rest;
  return place;
}

function putVarsint(bytes: Uint8Array, at: number, value: number): number {
  return putVarint(bytes, at, value < 0 ? -value * 2 - 1 : value * 2);
}
