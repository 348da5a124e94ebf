/**
 * Partial aggregates on the wire.
 *
 *     version, op, startMs, stepMs (64-bit floats), varint steps, texts of warnings and infos,
 *     label table, then per group: dropName, number columns, flag column if the op has one
 *     number column: 0 and the value that all steps have, or 1 and 64-bit floats
 *     flag column: 0 or 1 for all steps alike, or 2 and one bit per step
 */
import { ByteFormatError, ByteReader, ByteWriter } from '../../base/index.ts';
import type { PartialAggregate } from '../distribute/partial.ts';
import { createState, partialOps } from '../distribute/state.ts';
import { boundedCount, checkVersion, readLabelTable, writeLabelTable } from './label_table.ts';

const partialVersion = 1;

/** Steps times groups beyond this are refused when decoding, before memory is taken for them. */
const cellsMax = 1 << 27;

const columnTags = { constant: 0, dense: 1 } as const;
const flagTags = { allZero: 0, allOne: 1, bits: 2 } as const;

export function encodePartial(partial: PartialAggregate): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(256 + partial.groups.length * (64 + partial.steps * 8));
  writer.u8(partialVersion);
  writer.u8(partialOps.indexOf(partial.op));
  writer.f64(partial.startMs);
  writer.f64(partial.stepMs);
  writer.varint(partial.steps);
  writeTexts(writer, partial.warnings);
  writeTexts(writer, partial.infos);
  writeLabelTable(
    writer,
    partial.groups.map(({ labels }) => labels),
  );
  for (const { dropName, state } of partial.groups) {
    writer.u8(dropName ? 1 : 0);
    const { numbers, flags } = state.columns();
    for (const column of numbers) writeNumbers(writer, column);
    if (flags !== undefined) writeFlags(writer, flags);
  }
  return writer.finish();
}

/** Throws ByteFormatError on bytes that are no partial aggregate of a known version. */
export function decodePartial(bytes: Uint8Array): PartialAggregate {
  const reader = new ByteReader(bytes);
  checkVersion(reader, partialVersion, 'a partial aggregate');
  const op = partialOps[reader.u8()];
  if (op === undefined) throw new ByteFormatError('the operator of a partial aggregate is not known here');
  const startMs = reader.f64();
  const stepMs = reader.f64();
  const steps = reader.varint();
  const warnings = readTexts(reader);
  const infos = readTexts(reader);
  const sets = readLabelTable(reader);
  if (sets.length * steps > cellsMax) throw new ByteFormatError('a partial aggregate is too large');
  const groups = sets.map((labels) => {
    const dropName = reader.u8() === 1;
    const state = createState(op, steps);
    const { numbers, flags } = state.columns();
    for (const column of numbers) readNumbers(reader, column);
    if (flags !== undefined) readFlags(reader, flags);
    return { labels, dropName, state };
  });
  return { op, startMs, stepMs, steps, groups, warnings, infos };
}

function writeTexts(writer: ByteWriter, texts: readonly string[]): void {
  writer.varint(texts.length);
  for (const text of texts) writer.text(text);
}

function readTexts(reader: ByteReader): string[] {
  const count = boundedCount(reader);
  const texts: string[] = [];
  for (let i = 0; i < count; i++) texts.push(reader.text());
  return texts;
}

function writeNumbers(writer: ByteWriter, column: Float64Array): void {
  const first = column[0] ?? 0;
  // Object.is keeps -0 apart from 0; NaN payloads mean nothing in a state.
  if (column.every((value) => Object.is(value, first))) {
    writer.u8(columnTags.constant);
    writer.f64(first);
    return;
  }
  writer.u8(columnTags.dense);
  writer.column(column);
}

function readNumbers(reader: ByteReader, column: Float64Array): void {
  const tag = reader.u8();
  if (tag === columnTags.constant) column.fill(reader.f64());
  else if (tag === columnTags.dense) column.set(reader.floats(column.length));
  else throw new ByteFormatError(`a column has the unknown tag ${tag}`);
}

function writeFlags(writer: ByteWriter, flags: Uint8Array): void {
  if (!flags.includes(1)) writer.u8(flagTags.allZero);
  else if (!flags.includes(0)) writer.u8(flagTags.allOne);
  else {
    writer.u8(flagTags.bits);
    const bits = new Uint8Array(Math.ceil(flags.length / 8));
    for (let i = 0; i < flags.length; i++) {
      if (flags[i] === 1) bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7));
    }
    writer.raw(bits);
  }
}

function readFlags(reader: ByteReader, flags: Uint8Array): void {
  const tag = reader.u8();
  if (tag === flagTags.allZero || tag === flagTags.allOne) {
    flags.fill(tag);
    return;
  }
  if (tag !== flagTags.bits) throw new ByteFormatError(`a flag column has the unknown tag ${tag}`);
  const bits = reader.raw(Math.ceil(flags.length / 8));
  for (let i = 0; i < flags.length; i++) flags[i] = ((bits[i >> 3] as number) >> (i & 7)) & 1;
}
