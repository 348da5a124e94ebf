/**
 * Which series of a group is the first, in label order, that has a float at a step. Asked for only where there are
 * histograms too, and told by the way: so series are collected, and looked through when there is a reason.
 */
import { ByteFormatError, type ByteWriter } from '../../../base/index.ts';
import type { Labels } from '../../../model/index.ts';
import { readSteps, writeSteps } from '../../codec/columns.ts';
import type { StepSeries } from '../../types.ts';
import { LabelPlace } from '../passing.ts';
import type { ReadContext } from './group_state.ts';

interface Member {
  readonly labels: Labels;
  /** The steps at which it has a float. */
  readonly present: Uint8Array;
}

/** Sparse members are looked through when there are so many, or twice as many as were left the last time. */
const pruneMin = 64;

export class FloatFirsts {
  readonly #steps: number;
  #members: Member[] = [];
  #pruneAt = pruneMin;
  #isPruned = true;
  /** The first of the series that have a float at every step: mostly the only one that counts. */
  #whole: LabelPlace | undefined;

  constructor(steps: number) {
    this.#steps = steps;
  }

  /** The series' columns are not kept. */
  add(series: StepSeries): void {
    const { present, histograms } = series;
    const isWhole = histograms === undefined && !present.includes(0);
    if (this.#whole?.isBefore(series) === true) return;
    this.#isPruned = false;
    if (isWhole) this.#whole = new LabelPlace(series);
    else this.#keep({ labels: series.labels, present: floatSteps(present, histograms) });
  }

  #keep(member: Member): void {
    this.#members.push(member);
    if (this.#members.length < this.#pruneAt) return;
    this.#prune();
    this.#pruneAt = Math.max(pruneMin, this.#members.length * 2);
  }

  merge(other: FloatFirsts): void {
    other.#prune();
    for (const member of other.#members) this.#members.push(member);
    this.#isPruned = false;
    this.#prune();
  }

  /** The first labels of each step, undefined where there is no float. */
  bySteps(): (Labels | undefined)[] {
    this.#prune();
    const firsts = new Array<Labels | undefined>(this.#steps).fill(undefined);
    for (const { labels, present } of this.#members) {
      for (let i = 0; i < this.#steps; i++) if (present[i] === 1) firsts[i] = labels;
    }
    return firsts;
  }

  /** In the order in which `write` tells of them. */
  labels(): Labels[] {
    this.#prune();
    return this.#members.map(({ labels }) => labels);
  }

  /** Leaves each member the steps at which it is the first; mostly one has them all. */
  #prune(): void {
    if (this.#isPruned) return;
    this.#isPruned = true;
    if (this.#whole !== undefined) {
      this.#members.push({ labels: this.#whole.labels, present: new Uint8Array(this.#steps).fill(1) });
    }
    const kept: Member[] = [];
    const isTaken = new Uint8Array(this.#steps);
    let left = this.#steps;
    for (const { labels, present } of inLabelOrder(this.#members)) {
      if (left === 0) break;
      let own: Uint8Array | undefined;
      for (let i = 0; i < this.#steps; i++) {
        if (present[i] !== 1 || isTaken[i] === 1) continue;
        own ??= new Uint8Array(this.#steps);
        own[i] = 1;
        isTaken[i] = 1;
        left--;
      }
      if (own !== undefined) kept.push({ labels, present: own });
    }
    this.#members = kept;
  }

  /** varint members, per member the steps at which it is the first. */
  write(writer: ByteWriter): void {
    this.#prune();
    writer.varint(this.#members.length);
    for (const { present } of this.#members) writeSteps(writer, present);
  }

  /** Throws ByteFormatError. */
  static read({ reader, steps, claim, nextLabels }: ReadContext): FloatFirsts {
    const read = new FloatFirsts(steps);
    const count = reader.varint();
    if (count > steps) throw new ByteFormatError(`${count} series are the first of ${steps} steps`);
    for (let i = 0; i < count; i++) {
      claim(1);
      read.#members.push({ labels: nextLabels(), present: readSteps(reader, steps) });
    }
    read.#isPruned = false;
    return read;
  }
}

function floatSteps(present: Uint8Array, histograms: StepSeries['histograms']): Uint8Array {
  return histograms === undefined
    ? present.slice()
    : present.map((bit, i) => (bit === 1 && histograms[i] === null ? 1 : 0));
}

/** Mostly they come in it. */
function inLabelOrder(members: readonly Member[]): readonly Member[] {
  const isAscending = members.every(
    ({ labels }, i) => i === 0 || (members[i - 1] as Member).labels.compare(labels) <= 0,
  );
  return isAscending ? members : members.toSorted((a, b) => a.labels.compare(b.labels));
}
