/**
 * Aggregations that pick series rather than combine them: topk, bottomk, limitk, limit_ratio. Picked series keep their
 * labels. Ties are broken by label order, so that every placement of the data gives the same answer. The state is the
 * series that are picked so far: what is not among the k of a part is not among the k of the whole.
 */
import { ByteFormatError, type ByteReader, type ByteWriter } from '../../../base/index.ts';
import {
  type FloatHistogram,
  formatFloatG,
  type Labels,
  readSoundHistogram,
  writeHistogram,
} from '../../../model/index.ts';
import { readNumbers, readSteps, writeNumbers, writeSteps } from '../../codec/columns.ts';
import { ExecutionError } from '../../errors.ts';
import type { StepSeries } from '../../types.ts';
import { isEmptyColumn, noHistograms } from '../values.ts';
import { ExtremeHeaps } from './extreme_heaps.ts';
import { type Finish, type GroupState, noteIgnored, type ReadContext, type Setup } from './group_state.ts';
import { labelHash } from './label_hash.ts';

export type SelectOp = 'topk' | 'bottomk' | 'limitk' | 'limit_ratio';

export class SelectState implements GroupState {
  readonly #op: SelectOp;
  readonly #parameter: Float64Array;
  #members: StepSeries[] = [];
  #ignored = false;
  /** Members that are too many may be among them. */
  #isLoose = false;

  constructor(op: SelectOp, { parameter }: Pick<Setup, 'parameter'>) {
    this.#op = op;
    this.#parameter = parameter;
  }

  add(series: StepSeries): void {
    this.#members.push(series);
    this.#isLoose = true;
  }

