/**
 * Aggregations that pick series by their labels: limitk and limit_ratio. Picked series keep their labels. limitk takes the
 * first in label order, so that every placement of the data gives the same answer. The state is the series that are picked
 * so far: what is not among the k of a part is not among the k of the whole.
 */
import type { ByteWriter } from '../../../base/index.ts';
import type { Labels } from '../../../model/index.ts';
import type { StepSeries } from '../../types.ts';
import { isEmptyColumn } from '../values.ts';
import type { GroupState, ReadContext, Setup } from './group_state.ts';
import { labelHash } from './label_hash.ts';
import { readMembers, writeMembers } from './members.ts';

export type SelectOp = 'limitk' | 'limit_ratio';

export class SelectState implements GroupState {
  readonly #op: SelectOp;
  readonly #parameter: Float64Array;
  #members: StepSeries[] = [];
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
    for (const member of other.#members) this.#members.push(member);
    this.#isLoose = true;
    this.#tighten();
  }

  finish(): StepSeries[] {
    this.#tighten();
    return this.#members;
  }

  #tighten(): void {
    if (!this.#isLoose) return;
    this.#isLoose = false;
    if (this.#op === 'limitk') keepFirst(this.#members, this.#limits());
    else keepRatio(this.#members, this.#parameter);
    this.#members = this.#members.filter(({ present }) => !isEmptyColumn(present)).map(onlyPresent);
  }

  #limits(): Int32Array {
    const most = this.#members.length;
    return Int32Array.from(this.#parameter, (k) => Math.min(most, Math.max(0, Math.trunc(k))));
  }

  memberLabels(): readonly Labels[] {
    this.#tighten();
    return this.#members.map(({ labels }) => labels);
  }

  write(writer: ByteWriter): void {
    this.#tighten();
    writeMembers(writer, this.#members, false);
  }

  /** Throws ByteFormatError. */
  static read(op: SelectOp, context: ReadContext): SelectState {
    const state = new SelectState(op, context);
    state.#members = readMembers(context).members;
    state.#isLoose = true;
    return state;
  }
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
  if (ratios.every((ratio) => ratio >= 1)) return;
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
