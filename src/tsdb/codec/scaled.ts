/**
 * Values that are integers in disguise: what exporters print has few decimals, so a value is most often the double
 * nearest to integer / 10^k, or a whole number of some power of two (pages, KiB). Dividing two exact numbers rounds
 * once, to that same double; every value is checked at encoding, bit for bit, and those that differ (stale markers,
 * other NaN, infinities, -0) are kept aside as they are.
 */
import type { ByteWriter } from '../../base/index.ts';
import type { ByteCursor } from './byte_cursor.ts';
import { decodeIntegers, encodeIntegers, integerMax, planIntegers } from './integers.ts';
import { PageFormatError } from './page_format_error.ts';
import { Scratch } from './scratch.ts';

/** 10^k is exact up to 22; below 2^49 more than 15 digits mean little. */
const decimalsMax = 15;
const powers: readonly number[] = Array.from({ length: decimalsMax + 1 }, (_, k) => Number(`1e${k}`));

/** Scale byte: 0-15 decimals; 16-47 this many plus 16 zero bits; bit 7: some values are kept aside. */
const zeroBitsBase = 16;
const zeroBitsMin = 3;
const zeroBitsMax = 31;
const asideFlag = 0x80;

/** Values kept aside per value of a column, beyond which it is no column of scaled integers. */
const asideShareMax = 1 / 16;
/** Bytes of a value kept aside, about. */
const asideBytes = 9;

const integers = new Scratch();

export interface ScaledPlan {
  scale: number;
  aside: number;
  integers: Float64Array;
  plan: ReturnType<typeof planIntegers>;
  /** Bytes, about. */
  bytes: number;
}

/** Made once and used for every column. */
const reused: ScaledPlan = {
  scale: 0,
  aside: 0,
  integers: integers.column(1),
  plan: planIntegers(new Float64Array(1), 1),
  bytes: 0,
};

/** Undefined where too many of `values[from, to)` are no scaled integers; valid until the next plan. */
export function planScaled(values: Float64Array, from: number, to: number): ScaledPlan | undefined {
  const count = to - from;
  const asideMax = Math.floor(count * asideShareMax) + 1;
  const decimals = decimalsOf(values, from, to, asideMax);
  if (decimals === undefined) return undefined;
  const column = integers.column(count);
  const power = powers[decimals] as number;
  let aside = 0;
  let previous = 0;
  let lowBits = 0;
  for (let i = 0; i < count; i++) {
    const value = values[from + i] as number;
    const integer = Math.round(value * power) + 0;
    if (isScaled(value, integer, power)) previous = integer;
    else aside++;
    // A value kept aside repeats the one before, which costs least.
    column[i] = previous;
    lowBits |= previous;
  }
  if (aside > asideMax) return undefined;
  let scale = decimals;
  if (decimals === 0) {
    const zeroBits = lowBits === 0 ? 0 : Math.min(31 - Math.clz32(lowBits & -lowBits), zeroBitsMax);
    if (zeroBits >= zeroBitsMin) {
      scale = zeroBitsBase + zeroBits;
      const unit = 2 ** zeroBits;
      for (let i = 0; i < count; i++) column[i] = (column[i] as number) / unit;
    }
  }
  const plan = planIntegers(column, count);
  reused.scale = scale;
  reused.aside = aside;
  reused.integers = column;
  reused.plan = plan;
  reused.bytes = 8 + plan.bytes + aside * asideBytes;
  return reused;
}

function isScaled(value: number, integer: number, power: number): boolean {
  return (
    integer / power === value &&
    integer <= integerMax &&
    integer >= -integerMax &&
    (integer !== 0 || !Object.is(value, -0))
  );
}

/** The least decimals that nearly all values have; undefined if there is none. */
function decimalsOf(values: Float64Array, from: number, to: number, asideMax: number): number | undefined {
  let decimals = 0;
  let power = 1;
  let aside = 0;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    if (isScaled(value, Math.round(value * power), power)) continue;
    let more = decimals + 1;
    while (more <= decimalsMax) {
      const next = powers[more] as number;
      if (isScaled(value, Math.round(value * next), next)) break;
      more++;
    }
    if (more <= decimalsMax && Number.isFinite(value) && !Object.is(value, -0)) {
      decimals = more;
      power = powers[more] as number;
    } else if (++aside > asideMax) return undefined;
  }
  return decimals;
}

/** Appends `values[from, to)` as planned. */
export function encodeScaled(
  values: Float64Array,
  from: number,
  to: number,
  plan: ScaledPlan,
  out: ByteWriter,
): void {
  out.u8(plan.scale | (plan.aside === 0 ? 0 : asideFlag));
  encodeIntegers(plan.integers, plan.plan, out);
  if (plan.aside === 0) return;
  const power = plan.scale <= decimalsMax ? (powers[plan.scale] as number) : 1;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  out.varint(plan.aside);
  let next = from;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    if (isScaled(value, Math.round(value * power) + 0, power)) continue;
    out.varint(i - next);
    out.raw(bytes.subarray(i * 8, i * 8 + 8));
    next = i + 1;
  }
}

/** Reads `count` values, at least one, into `out`. */
export function decodeScaled(cursor: ByteCursor, count: number, out: Float64Array, outAt: number): void {
  const head = cursor.u8();
  const scale = head & ~asideFlag;
  if (scale > zeroBitsBase + zeroBitsMax) throw new PageFormatError(`scale ${scale} before ${cursor.at}`);
  decodeIntegers(cursor, count, out, outAt);
  const end = outAt + count;
  if (scale > decimalsMax) {
    const unit = 2 ** (scale - zeroBitsBase);
    for (let i = outAt; i < end; i++) out[i] = (out[i] as number) * unit;
  } else if (scale > 0) {
    const power = powers[scale] as number;
    for (let i = outAt; i < end; i++) out[i] = (out[i] as number) / power;
  }
  if ((head & asideFlag) !== 0) decodeAside(cursor, count, out, outAt);
}

function decodeAside(cursor: ByteCursor, count: number, out: Float64Array, outAt: number): void {
  const aside = cursor.varint();
  if (aside > count) throw new PageFormatError(`${aside} of ${count} values aside`);
  const target = new Uint8Array(out.buffer, out.byteOffset + outAt * 8, count * 8);
  let index = 0;
  for (let i = 0; i < aside; i++) {
    index += cursor.varint();
    if (index >= count) throw new PageFormatError(`value ${index} of ${count} aside`);
    const at = cursor.take(8);
    target.set(cursor.bytes.subarray(at, at + 8), index * 8);
    index++;
  }
}
