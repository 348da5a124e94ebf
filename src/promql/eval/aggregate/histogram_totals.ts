/** The histograms of a group: for each step that has any their total, and what has to be said of them. */
import { ByteFormatError, type ByteReader, type ByteWriter } from '../../../base/index.ts';
import { type FloatHistogram, HistogramTotal, type Labels } from '../../../model/index.ts';
import { readSteps, writeSteps } from '../../codec/columns.ts';
import type { StepSeries } from '../../types.ts';
import type { ReadContext } from './group_state.ts';
import { HistogramFirsts } from './histogram_firsts.ts';

export interface StepTotal {
  readonly total: HistogramTotal;
  readonly firsts: HistogramFirsts;
}

export class HistogramTotals {
  readonly at: (StepTotal | undefined)[];

  constructor(steps: number) {
    this.at = new Array<StepTotal | undefined>(steps).fill(undefined);
  }

  add({ labels, present }: StepSeries, histograms: readonly (FloatHistogram | null)[]): void {
    for (const [i, histogram] of histograms.entries()) {
      if (histogram === null || present[i] !== 1) continue;
      let step = this.at[i];
      if (step === undefined) {
        step = { total: new HistogramTotal(), firsts: new HistogramFirsts() };
        this.at[i] = step;
      }
      step.total.add(histogram);
      step.firsts.add(labels, histogram);
    }
  }

  merge(other: HistogramTotals): void {
    for (const [i, step] of other.at.entries()) {
      const own = this.at[i];
      if (own === undefined) this.at[i] = step;
      else if (step !== undefined) {
        own.total.merge(step.total);
        own.firsts.merge(step.firsts);
      }
    }
  }

  /** The labels of firsts, each once, in the order in which `write` refers to them. */
  labels(): Labels[] {
    return [...this.#labelRefs().keys()];
  }

  #labelRefs(): Map<Labels, number> {
    const refs = new Map<Labels, number>();
    for (const step of this.at) {
      if (step === undefined) continue;
      const { exponential, custom, other } = step.firsts;
      for (const labels of [exponential, custom?.labels, other]) {
        if (labels !== undefined && !refs.has(labels)) refs.set(labels, refs.size);
      }
    }
    return refs;
  }

  /**
   * varint labels of firsts; steps with histograms; per step: the first exponential, the first custom and the first other
   * one, each as 0 or 1 + its place, the bounds of the custom one if there is one, and the total.
   */
  write(writer: ByteWriter): void {
    const refs = this.#labelRefs();
    const refOf = (labels: Labels | undefined): number =>
      labels === undefined ? 0 : 1 + (refs.get(labels) ?? 0);
    writer.varint(refs.size);
    writeSteps(
      writer,
      Uint8Array.from(this.at, (step) => (step === undefined ? 0 : 1)),
    );
    for (const step of this.at) {
      if (step === undefined) continue;
      const { exponential, custom, other } = step.firsts;
      for (const labels of [exponential, custom?.labels, other]) writer.varint(refOf(labels));
      if (custom !== undefined) {
        writer.varint(custom.bounds.length);
        writer.column(custom.bounds);
      }
      step.total.write(writer);
    }
  }

  /** Throws ByteFormatError. */
  static read({ reader, steps, claim, nextLabels }: ReadContext): HistogramTotals {
    claim(1);
    const read = new HistogramTotals(steps);
    const count = reader.varint();
    const sets: Labels[] = [];
    for (let i = 0; i < count; i++) sets.push(nextLabels());
    for (const [i, present] of readSteps(reader, steps).entries()) {
      if (present !== 1) continue;
      const firsts = readFirsts(reader, sets);
      const total = HistogramTotal.read(reader);
      const isSound =
        total.count > 0 &&
        total.isIncompatible === (firsts.exponential !== undefined && firsts.custom !== undefined);
      if (!isSound) throw new ByteFormatError('the histograms of a step contradict themselves');
      read.at[i] = { total, firsts };
    }
    return read;
  }
}

function readFirsts(reader: ByteReader, sets: readonly Labels[]): HistogramFirsts {
  const labelsAt = (): Labels | undefined => {
    const ref = reader.varint();
    if (ref > sets.length) throw new ByteFormatError('the first series of a step has no labels');
    return sets[ref - 1];
  };
  const firsts = new HistogramFirsts();
  firsts.exponential = labelsAt();
  const labels = labelsAt();
  firsts.other = labelsAt();
  if (labels !== undefined) firsts.custom = { labels, bounds: reader.floats(reader.varint()) };
  return firsts;
}
