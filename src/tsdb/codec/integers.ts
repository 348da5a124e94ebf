/**
 * Columns of integers up to 2^49 in size, the ground of timestamps and of scaled values; docs/formats/page.md draws
 * them. An integer is predicted from those before (its order), and what remains is a lane above a common base:
 *
 *     order 0  n[i] = slope * i + r[i]                    noise around a line; a constant
 *     order 1  n[i] = n[i-1] + r[i]                       a walk; a counter
 *     order 2  n[i] = n[i-1] + (n[i-1] - n[i-2]) + r[i]   a steady rate that shifts
 *
 * Rare remainders that don't fit the lanes are exceptions (in the sense of Zukowski et al., "Super-Scalar RAM-CPU Cache
 * Compression", ICDE 2006), so that one reset or gap doesn't widen all. With lanes of no width only the
 * exceptions are stored: that is the run-length code.
 */
import type { ByteWriter } from '../../base/index.ts';
import type { ByteCursor } from './byte_cursor.ts';
import { decodeLanes, encodeLanes, laneBits, laneLimit, lanesBytes } from './lanes.ts';
import { PageFormatError } from './page_format_error.ts';
import { Scratch } from './scratch.ts';

/** Above, a second difference might not be exact. */
export const integerMax: number = 2 ** 49;

/** The head: bits 0-3 the lanes' width as a code, 4-5 the order, 6 whether there are exceptions. */
const widthMask = 0b1111;
const orderShift = 4;
const orderMax = 2;
const exceptionsFlag = 0b1000000;
const headMax = 0b1111111;

/** Remainders looked at to guess their middle. */
const probes = 15;

const remainders = [new Scratch(), new Scratch(), new Scratch()] as const;
const lanes = new Scratch();
const probe = new Float64Array(probes);
/** Bytes of the exceptions by the code of the lanes' width. */
const others = new Float64Array(5);

/** How a column of remainders would be stored. One for each order, used again and again: there is a plan for each run. */
class Plan {
  readonly order: number;
  slope = 0;
  remainders: Float64Array = new Float64Array(0);
  /** Remainders, not integers: the order's fewer. */
  count = 0;
  /** The code of the lanes' width. */
  width = 0;
  base = 0;
  /** Bytes, about. */
  bytes = 0;
  /** Bytes, and what an entropy coder behind makes of them, about. */
  score = 0;

  constructor(order: number) {
    this.order = order;
  }
}

const plans = [new Plan(0), new Plan(1), new Plan(2)] as const;

/** The best of the orders for `integers[0, count)`; valid until the next plan. */
export function planIntegers(integers: Float64Array, count: number): Plan {
  let best = planOrder(integers, count, 0, remainders[0].column(count));
  if (best.bytes === 0) return best;
  for (let order = 1; order <= orderMax && order < count; order++) {
    const plan = planOrder(integers, count, order, remainders[order === 1 ? 1 : 2].column(count));
    if (plan.score < best.score) best = plan;
  }
  return best;
}

function planOrder(integers: Float64Array, count: number, order: number, rest: Float64Array): Plan {
  let slope = 0;
  if (order === 0) {
    const first = integers[0] as number;
    slope = count > 1 ? Math.round(((integers[count - 1] as number) - first) / (count - 1)) + 0 : 0;
    for (let i = 0; i < count; i++) rest[i] = (integers[i] as number) - slope * i;
  } else if (order === 1) {
    for (let i = 1; i < count; i++) rest[i - 1] = (integers[i] as number) - (integers[i - 1] as number);
  } else {
    for (let i = 2; i < count; i++) {
      const before = integers[i - 1] as number;
      rest[i - 2] = (integers[i] as number) - before - (before - (integers[i - 2] as number));
    }
  }
  return planLanes(order, slope, rest, count - order);
}

/** The narrowest lanes that hold all, or narrower ones about the middle where few others are exceptions. */
function planLanes(order: number, slope: number, rest: Float64Array, count: number): Plan {
  const middle = middleOf(rest, count);
  let min = middle;
  let max = middle;
  // Bytes of the exceptions if lanes held the middle only, or had 2, 4, 8 or 16 bits.
  let others0 = 0;
  let others2 = 0;
  let others4 = 0;
  let others8 = 0;
  let others16 = 0;
  let bits = 0;
  for (let i = 0; i < count; i++) {
    const value = rest[i] as number;
    if (value < min) min = value;
    else if (value > max) max = value;
    if (value === middle) continue;
    const size = bitSize(value > middle ? value - middle : middle - value);
    const bytes = exceptionBytes(value < 0 ? -value : value);
    bits += size + 1;
    others0 += bytes;
    if (size > 1) others2 += bytes;
    if (size > 3) others4 += bytes;
    if (size > 7) others8 += bytes;
    if (size > 15) others16 += bytes;
  }
  let width = 0;
  while (laneLimit(width) <= max - min) width++;
  let base = min;
  let bytes = lanesBytes(width, count);
  let cost = bytes;
  others[0] = others0;
  others[1] = others2;
  others[2] = others4;
  others[3] = others8;
  others[4] = others16;
  const narrowEnd = Math.min(width, others.length);
  for (let code = 0; code < narrowEnd; code++) {
    const exceptions = others[code] as number;
    // Counted twice, since they are slow to decode and zstd makes less of them than of lanes.
    const narrowCost = lanesBytes(code, count) + 2 * exceptions;
    if (narrowCost >= cost) continue;
    width = code;
    base = code === 0 ? middle : Math.max(min, middle - laneLimit(code) / 2 + 1);
    cost = narrowCost;
    bytes = narrowCost - exceptions;
  }
  const plan = plans[order as 0 | 1 | 2];
  plan.slope = slope;
  plan.remainders = rest;
  plan.count = count;
  plan.width = width;
  plan.base = base;
  plan.bytes = bytes;
  plan.score = bytes + bits / 8 + order;
  return plan;
}

