/**
 * Series that pass by one after the other, their columns overwritten by the next: what an aggregation takes in this way is
 * never held as a whole.
 */
import type { FloatHistogram, Labels } from '../../model/index.ts';
import { ExecutionError } from '../errors.ts';
import type { StepSeries } from '../types.ts';
import { hasSameMetadata, metadataLabels, sameLabelsetMessage, withoutMetadata } from './values.ts';

/** A series whose name is gone; the labels without it are made when they are asked for. */
class NamelessSeries implements StepSeries {
  readonly values: Float64Array;
  readonly present: Uint8Array;
  readonly histograms?: (FloatHistogram | null)[];
  /** Still with metadata. */
  readonly named: Labels;
  /** All series so far had the same metadata. */
  readonly isUniform: boolean;
  #labels: Labels | undefined;

  constructor(series: StepSeries, isUniform: boolean) {
    this.isUniform = isUniform;
    this.values = series.values;
    this.present = series.present;
    if (series.histograms !== undefined) this.histograms = series.histograms;
    this.named = series.labels;
  }

  get labels(): Labels {
    this.#labels ??= withoutMetadata(this.named);
    return this.#labels;
  }
}

/** The labels, with metadata that is gone where that is cheaper: for those to whom it does not matter. */
export function labelsOrNamed(series: StepSeries): Labels {
  return series instanceof NamelessSeries ? series.named : series.labels;
}

/** Where a series stands in label order. */
export class LabelPlace {
  readonly labels: Labels;
  readonly #named: Labels | undefined;

  constructor(series: StepSeries) {
    this.labels = series.labels;
    this.#named = series instanceof NamelessSeries && series.isUniform ? series.named : undefined;
  }

  /** Whether the other series comes later, or has the same labels. */
  isBefore(other: StepSeries): boolean {
    // Of the same metadata the order is the same with it.
    return this.#named !== undefined && other instanceof NamelessSeries && other.isUniform
      ? this.#named.compare(other.named) <= 0
      : this.labels.compare(other.labels) <= 0;
  }
}

/** dropNamesOfWindows for series that pass by. */
export class PassingNames {
  readonly #delayed: boolean;
  readonly #passed: Labels[] = [];
  /** Once the metadata of all were not the same. */
  #keys: Set<string> | undefined;

  constructor(delayed: boolean) {
    this.#delayed = delayed;
  }

  /** Throws ExecutionError when the series becomes one with one that has passed. */
  drop(series: StepSeries): StepSeries {
    if (this.#delayed) return series.dropName === true ? series : { ...series, dropName: true };
    const first = this.#passed[0] ?? series.labels;
    if (this.#keys === undefined && hasSameMetadata(first, series.labels)) {
      this.#passed.push(series.labels);
      return new NamelessSeries(series, true);
    }
    this.#keys ??= new Set(this.#passed.map((labels) => withoutMetadata(labels).key()));
    const nameless = new NamelessSeries(series, false);
    const key = nameless.labels.key();
    if (this.#keys.has(key)) throw new ExecutionError(sameLabelsetMessage);
    this.#keys.add(key);
    return nameless;
  }
}

/** Whether a label goes with the name. */
export function isMetadata(name: string): boolean {
  return metadataLabels.has(name);
}