  merge(other: SelectState): void {
    if (other.#ignored) this.#ignored = true;
    for (const member of other.#members) this.#members.push(member);
    this.#isLoose = true;
    this.#tighten();
  }

  /** A single step's result of topk and bottomk is in order of value. */
  finish(context: Finish): StepSeries[] {
    const isOrdered = this.#parameter.length === 1 && (this.#op === 'topk' || this.#op === 'bottomk');
    if (isOrdered) {
      this.#dropHistograms();
      const heaps = this.#heaps();
      heaps.fill();
      this.#members = heaps.kept(0).map((member) => this.#members[member] as StepSeries);
    } else this.#tighten();
    if (this.#ignored) noteIgnored(context);
    return this.#members;
  }

  #tighten(): void {
    if (!this.#isLoose) return;
    this.#isLoose = false;
    switch (this.#op) {
      case 'topk':
      case 'bottomk': {
        this.#dropHistograms();
        const heaps = this.#heaps();
        heaps.fill();
        heaps.mark();
        break;
      }
      case 'limitk':
        keepFirst(this.#members, this.#limits());
        break;
      case 'limit_ratio':
        keepRatio(this.#members, this.#parameter);
    }
    this.#members = this.#members.filter(({ present }) => !isEmptyColumn(present)).map(onlyPresent);
  }

  #heaps(): ExtremeHeaps {
    const sign = this.#op === 'topk' ? 1 : -1;
    return new ExtremeHeaps(this.#members, labelRanks(this.#members), sign, this.#limits());
  }

  #limits(): Int32Array {
    const most = this.#members.length;
    return Int32Array.from(this.#parameter, (k) => Math.min(most, Math.max(0, Math.trunc(k))));
  }

  /** They have no place among floats; that there were some is told where any series could have been picked. */
  #dropHistograms(): void {
    this.#members = this.#members.map((member) => {
      const { histograms, ...floats } = member;
      if (histograms === undefined) return member;
      for (const [i, histogram] of histograms.entries()) {
        if (histogram === null || member.present[i] !== 1) continue;
        floats.present[i] = 0;
        if ((this.#parameter[i] as number) >= 1) this.#ignored = true;
      }
      return floats;
    });
  }

  memberLabels(): readonly Labels[] {
    this.#tighten();
    return this.#members.map(({ labels }) => labels);
  }

  /**
   *     whether histograms were ignored, varint members, per member:
   *     flags, steps with values, values; with flag 2 the steps that have histograms, and these
   */
  write(writer: ByteWriter): void {
    this.#tighten();
    writer.u8(this.#ignored ? 1 : 0);
    writer.varint(this.#members.length);
    for (const { values, present, histograms, dropName } of this.#members) {
      writer.u8((dropName === true ? flags.dropName : 0) | (histograms === undefined ? 0 : flags.histograms));
      writeSteps(writer, present);
      writeNumbers(writer, values, present);
      if (histograms !== undefined) writeHistograms(writer, histograms);
    }
  }

  /** Throws ByteFormatError. */
  static read(op: SelectOp, context: ReadContext): SelectState {
    const { reader, steps, claim, nextLabels } = context;
    const state = new SelectState(op, context);
    state.#ignored = reader.u8() === 1;
    const count = reader.varint();
    if (count > reader.remaining) throw new ByteFormatError(`${count} series in ${reader.remaining} bytes`);
    for (let i = 0; i < count; i++) {
      const set = reader.u8();
      claim((set & flags.histograms) === 0 ? 1 : 2);
      const present = readSteps(reader, steps);
      state.#members.push({
        labels: nextLabels(),
        values: readNumbers(reader, present),
        present,
        ...((set & flags.histograms) === 0 ? {} : { histograms: readHistograms(reader, present) }),
        ...((set & flags.dropName) === 0 ? {} : { dropName: true }),
      });
    }
    state.#isLoose = true;
    return state;
  }
}

const flags = { dropName: 1, histograms: 2 } as const;

function writeHistograms(writer: ByteWriter, histograms: readonly (FloatHistogram | null)[]): void {
  writeSteps(
    writer,
    Uint8Array.from(histograms, (histogram) => (histogram === null ? 0 : 1)),
  );
  for (const histogram of histograms) if (histogram !== null) writeHistogram(writer, histogram);
}

function readHistograms(reader: ByteReader, present: Uint8Array): (FloatHistogram | null)[] {
  const histograms = noHistograms(present.length);
  for (const [i, isThere] of readSteps(reader, present.length).entries()) {
    if (isThere !== 1) continue;
    if (present[i] !== 1) throw new ByteFormatError('a histogram is at a step that has no value');
    histograms[i] = readSoundHistogram(reader);
  }
  return histograms;
}

/** Without the histograms of steps that are no longer present. */
function onlyPresent(series: StepSeries): StepSeries {
  const { histograms, present } = series;
  if (histograms === undefined) return series;
  return { ...series, histograms: histograms.map((histogram, i) => (present[i] === 1 ? histogram : null)) };
}

/** limitk: the first in label order at each step. */
function keepFirst(members: readonly StepSeries[], limits: Int32Array): void {
  const ranks = labelRanks(members);
  const order = Array.from(ranks);
  for (const [member, rank] of ranks.entries()) order[rank] = member;
  const taken = new Int32Array(limits.length);
  for (const member of order) {
    const { present } = members[member] as StepSeries;
    for (let step = 0; step < limits.length; step++) {
      if (present[step] !== 1) continue;
      if ((taken[step] as number) < (limits[step] as number)) taken[step] = (taken[step] as number) + 1;
      else present[step] = 0;
    }
  }
}

/** limit_ratio: series whose label hash, as a fraction of 2^64, is below r; for r < 0 the others. */
function keepRatio(members: readonly StepSeries[], ratios: Float64Array): void {
  for (const { labels, present } of members) {
    const offset = Number(labelHash(labels)) / 2 ** 64;
    for (let step = 0; step < ratios.length; step++) {
      const ratio = Math.min(1, Math.max(-1, ratios[step] as number));
      const kept = ratio !== 0 && (ratio > 0 ? offset < ratio : offset >= 1 + ratio);
      if (!kept) present[step] = 0;
    }
  }
}

/** Each series' place in label order. Mostly they come in it. */
function labelRanks(group: readonly StepSeries[]): Int32Array {
  const isAscending = group.every(
    ({ labels }, i) => i === 0 || (group[i - 1] as StepSeries).labels.compare(labels) <= 0,
  );
  const ranks = Int32Array.from(group, (_, i) => i);
  if (isAscending) return ranks;
  const order = group.map((_, i) => i);
  order.sort((a, b) => (group[a] as StepSeries).labels.compare((group[b] as StepSeries).labels));
  for (const [rank, i] of order.entries()) ranks[i] = rank;
  return ranks;
}

/** Throws ExecutionError when a count parameter is not an int64. */
export function checkCounts(counts: Float64Array): void {
  for (const count of counts) {
    if (Number.isNaN(count)) throw new ExecutionError('Parameter value is NaN');
    if (count <= -(2 ** 63)) throw new ExecutionError(`Scalar value ${formatFloatG(count)} underflows int64`);
    if (count >= 2 ** 63) throw new ExecutionError(`Scalar value ${formatFloatG(count)} overflows int64`);
  }
}
