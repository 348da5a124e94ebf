/**
 * Series that pass by one after the other, their columns overwritten by the next: what an aggregation takes in this way is
 * never held as a whole.
 */
import { compareBytes, type FloatHistogram, Labels, metadataLabels } from '../../model/index.ts';
import { ExecutionError } from '../errors.ts';
import type { StepSeries } from '../types.ts';
import type { StepCells } from './step_columns.ts';
import { hasSameMetadata, sameLabelsetMessage, withoutMetadata } from './values.ts';

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

/** What becomes of the labels of two series that are combined. */
export interface LabelJoin {
  /** Whether a label of the first is kept. */
  keeps(name: string): boolean;
  /** Labels that the second brings, in order. */
  readonly include: readonly string[];
}

/** The labels of two series that are combined. */
export function joinLabels({ keeps, include }: LabelJoin, first: Labels, second: Labels): Labels {
  const flat: string[] = [];
  let next = 0;
  const includeBefore = (name: string | undefined): void => {
    for (; next < include.length; next++) {
      const included = include[next] as string;
      if (name !== undefined && compareBytes(included, name) > 0) return;
      const value = second.get(included);
      if (value !== '') flat.push(included, value);
    }
  };
  for (let i = 0; i < first.flat.length; i += 2) {
    const name = first.flat[i] as string;
    includeBefore(name);
    if (keeps(name) && !include.includes(name)) flat.push(name, first.flat[i + 1] as string);
  }
  includeBefore(undefined);
  return Labels.fromSortedFlat(flat);
}

/** A series made of two, whose labels are made when they are asked for. */
export class JoinedSeries implements StepSeries {
  readonly values: Float64Array;
  readonly present: Uint8Array;
  readonly #join: LabelJoin;
  readonly #first: Labels;
  readonly #second: Labels;
  #labels: Labels | undefined;

  constructor({ values, present }: StepCells, join: LabelJoin, first: Labels, second: Labels) {
    this.values = values;
    this.present = present;
    this.#join = join;
    this.#first = first;
    this.#second = second;
  }

  get labels(): Labels {
    this.#labels ??= joinLabels(this.#join, this.#first, this.#second);
    return this.#labels;
  }

  labelOf(name: string): string {
    if (this.#join.include.includes(name)) return this.#second.get(name);
    return this.#join.keeps(name) ? this.#first.get(name) : '';
  }
}

/** The value of a label, for which the others need not be made. */
export function labelOf(series: StepSeries, name: string): string {
  if (series instanceof JoinedSeries) return series.labelOf(name);
  if (!(series instanceof NamelessSeries)) return series.labels.get(name);
  return metadataLabels.has(name) ? '' : series.named.get(name);
}

/** The labels with which a series came from storage. */
export function sourceLabels(series: StepSeries): Labels {
  return series instanceof NamelessSeries ? series.named : series.labels;
}

/** Other values for a passing series; with `isNameless` its name goes, and all series have the same metadata. */
export function withColumns(
  series: StepSeries,
  { values, present }: StepCells,
  isNameless: boolean,
): StepSeries {
  const columns = { labels: sourceLabels(series), values, present };
  return isNameless || series instanceof NamelessSeries ? new NamelessSeries(columns, true) : columns;
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
    // Of the same metadata the order is the same with it. Series of two parts of the data need not have the same.
    const isSame =
      this.#named !== undefined &&
      other instanceof NamelessSeries &&
      other.isUniform &&
      hasSameMetadata(this.#named, other.named);
    return isSame && this.#named !== undefined
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
