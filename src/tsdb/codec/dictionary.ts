/**
 * Doubles that repeat: each value once, in the order in which they came first, and a column of their numbers. A gauge
 * that is set rarely counts up in it, at a few bytes per change; one that jumps within a small set takes a byte each.
 */
import type { ByteWriter } from '../../base/index.ts';
import type { ByteCursor } from './byte_cursor.ts';
import { decodeIntegers, encodeIntegers, planIntegers } from './integers.ts';
import { PageFormatError } from './page_format_error.ts';
import { Scratch } from './scratch.ts';

/** Distinct values; as a share of all, more are not worth it. */
const distinctMax = 256;
const distinctShareMax = 1 / 4;
/** A power of two, four times as many as are used, so that looking is short. */
const slotCount = 4 * distinctMax;

const numbers = new Scratch();
/** Number plus 1 of a value, by the hash of its bits; 0 is free. */
const slots = new Uint16Array(slotCount);
const distinct = new Uint32Array(2 * distinctMax);

export interface DictionaryPlan {
  readonly distinct: number;
  readonly numbers: Float64Array;
  readonly plan: ReturnType<typeof planIntegers>;
  /** Bytes, about. */
  readonly bytes: number;
}

/** Undefined where values are too many for it; valid until the next plan. */
export function planDictionary(words: Uint32Array, count: number): DictionaryPlan | undefined {
  const limit = Math.min(distinctMax, Math.floor(count * distinctShareMax));
  const column = numbers.column(count);
  slots.fill(0);
  let size = 0;
  for (let i = 0; i < count; i++) {
    const low = words[2 * i] as number;
    const high = words[2 * i + 1] as number;
    let slot = (Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b) >>> 22) & (slotCount - 1);
    let number = slots[slot] as number;
    while (number !== 0 && (distinct[2 * number - 2] !== low || distinct[2 * number - 1] !== high)) {
      slot = (slot + 1) & (slotCount - 1);
      number = slots[slot] as number;
    }
    if (number === 0) {
      if (size === limit) return undefined;
      distinct[2 * size] = low;
      distinct[2 * size + 1] = high;
      size++;
      number = size;
      slots[slot] = number;
    }
    column[i] = number - 1;
  }
  const plan = planIntegers(column, count);
  return { distinct: size, numbers: column, plan, bytes: 4 + size * 8 + plan.bytes };
}

/** Appends the column as planned. */
export function encodeDictionary(plan: DictionaryPlan, out: ByteWriter): void {
  out.u8(plan.distinct - 1);
  out.raw(new Uint8Array(distinct.buffer, 0, plan.distinct * 8));
  encodeIntegers(plan.numbers, plan.plan, out);
}

/** Reads `count` values, at least one, into `out`, whose words are `words`. */
export function decodeDictionary(
  cursor: ByteCursor,
  count: number,
  out: Float64Array,
  outAt: number,
  words: Uint32Array,
): void {
  const size = cursor.u8() + 1;
  const at = cursor.take(size * 8);
  const values = new Uint32Array(size * 2);
  new Uint8Array(values.buffer).set(cursor.bytes.subarray(at, at + size * 8));
  decodeIntegers(cursor, count, out, outAt);
  for (let i = 0; i < count; i++) {
    const number = out[outAt + i] as number;
    const index = number >>> 0;
    if (index !== number || index >= size) throw new PageFormatError(`value ${number} of ${size}`);
    words[2 * (outAt + i)] = values[2 * index] as number;
    words[2 * (outAt + i) + 1] = values[2 * index + 1] as number;
  }
}
