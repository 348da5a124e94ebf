/**
 * Ascending lists of series ordinals: set operations, and their bytes. A run of neighbours, which a metric name's list
 * always is, takes three numbers; any other list is delta-coded.
 */
import { assert, ByteFormatError, type ByteReader, type ByteWriter } from '../../base/index.ts';

export type Ordinals = Uint32Array;

const Coding = { Run: 0, Deltas: 1 } as const;

/** Writes items `from` to `to` (exclusive) of an ascending list. */
export function writeOrdinals(writer: ByteWriter, list: ArrayLike<number>, from: number, to: number): void {
  assert(to > from, 'a list has ordinals');
  const first = list[from] as number;
  const isRun = (list[to - 1] as number) - first === to - from - 1;
  writer.u8(isRun ? Coding.Run : Coding.Deltas);
  writer.varint(to - from);
  writer.varint(first);
  if (isRun) return;
  for (let i = from + 1; i < to; i++) writer.varint((list[i] as number) - (list[i - 1] as number));
}

/** Throws ByteFormatError for a list that does not ascend below `ordinalsMax`. */
export function readOrdinals(reader: ByteReader, ordinalsMax: number): Ordinals {
  const coding = reader.u8();
  const count = reader.varint();
  let ordinal = reader.varint();
  if (count < 1 || ordinal + count > ordinalsMax)
    throw new ByteFormatError(`${count} ordinals from ${ordinal}`);
  const list = new Uint32Array(count);
  list[0] = ordinal;
  for (let i = 1; i < count; i++) {
    const delta = coding === Coding.Run ? 1 : reader.varint();
    ordinal += delta;
    if (delta < 1 || ordinal >= ordinalsMax)
      throw new ByteFormatError(`ordinal ${ordinal} of ${ordinalsMax}`);
    list[i] = ordinal;
  }
  return list;
}

export function allOrdinals(count: number): Ordinals {
  const all = new Uint32Array(count);
  for (let i = 0; i < count; i++) all[i] = i;
  return all;
}

export function intersect(a: Ordinals, b: Ordinals): Ordinals {
  const shared = new Uint32Array(Math.min(a.length, b.length));
  let count = 0;
  let j = 0;
  for (const x of a) {
    while (j < b.length && (b[j] as number) < x) j++;
    if (b[j] === x) shared[count++] = x;
  }
  return shared.subarray(0, count);
}

export function subtract(a: Ordinals, b: Ordinals): Ordinals {
  const kept = new Uint32Array(a.length);
  let count = 0;
  let j = 0;
  for (const x of a) {
    while (j < b.length && (b[j] as number) < x) j++;
    if (b[j] !== x) kept[count++] = x;
  }
  return kept.subarray(0, count);
}

/** Lists of one label name never share an ordinal, so that joining and sorting is enough. */
export function uniteDisjoint(lists: readonly Ordinals[]): Ordinals {
  const [only] = lists;
  if (lists.length === 1 && only !== undefined) return only;
  const joined = new Uint32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const list of lists) {
    joined.set(list, at);
    at += list.length;
  }
  return joined.sort();
}
