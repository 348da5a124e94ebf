/**
 * Columns of one element per step on the wire: which steps have a value, and the values of those steps alone.
 *
 *     steps:   0 none · 1 all · 2 one bit per step · 3 varint count, then varints of how many are left out before each
 *     numbers: 0 all zero · 1 one 64-bit float for all · 2 64-bit floats · 3 varints
 */
import { ByteFormatError, type ByteReader, type ByteWriter } from '../../base/index.ts';

const stepTags = { none: 0, all: 1, bits: 2, list: 3 } as const;
const numberTags = { zero: 0, constant: 1, floats: 2, integers: 3 } as const;

/** Whole numbers up to here take less as varints than as floats. */
const integerMax = 2 ** 48;

/** `present` holds 1 or 0. */
export function writeSteps(writer: ByteWriter, present: Uint8Array): void {
  let count = 0;
  for (let i = 0; i < present.length; i++) count += present[i] as number;
  if (count === 0) writer.u8(stepTags.none);
  else if (count === present.length) writer.u8(stepTags.all);
  else if (count < present.length / 8) {
    writer.u8(stepTags.list);
    writer.varint(count);
    let next = 0;
    for (let i = 0; i < present.length; i++) {
      if (present[i] !== 1) continue;
      writer.varint(i - next);
      next = i + 1;
    }
  } else {
    writer.u8(stepTags.bits);
    const bits = new Uint8Array(Math.ceil(present.length / 8));
    for (let i = 0; i < present.length; i++) {
      if (present[i] === 1) bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7));
    }
    writer.raw(bits);
  }
}

/** Throws ByteFormatError. */
export function readSteps(reader: ByteReader, steps: number): Uint8Array {
  const tag = reader.u8();
  const present = new Uint8Array(steps);
  switch (tag) {
    case stepTags.none:
      return present;
    case stepTags.all:
      return present.fill(1);
    case stepTags.bits: {
      const bits = reader.raw(Math.ceil(steps / 8));
      for (let i = 0; i < steps; i++) present[i] = ((bits[i >> 3] as number) >> (i & 7)) & 1;
      return present;
    }
    case stepTags.list: {
      let next = 0;
      for (let left = reader.varint(); left > 0; left--) {
        const at = next + reader.varint();
        if (at >= steps) throw new ByteFormatError('a step is beyond the last one');
        present[at] = 1;
        next = at + 1;
      }
      return present;
    }
    default:
      throw new ByteFormatError(`steps have the unknown tag ${tag}`);
  }
}

/** The values of the steps where `present` is 1. */
export function writeNumbers(writer: ByteWriter, values: Float64Array, present: Uint8Array): void {
  const packed = new Float64Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) if (present[i] === 1) packed[count++] = values[i] as number;
  writePacked(writer, packed.subarray(0, count));
}

function writePacked(writer: ByteWriter, values: Float64Array): void {
  const first = values[0] ?? 0;
  // Object.is keeps -0 apart from 0; NaN payloads mean nothing here.
  if (values.every((value) => Object.is(value, first))) {
    writer.u8(Object.is(first, 0) ? numberTags.zero : numberTags.constant);
    if (!Object.is(first, 0)) writer.f64(first);
  } else if (values.every(isSmallInteger)) {
    writer.u8(numberTags.integers);
    for (const value of values) writer.varint(value);
  } else {
    writer.u8(numberTags.floats);
    writer.column(values);
  }
}

function isSmallInteger(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= integerMax && !Object.is(value, -0);
}

/** One element per step, 0 where `present` is 0. Throws ByteFormatError. */
export function readNumbers(reader: ByteReader, present: Uint8Array): Float64Array {
  const values = new Float64Array(present.length);
  const tag = reader.u8();
  if (tag === numberTags.zero) return values;
  const constant = tag === numberTags.constant ? reader.f64() : 0;
  for (let i = 0; i < present.length; i++) {
    if (present[i] !== 1) continue;
    if (tag === numberTags.constant) values[i] = constant;
    else if (tag === numberTags.floats) values[i] = reader.f64();
    else if (tag === numberTags.integers) values[i] = reader.varint();
    else throw new ByteFormatError(`numbers have the unknown tag ${tag}`);
  }
  return values;
}