/** Bits of a distance; any above 31 bits count as very many. */
function bitSize(distance: number): number {
  return distance > 0x7fff_ffff ? 50 : 32 - Math.clz32(distance);
}

/** Bytes of an exception with a remainder of that size: its gap, and the varint. */
function exceptionBytes(size: number): number {
  return size < 64 ? 2 : size < 8192 ? 3 : size < 2 ** 27 ? 5 : 8;
}

/** About the median: that of a few elements from all over. */
function middleOf(rest: Float64Array, count: number): number {
  const taken = Math.min(count, probes);
  for (let i = 0; i < taken; i++) {
    const value = rest[Math.floor((i * count) / taken)] as number;
    let at = i;
    while (at > 0 && (probe[at - 1] as number) > value) {
      probe[at] = probe[at - 1] as number;
      at--;
    }
    probe[at] = value;
  }
  return taken === 0 ? 0 : (probe[taken >> 1] as number);
}

/** Appends a column as planned; `integers` are those that the plan was made for. */
export function encodeIntegers(integers: Float64Array, plan: Plan, out: ByteWriter): void {
  const { order, slope, remainders: rest, count, width, base } = plan;
  const headAt = out.reserve(1);
  if (order === 0) out.varsint(slope);
  if (order >= 1) out.varsint(integers[0] as number);
  if (order === 2) out.varsint((integers[1] as number) - (integers[0] as number));
  out.varsint(base);
  const column = lanes.column(count);
  const limit = laneLimit(width);
  let exceptions = 0;
  for (let i = 0; i < count; i++) {
    const lane = (rest[i] as number) - base;
    const fits = lane >= 0 && lane < limit;
    if (!fits) exceptions++;
    column[i] = fits ? lane : 0;
  }
  out.bytes[headAt] = width | (order << orderShift) | (exceptions === 0 ? 0 : exceptionsFlag);
  if (exceptions > 0) encodeExceptions(plan, exceptions, out);
  encodeLanes(column, count, width, out);
}

function encodeExceptions(plan: Plan, exceptions: number, out: ByteWriter): void {
  const { remainders: rest, count, base } = plan;
  const limit = laneLimit(plan.width);
  out.varint(exceptions);
  let next = 0;
  for (let i = 0; i < count; i++) {
    const value = rest[i] as number;
    const lane = value - base;
    if (lane >= 0 && lane < limit) continue;
    out.varint(i - next);
    out.varsint(value);
    next = i + 1;
  }
}

/** Reads `count` integers, at least one, into `out`. Damaged bytes give other numbers or PageFormatError. */
export function decodeIntegers(cursor: ByteCursor, count: number, out: Float64Array, outAt: number): void {
  const head = cursor.u8();
  const width = head & widthMask;
  const order = (head & ~exceptionsFlag) >> orderShift;
  if (head > headMax || order > orderMax || order >= count || width >= laneBits.length)
    throw new PageFormatError(`integers with head ${head} before ${cursor.at}`);
  const slope = order === 0 ? cursor.varsint() : 0;
  const first = order === 0 ? 0 : cursor.varsint();
  const step = order === 2 ? cursor.varsint() : 0;
  const base = cursor.varsint();
  const restAt = outAt + order;
  const restCount = count - order;
  if ((head & exceptionsFlag) === 0) decodeLanes(cursor, restCount, width, base, out, restAt);
  else decodeWithExceptions(cursor, restCount, width, base, out, restAt);
  const end = outAt + count;
  if (order === 0) {
    if (slope !== 0) addLine(out, outAt, count, slope);
    return;
  }
  let sum = first;
  out[outAt] = sum;
  if (order === 1) {
    for (let i = restAt; i < end; i++) {
      sum += out[i] as number;
      out[i] = sum;
    }
    return;
  }
  let rate = step;
  sum += rate;
  out[outAt + 1] = sum;
  for (let i = restAt; i < end; i++) {
    rate += out[i] as number;
    sum += rate;
    out[i] = sum;
  }
}

function addLine(out: Float64Array, outAt: number, count: number, slope: number): void {
  for (let i = 0; i < count; i++) out[outAt + i] = (out[outAt + i] as number) + slope * i;
}

/** The exceptions stand before the lanes and are put in behind them. */
function decodeWithExceptions(
  cursor: ByteCursor,
  count: number,
  width: number,
  base: number,
  out: Float64Array,
  outAt: number,
): void {
  const exceptions = cursor.varint();
  if (exceptions > count) throw new PageFormatError(`${exceptions} exceptions among ${count}`);
  const exceptionsAt = cursor.at;
  for (let i = 0; i < exceptions; i++) {
    cursor.varint();
    cursor.varsint();
  }
  decodeLanes(cursor, count, width, base, out, outAt);
  const end = cursor.at;
  cursor.at = exceptionsAt;
  let index = 0;
  for (let i = 0; i < exceptions; i++) {
    index += cursor.varint();
    if (index >= count) throw new PageFormatError(`exception ${index} of ${count} integers`);
    out[outAt + index] = cursor.varsint();
    index++;
  }
  cursor.at = end;
}
