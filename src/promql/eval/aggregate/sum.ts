/**
 * sum and avg, of floats and of histograms. A step that has both gives nothing and a warning, as does one whose
 * histograms have exponential and custom buckets.
 */
import type { ByteWriter } from '../../../base/index.ts';
import type { Labels } from '../../../model/index.ts';
import type { StepSeries } from '../../types.ts';
import { noHistograms } from '../values.ts';
import { FloatFirsts } from './float_firsts.ts';
import { FloatSums } from './float_sums.ts';
import { type Finish, type GroupState, groupSeries, type ReadContext, type Setup } from './group_state.ts';
import { HistogramTotals } from './histogram_totals.ts';

export class SumState implements GroupState {
  readonly #isMean: boolean;
  readonly #steps: number;
  #floats: FloatSums;
  #firsts: FloatFirsts;
  #histograms: HistogramTotals | undefined;

  constructor(which: 'sum' | 'avg', { steps }: Pick<Setup, 'steps'>) {
    this.#isMean = which === 'avg';
    this.#steps = steps;
    this.#floats = new FloatSums(steps);
    this.#firsts = new FloatFirsts(steps);
  }

  add(series: StepSeries): void {
    this.#floats.add(series);
    this.#firsts.add(series);
    if (series.histograms === undefined) return;
    this.#histograms ??= new HistogramTotals(this.#steps);
    this.#histograms.add(series, series.histograms);
  }

  merge(other: SumState): void {
    this.#floats.merge(other.#floats);
    this.#firsts.merge(other.#firsts);
    if (other.#histograms === undefined) return;
    if (this.#histograms === undefined) this.#histograms = other.#histograms;
    else this.#histograms.merge(other.#histograms);
  }

  finish(context: Finish): StepSeries[] {
    const floats = this.#floats;
    const { counts } = floats;
    const totals = this.#histograms;
    const values = new Float64Array(this.#steps);
    const present = new Uint8Array(this.#steps);
    for (let i = 0; i < this.#steps; i++) {
      if (counts[i] === 0 || totals?.at[i] !== undefined) continue;
      values[i] = this.#isMean ? floats.mean(i) : floats.sum(i);
      present[i] = 1;
    }
    const histograms = totals === undefined ? undefined : this.#finishHistograms(totals, present, context);
    return groupSeries(context, values, present, histograms);
  }

  /** Sets `present` where there is a result; undefined when there is none. */
  #finishHistograms(totals: HistogramTotals, present: Uint8Array, context: Finish): StepSeries['histograms'] {
    const results = noHistograms(this.#steps);
    const firstFloats = this.#firsts.bySteps();
    for (const [i, step] of totals.at.entries()) {
      if (step?.firsts.judge(firstFloats[i], context) !== true) continue;
      if (step.total.counterResetCollision) {
        const text = 'conflicting counter resets during histogram aggregation';
        context.annotations.warn(text, context.expr.expr.span);
      }
      const result = this.#isMean ? step.total.mean() : step.total.sum();
      results[i] = result?.compact() ?? null;
      if (results[i] !== null) present[i] = 1;
    }
    return results.some((result) => result !== null) ? results : undefined;
  }

  memberLabels(): readonly Labels[] {
    return [...this.#firsts.labels(), ...(this.#histograms?.labels() ?? [])];
  }

  /** Sums; the first series with floats; 1 and the histograms, or 0. */
  write(writer: ByteWriter): void {
    this.#floats.write(writer, this.#isMean);
    this.#firsts.write(writer);
    writer.u8(this.#histograms === undefined ? 0 : 1);
    this.#histograms?.write(writer);
  }

  /** Throws ByteFormatError. */
  static read(which: 'sum' | 'avg', context: ReadContext): SumState {
    const state = new SumState(which, context);
    state.#floats = FloatSums.read(context, state.#isMean);
    state.#firsts = FloatFirsts.read(context);
    if (context.reader.u8() === 1) state.#histograms = HistogramTotals.read(context);
    return state;
  }
}
