/**
 * Partial aggregates on the wire.
 *
 *     version, op, startMs, stepMs (64-bit floats), varint steps, texts of warnings and infos,
 *     varints of the samples looked at, the most held at once, of these the shared ones, the series read; ms of work (64-bit
 *     float),
 *     1 and a varint of the samples looked at for each step, or 0,
 *     1 and the parameter of all steps or 0, the label that values become,
 *     varint groups, table of the groups' labels and then of all members' labels, per group: dropName, state
 *
 * A state is written and read by its own class in eval/aggregate, in columns (columns.ts).
 */
import { ByteFormatError, ByteReader, ByteWriter } from '../../base/index.ts';
import type { Labels } from '../../model/index.ts';
import type { PartialAggregate } from '../distribute/partial.ts';
import { AggregateState } from '../eval/aggregate/aggregate_state.ts';
import type { ReadContext, Setup } from '../eval/aggregate/group_state.ts';
import { stateKinds } from '../eval/aggregate/states.ts';
import type { AggregateOp } from '../parse/tree.ts';
import type { SampleStats } from '../types.ts';
import { readNumbers, writeNumbers } from './columns.ts';
import { boundedCount, checkVersion, readLabelTable, writeLabelTable } from './label_table.ts';

const partialVersion = 3;

/** Wire codes are the places; never reused. */
const partialOps: readonly AggregateOp[] = [
  'sum',
  'avg',
  'count',
  'group',
  'min',
  'max',
  'stddev',
  'stdvar',
  'topk',
  'bottomk',
  'limitk',
  'limit_ratio',
  'count_values',
  'quantile',
];

/** Columns times steps beyond this are refused when decoding, before memory is taken for them: 600 MB. */
const cellsMax = 1 << 26;
/** As many as a query may have. */
const stepsMax = 1 << 20;

export function encodePartial({
  startMs,
  stepMs,
  state,
  warnings,
  infos,
  samples,
}: PartialAggregate): Uint8Array<ArrayBuffer> {
  const { steps, parameter, label } = state.setup;
  const groups = [...state.groups.values()];
  const writer = new ByteWriter(256 + groups.length * (64 + steps * 8));
  writer.u8(partialVersion);
  writer.u8(partialOps.indexOf(state.op));
  writer.f64(startMs);
  writer.f64(stepMs);
  writer.varint(steps);
  writeTexts(writer, warnings);
  writeTexts(writer, infos);
  writeSamples(writer, samples);
  writer.u8(parameter.length > 0 ? 1 : 0);
  if (parameter.length > 0) writeNumbers(writer, parameter, new Uint8Array(steps).fill(1));
  writer.text(label);
  writer.varint(groups.length);
  const members = groups.flatMap((group) => group.state.memberLabels());
  writeLabelTable(writer, [...groups.map((group) => group.labels), ...members]);
  for (const group of groups) {
    writer.u8(group.dropName ? 1 : 0);
    group.state.write(writer);
  }
  return writer.finish();
}

/**
 * `like` is another partial aggregate of the same fragment. Throws ByteFormatError on bytes that are no partial aggregate
 * of a known version, or of another fragment than `like`.
 */
export function decodePartial(bytes: Uint8Array, like?: PartialAggregate): PartialAggregate {
  const reader = new ByteReader(bytes);
  checkVersion(reader, partialVersion, 'a partial aggregate');
  const op = partialOps[reader.u8()];
  if (op === undefined) throw new ByteFormatError('the operator of a partial aggregate is not known here');
  const startMs = reader.f64();
  const stepMs = reader.f64();
  const steps = reader.varint();
  if (steps > stepsMax) throw new ByteFormatError(`${steps} steps are too many`);
  const warnings = readTexts(reader);
  const infos = readTexts(reader);
  const samples = readSamples(reader, steps);
  const setup = readSetup(reader, steps, needsParameter(op));
  const state = new AggregateState(op, like?.state.setup ?? setup);
  const partial = { startMs, stepMs, state, warnings, infos, samples };
  if (like !== undefined) checkAlike(partial, setup, like);
  readGroups(reader, state);
  if (reader.remaining > 0) throw new ByteFormatError(`${reader.remaining} bytes follow a partial aggregate`);
  return partial;
}

function needsParameter(op: AggregateOp): boolean {
  return op === 'quantile' || op === 'topk' || op === 'bottomk' || op === 'limitk' || op === 'limit_ratio';
}

function readSetup(reader: ByteReader, steps: number, needsNumbers: boolean): Setup {
  const hasNumbers = reader.u8() === 1;
  if (hasNumbers !== (needsNumbers && steps > 0))
    throw new ByteFormatError('a parameter is missing or too much');
  const parameter = hasNumbers ? readNumbers(reader, new Uint8Array(steps).fill(1)) : new Float64Array(0);
  return { steps, parameter, label: reader.text() };
}

function checkAlike(partial: PartialAggregate, setup: Setup, like: PartialAggregate): void {
  const isSame =
    partial.startMs === like.startMs &&
    partial.stepMs === like.stepMs &&
    setup.steps === like.state.setup.steps &&
    setup.label === like.state.setup.label &&
    partial.state.op === like.state.op;
  if (!isSame) throw new ByteFormatError('a partial aggregate is not of the fragment that was asked for');
}

function readGroups(reader: ByteReader, state: AggregateState): void {
  const count = boundedCount(reader);
  const sets = readLabelTable(reader);
  if (count > sets.length) throw new ByteFormatError(`${count} groups have ${sets.length} label sets`);
  let next = count;
  let cells = 0;
  const context: ReadContext = {
    ...state.setup,
    reader,
    nextLabels: (): Labels => {
      const labels = sets[next++];
      if (labels === undefined) throw new ByteFormatError('a series has no labels');
      return labels;
    },
    claim: (columns) => {
      cells += columns * state.setup.steps;
      if (cells > cellsMax) throw new ByteFormatError('a partial aggregate is too large');
    },
  };
  for (const labels of sets.slice(0, count)) {
    const dropName = reader.u8() === 1;
    const key = labels.key();
    if (state.groups.has(key)) throw new ByteFormatError('a group is there twice');
    state.groups.set(key, { labels, dropName, state: stateKinds[state.op].read(context) });
  }
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

function writeSamples(writer: ByteWriter, samples: SampleStats): void {
  const { totalSamples, peakSamples, peakShared, series, workMs, samplesPerStep } = samples;
  writer.varint(totalSamples);
  writer.varint(peakSamples);
  writer.varint(peakShared);
  writer.varint(series);
  writer.f64(workMs);
  writer.u8(samplesPerStep === undefined ? 0 : 1);
  for (const count of samplesPerStep ?? []) writer.varint(count);
}

function readSamples(reader: ByteReader, steps: number): SampleStats {
  const totals = {
    totalSamples: reader.varint(),
    peakSamples: reader.varint(),
    peakShared: reader.varint(),
    series: reader.varint(),
    workMs: reader.f64(),
  };
  if (totals.peakShared > totals.peakSamples || !(totals.workMs >= 0))
    throw new ByteFormatError('counts of samples that can not be');
  if (reader.u8() === 0) return totals;
  const samplesPerStep = new Float64Array(steps);
  for (let step = 0; step < steps; step++) samplesPerStep[step] = reader.varint();
  return { ...totals, samplesPerStep };
}
