/** From columns to results. */
import { ExecutionError } from './errors.ts';
import type { Grid } from './eval/grid.ts';
import { histogramAt, sameLabelsetMessage, type Value, withoutMetadata } from './eval/values.ts';
import { stepTimes, toColumns } from './eval/windows.ts';
import type { MatrixSeries, QueryValue, StepSeries, VectorSample } from './types.ts';

/** The vector of an instant query, in the order in which it was computed: made of series that pass by. */
export class InstantVector {
  readonly #samples: VectorSample[] = [];
  readonly #timestampMs: number;
  #hasDropped = false;

  constructor(timestampMs: number) {
    this.#timestampMs = timestampMs;
  }

  add(series: StepSeries): void {
    const { values, present, dropName } = series;
    if (present[0] !== 1) return;
    const histogram = histogramAt(series, 0);
    if (dropName === true) this.#hasDropped = true;
    const labels = dropName === true ? withoutMetadata(series.labels) : series.labels;
    const sample = { labels, timestampMs: this.#timestampMs, value: values[0] as number };
    this.#samples.push(histogram === undefined ? sample : { ...sample, histogram });
  }

  /** Throws ExecutionError when names that went left two with the same labels. */
  value(): QueryValue {
    if (this.#hasDropped) {
      const keys = new Set(this.#samples.map(({ labels }) => labels.key()));
      if (keys.size < this.#samples.length) throw new ExecutionError(sameLabelsetMessage);
    }
    return { type: 'vector', samples: this.#samples };
  }
}

/** The value of an instant query that is no vector. */
export function instantValue(value: Exclude<Value, { type: 'vector' }>, atMs: number): QueryValue {
  if (value.type === 'string') return { type: 'string', timestampMs: atMs, text: value.text };
  return { type: 'scalar', timestampMs: atMs, value: value.values[0] as number };
}

/** The value of a range query, ordered by labels. */
export function rangeValue(
  value: Exclude<Value, { type: 'string' }>,
  grid: Grid,
  noLabels: MatrixSeries['labels'],
): QueryValue {
  if (value.type === 'scalar') {
    return {
      type: 'matrix',
      series: [{ labels: noLabels, timestamps: stepTimes(grid), values: value.values }],
    };
  }
  const times = stepTimes(grid);
  const series = value.series.map((one) => toColumns(one, times)).filter(({ values }) => values.length > 0);
  return { type: 'matrix', series: sortedByLabels(series) };
}

export function sortedByLabels(series: readonly MatrixSeries[]): MatrixSeries[] {
  return [...series].sort((a, b) => a.labels.compare(b.labels));
}
