/**
 * What Prometheus says of the histograms of a group depends on the order in which it meets them, which is that of their
 * labels. So of each step the first series of a sort is kept: enough to tell what would have been said, in parts that
 * are merged in any order.
 */
import { type FloatHistogram, type Labels, metricNameLabel } from '../../../model/index.ts';
import type { Finish } from './group_state.ts';

/** The first series with custom buckets, and its bounds. */
export interface FirstCustom {
  readonly labels: Labels;
  readonly bounds: Float64Array;
}

export class HistogramFirsts {
  exponential: Labels | undefined;
  custom: FirstCustom | undefined;
  /** The first one whose bounds are not those of `custom`. */
  other: Labels | undefined;

  add(labels: Labels, { usesCustomBuckets, customValues }: FloatHistogram): void {
    if (usesCustomBuckets) this.#addCustom({ labels, bounds: customValues }, undefined);
    else this.exponential = first(this.exponential, labels);
  }

  merge({ exponential, custom, other }: HistogramFirsts): void {
    this.exponential = first(this.exponential, exponential);
    if (custom !== undefined) this.#addCustom(custom, other);
  }

  #addCustom(custom: FirstCustom, other: Labels | undefined): void {
    const own = this.custom;
    if (own === undefined) {
      this.custom = custom;
      this.other = other;
      return;
    }
    const isBefore = custom.labels.compare(own.labels) < 0;
    const [before, after] = isBefore ? [custom, own] : [own, custom];
    const [otherBefore, otherAfter] = isBefore ? [other, this.other] : [this.other, other];
    this.custom = before;
    this.other = first(otherBefore, sameBounds(before.bounds, after.bounds) ? otherAfter : after.labels);
  }

  /** Says what there is to say of the step; `float` is the first series that has a float there. Returns whether there is a result. */
  judge(float: Labels | undefined, { expr, annotations }: Finish): boolean {
    const { span } = expr.expr;
    const { exponential, other } = this;
    const custom = this.custom?.labels;
    const histogram = first(exponential, custom);
    const isFloatFirst =
      float !== undefined && (histogram === undefined || isBeforeOrAlone(float, histogram));
    const misfit =
      exponential === undefined || custom === undefined || isFloatFirst
        ? undefined
        : last(exponential, custom);
    // Behind a float histograms are not looked at; behind one that does not fit nothing is.
    if (other !== undefined && !isFloatFirst && isBeforeOrAlone(other, misfit)) {
      annotations.info('mismatched custom buckets were reconciled during aggregation', span);
    }
    if (misfit !== undefined) {
      const text = 'vector contains a mix of histograms with exponential and custom buckets schemas';
      const name = JSON.stringify(misfit.get(metricNameLabel) ?? '');
      annotations.warn(`${text} for metric name ${name}`, span);
    }
    if (float !== undefined && isBeforeOrAlone(float, misfit)) {
      annotations.warn('encountered a mix of histograms and floats for aggregation', span);
    }
    return float === undefined && misfit === undefined;
  }
}

function first(a: Labels | undefined, b: Labels | undefined): Labels | undefined {
  if (a === undefined) return b;
  return b !== undefined && b !== a && b.compare(a) < 0 ? b : a;
}

function last(a: Labels, b: Labels): Labels {
  return a.compare(b) < 0 ? b : a;
}

function isBeforeOrAlone(a: Labels, b: Labels | undefined): boolean {
  return b === undefined || a.compare(b) < 0;
}

function sameBounds(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((bound, i) => bound === b[i]);
}
