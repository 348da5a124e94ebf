/**
 * sum and avg, of floats and of histograms. A step that has both gives nothing and a warning, as does one whose
 * histograms have exponential and custom buckets; what else could be said of the histograms then goes unsaid, since
 * Prometheus says it or not by the order of the series.
 */
import type { ByteWriter } from '../../../base/index.ts';
import { ByteFormatError } from '../../../base/index.ts';
import { type FloatHistogram, HistogramTotal, metricNameLabel } from '../../../model/index.ts';
import { readSteps, writeSteps } from '../../codec/columns.ts';
import type { StepSeries } from '../../types.ts';
import { noHistograms } from '../values.ts';
import { FloatSums } from './float_sums.ts';
import {
  type Finish,
  type GroupState,
  groupSeries,
  noMembers,
  type ReadContext,
  type Setup,
} from './group_state.ts';

export class SumState implements GroupState {
  readonly #isMean: boolean;
  readonly #steps: number;
  #floats: FloatSums;
  #histograms: HistogramTotals | undefined;
  readonly memberLabels: typeof noMembers = noMembers;

  constructor(which: 'sum' | 'avg', { steps }: Pick<Setup, 'steps'>) {
    this.#isMean = which === 'avg';
    this.#steps = steps;
    this.#floats = new FloatSums(steps);
  }

  add(series: StepSeries): void {
    this.#floats.add(series);
    if (series.histograms === undefined) return;
    this.#histograms ??= new HistogramTotals(this.#steps);
    this.#histograms.add(series, series.histograms);
  }

  merge(other: SumState): void {
    this.#floats.merge(other.#floats);
    if (other.#histograms === undefined) return;
    if (this.#histograms === undefined) this.#histograms = other.#histograms;
    else this.#histograms.merge(other.#histograms);
  }

  finish(context: Finish): StepSeries[] {
    const floats = this.#floats;
    const totals = this.#histograms;
    const values = new Float64Array(this.#steps);
    const present = new Uint8Array(this.#steps);
    const histograms = totals === undefined ? undefined : noHistograms(this.#steps);
    for (let i = 0; i < this.#steps; i++) {
      const hasFloats = (floats.counts[i] as number) > 0;
      const total = totals?.at[i];
      if (totals === undefined || histograms === undefined || total === undefined) {
        if (!hasFloats) continue;
        values[i] = this.#isMean ? floats.mean(i) : floats.sum(i);
        present[i] = 1;
      } else if (hasFloats) {
        context.annotations.warn(
          'encountered a mix of histograms and floats for aggregation',
          context.expr.expr.span,
        );
      } else {
        const result = this.#isMean ? total.mean() : total.sum();
        totals.annotate(total, context);
        if (result === undefined) continue;
        histograms[i] = result;
        present[i] = 1;
      }
    }
    const hasHistograms = histograms?.some((histogram) => histogram !== null) === true;
    return groupSeries(context, values, present, hasHistograms ? histograms : undefined);
  }

  write(writer: ByteWriter): void {
    this.#floats.write(writer, this.#isMean);
    writer.u8(this.#histograms === undefined ? 0 : 1);
    this.#histograms?.write(writer);
  }

  /** Throws ByteFormatError. */
  static read(which: 'sum' | 'avg', context: ReadContext): SumState {
    const state = new SumState(which, context);
    state.#floats = FloatSums.read(context, state.#isMean);
    if (context.reader.u8() === 1) state.#histograms = HistogramTotals.read(context);
    return state;
  }
}

/** The histograms of a group: a total for each step that has any. */
class HistogramTotals {
  readonly at: (HistogramTotal | undefined)[];
  /** Of all series with such buckets the first name, for the warning about mixing them. */
  #exponentialName: string | undefined;
  #customName: string | undefined;

  constructor(steps: number) {
    this.at = new Array<HistogramTotal | undefined>(steps).fill(undefined);
  }

  add({ labels, present }: StepSeries, histograms: readonly (FloatHistogram | null)[]): void {
    const name = labels.get(metricNameLabel) ?? '';
    for (const [i, histogram] of histograms.entries()) {
      if (histogram === null || present[i] !== 1) continue;
      this.#nameOf(histogram.usesCustomBuckets, name);
      let total = this.at[i];
      if (total === undefined) {
        total = new HistogramTotal();
        this.at[i] = total;
      }
      total.add(histogram);
    }
  }

  merge(other: HistogramTotals): void {
    if (other.#exponentialName !== undefined) this.#nameOf(false, other.#exponentialName);
    if (other.#customName !== undefined) this.#nameOf(true, other.#customName);
    for (const [i, total] of other.at.entries()) {
      const own = this.at[i];
      if (own === undefined) this.at[i] = total;
      else if (total !== undefined) own.merge(total);
    }
  }

  #nameOf(isCustom: boolean, name: string): void {
    if (isCustom) this.#customName = lesser(this.#customName, name);
    else this.#exponentialName = lesser(this.#exponentialName, name);
  }

  annotate(total: HistogramTotal, { expr, annotations }: Finish): void {
    const { span } = expr.expr;
    if (total.isIncompatible) {
      // In label order the first series of the second kind is the one that does not fit.
      const names = [this.#exponentialName ?? '', this.#customName ?? ''].sort();
      const text = 'vector contains a mix of histograms with exponential and custom buckets schemas';
      annotations.warn(`${text} for metric name ${JSON.stringify(names[1])}`, span);
      return;
    }
    if (total.boundsReconciled) {
      annotations.info('mismatched custom buckets were reconciled during aggregation', span);
    }
    if (total.counterResetCollision) {
      annotations.warn('conflicting counter resets during histogram aggregation', span);
    }
  }

  /** The two names, each behind 1 if there is one; the steps with histograms, and their totals. */
  write(writer: ByteWriter): void {
    for (const name of [this.#exponentialName, this.#customName]) {
      writer.u8(name === undefined ? 0 : 1);
      if (name !== undefined) writer.text(name);
    }
    writeSteps(
      writer,
      Uint8Array.from(this.at, (total) => (total === undefined ? 0 : 1)),
    );
    for (const total of this.at) total?.write(writer);
  }

  static read({ reader, steps, claim }: ReadContext): HistogramTotals {
    claim(1);
    const read = new HistogramTotals(steps);
    if (reader.u8() === 1) read.#exponentialName = reader.text();
    if (reader.u8() === 1) read.#customName = reader.text();
    for (const [i, present] of readSteps(reader, steps).entries()) {
      if (present === 1) read.at[i] = HistogramTotal.read(reader);
    }
    if (read.at.some((total) => total?.count === 0)) throw new ByteFormatError('a total is of no histograms');
    return read;
  }
}

function lesser(a: string | undefined, b: string): string {
  return a === undefined || b < a ? b : a;
}
