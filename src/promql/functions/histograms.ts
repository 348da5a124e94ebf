/**
 * Functions of histograms: classic ones, which are floats with their bound as label `le`, and native ones.
 */
import {
  type FloatHistogram,
  formatFloatG,
  isValidLabelName,
  type Labels,
  LabelsBuilder,
  metricNameLabel,
  quoteGo,
} from '../../model/index.ts';
import { ExecutionError } from '../errors.ts';
import type { Evaluator } from '../eval/context.ts';
import { SeriesNotes } from '../eval/notes.ts';
import {
  anyPresent,
  dropNames,
  floatsOnly,
  histogramAt,
  isEmptyColumn,
  mergeSameLabels,
  withoutEmpty,
  withoutMetadata,
} from '../eval/values.ts';
import { isStepInvariant } from '../parse/step_invariant.ts';
import type { CallExpr, Span } from '../parse/tree.ts';
import type { StepSeries } from '../types.ts';
import {
  type BucketFamily,
  bucketFraction,
  bucketQuantile,
  collectFamilies,
  MonotonicityReport,
  StepBuckets,
} from './classic_buckets.ts';
import {
  argument,
  argumentSpan,
  checkQuantile,
  type FunctionFamily,
  type FunctionSpec,
  named,
  scalarColumns,
  stringArgument,
} from './function.ts';
import {
  histogramFraction as histogramFractionOf,
  histogramQuantile as histogramQuantileOf,
  histogramVariance,
} from './native_buckets.ts';

type BucketKernel = (buckets: StepBuckets, step: number) => number;

function runFamily(
  family: BucketFamily,
  labels: Labels,
  steps: number,
  kernel: BucketKernel,
): StepSeries | undefined {
  const values = new Float64Array(steps);
  const present = new Uint8Array(steps);
  const buckets = new StepBuckets(family.bounds.length);
  for (let step = 0; step < steps; step++) {
    buckets.load(family, step);
    if (buckets.length === 0) continue;
    values[step] = kernel(buckets, step);
    present[step] = 1;
  }
  if (isEmptyColumn(present)) return undefined;
  return { labels, values, present, ...(family.dropName ? { dropName: true } : {}) };
}

/** Quantiles of each family, `reports` being told of repairs. */
function quantileKernel(
  quantiles: Float64Array,
  { told, untold }: { told: MonotonicityReport; untold: MonotonicityReport | undefined },
  { grid }: Evaluator,
): BucketKernel {
  return (buckets, step) => {
    const q = quantiles[step] as number;
    if (q >= 0 && q <= 1 && buckets.hasInfinity) {
      const report = step > 0 && untold !== undefined ? untold : told;
      report.repair(buckets, grid.startMs + step * grid.stepMs);
    }
    return bucketQuantile(q, buckets);
  };
}

/** One report per metric name. */
class Reports {
  readonly #byName = new Map<string, MonotonicityReport>();
  /** Of the steps after the first where all are the same. */
  readonly #untold: MonotonicityReport | undefined;

  constructor(call: CallExpr) {
    this.#untold = isStepInvariant(call) ? new MonotonicityReport() : undefined;
  }

  of(name: string): { told: MonotonicityReport; untold: MonotonicityReport | undefined } {
    const told = this.#byName.get(name) ?? new MonotonicityReport();
    this.#byName.set(name, told);
    return { told, untold: this.#untold };
  }

  annotate(evaluator: Evaluator, span: Span): void {
    for (const [name, report] of this.#byName) report.annotate(name, evaluator.context.annotations, span);
  }
}

interface HistogramInput {
  readonly families: readonly BucketFamily[];
  /** Only the steps with native histograms are present. */
  readonly natives: readonly StepSeries[];
}

/** Tells classic buckets from native histograms. Where both are of the same name and labels neither has a result. */
function inputOf(all: readonly StepSeries[], evaluator: Evaluator, span: Span): HistogramInput {
  const { annotations, options } = evaluator.context;
  const natives: StepSeries[] = [];
  for (const one of all) {
    const { histograms } = one;
    if (histograms === undefined) continue;
    const present = one.present.map((bit, i) => (bit === 1 && histograms[i] !== null ? 1 : 0));
    if (!isEmptyColumn(present)) natives.push({ ...one, present });
  }
  const families = collectFamilies(floatsOnly(all), annotations, span, options.delayedNameRemoval);
  if (natives.length > 0) dropConflicts(families, natives, evaluator, span);
  return { families, natives };
}

function dropConflicts(
  families: readonly BucketFamily[],
  natives: readonly StepSeries[],
  { context, grid }: Evaluator,
  span: Span,
): void {
  const byLabels = new Map(families.map((family) => [family.labels.key(), family]));
  for (const native of natives) {
    const family = byLabels.get(native.labels.key());
    if (family === undefined) continue;
    const classic = anyPresent(family.series, grid.steps);
    for (let step = 0; step < grid.steps; step++) {
      if (native.present[step] !== 1 || classic[step] !== 1) continue;
      native.present[step] = 0;
      for (const bucket of family.series) bucket.present[step] = 0;
      const name = context.options.delayedNameRemoval ? native.labels.metricName : '';
      const text = 'vector contains a mix of classic and native histograms';
      context.annotations.warn(name === '' ? text : `${text} for metric name ${quoteGo(name)}`, span);
    }
  }
}

/** A float of each histogram that is present; undefined when there is none. */
function ofNative(
  native: StepSeries,
  labels: Labels,
  apply: (histogram: FloatHistogram, step: number) => number,
): StepSeries | undefined {
  const { present, dropName } = native;
  if (isEmptyColumn(present)) return undefined;
  const values = new Float64Array(present.length);
  for (let step = 0; step < values.length; step++) {
    const histogram = histogramAt(native, step);
    if (histogram !== undefined) values[step] = apply(histogram, step);
  }
  return { labels, values, present: present.slice(), ...(dropName === true ? { dropName } : {}) };
}

/** Quantiles of all histograms; `labelsOf` says what becomes of their labels. */
function quantilesOf(
  { families, natives }: HistogramInput,
  quantiles: Float64Array,
  labelsOf: (labels: Labels) => Labels,
  reports: Reports,
  evaluator: Evaluator,
  span: Span,
): StepSeries[] {
  const { annotations, options } = evaluator.context;
  const nameOf = (labels: Labels): string => (options.delayedNameRemoval ? labels.metricName : '');
  const results: (StepSeries | undefined)[] = [];
  for (const native of natives) {
    const notes = new SeriesNotes(annotations, span, nameOf(native.labels));
    results.push(
      ofNative(native, labelsOf(native.labels), (histogram, step) =>
        histogramQuantileOf(quantiles[step] as number, histogram, notes),
      ),
    );
  }
  for (const family of families) {
    const kernel = quantileKernel(quantiles, reports.of(nameOf(family.labels)), evaluator);
    results.push(runFamily(family, labelsOf(family.labels), evaluator.grid.steps, kernel));
  }
  return results.filter((one) => one !== undefined);
}

const histogramQuantile: FunctionSpec = {
  perSeries: false,
  evaluate: async (call, evaluator) => {
    const quantiles = await evaluator.scalar(argument(call, 0));
    const span = argumentSpan(call, 1);
    const { series } = await evaluator.vector(argument(call, 1));
    checkQuantile(call, evaluator, 0, quantiles);
    const reports = new Reports(call);
    const input = inputOf(series, evaluator, span);
    const results = quantilesOf(input, quantiles, (labels) => labels, reports, evaluator, span);
    reports.annotate(evaluator, span);
    // Of one name a histogram may be classic at some steps and native at others.
    return named(mergeSameLabels(results), evaluator);
  },
};

const histogramQuantiles: FunctionSpec = {
  perSeries: false,
  evaluate: async (call, evaluator) => {
    const span = argumentSpan(call, 0);
    const { series } = await evaluator.vector(argument(call, 0));
    const label = await stringArgument(call, evaluator, 1);
    if (!isValidLabelName(label)) throw new ExecutionError(`invalid label name ${JSON.stringify(label)}`);
    const columns = await scalarColumns(call, evaluator, 2);
    const input = inputOf(series, evaluator, span);
    const reports = new Reports(call);
    const { delayedNameRemoval } = evaluator.context.options;
    const results: StepSeries[] = [];
    for (const [index, quantiles] of columns.entries()) {
      checkQuantile(call, evaluator, index + 2, quantiles);
      for (const q of new Set(quantiles)) {
        const text = openMetricsFloat(q);
        // The label may be that of the name.
        const labelsOf = (labels: Labels): Labels =>
          new LabelsBuilder(delayedNameRemoval ? labels : withoutMetadata(labels)).set(label, text).labels();
        const found = quantilesOf(input, quantiles, labelsOf, reports, evaluator, span);
        for (const one of found) results.push(atSteps(one, (step) => Object.is(quantiles[step], q)));
      }
    }
    reports.annotate(evaluator, span);
    const left = withoutEmpty(delayedNameRemoval ? dropNames(results, true) : results);
    // Of an instant query with delayed removal equal labels are judged when it ends.
    const isLate = delayedNameRemoval && evaluator.grid.steps === 1;
    return { type: 'vector', series: isLate ? left : mergeSameLabels(left) };
  },
};

/** Only the steps for which `wanted` says so. */
function atSteps(series: StepSeries, wanted: (step: number) => boolean): StepSeries {
  return { ...series, present: series.present.map((bit, step) => (wanted(step) ? bit : 0)) };
}

/** Floats in label values always show that they are floats. */
function openMetricsFloat(value: number): string {
  const text = formatFloatG(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

const histogramFraction: FunctionSpec = {
  perSeries: false,
  evaluate: async (call, evaluator) => {
    const lower = await evaluator.scalar(argument(call, 0));
    const upper = await evaluator.scalar(argument(call, 1));
    const span = argumentSpan(call, 2);
    const { series } = await evaluator.vector(argument(call, 2));
    const { annotations, options } = evaluator.context;
    const { families, natives } = inputOf(series, evaluator, span);
    const results: (StepSeries | undefined)[] = [];
    for (const native of natives) {
      const name = options.delayedNameRemoval ? native.labels.metricName : '';
      const notes = new SeriesNotes(annotations, span, name);
      results.push(
        ofNative(native, native.labels, (histogram, step) =>
          histogramFractionOf(lower[step] as number, upper[step] as number, histogram, notes),
        ),
      );
    }
    for (const family of families) {
      const kernel: BucketKernel = (buckets, step) =>
        bucketFraction(lower[step] as number, upper[step] as number, buckets);
      results.push(runFamily(family, family.labels, evaluator.grid.steps, kernel));
    }
    return named(mergeSameLabels(results.filter((one) => one !== undefined)), evaluator);
  },
};

const nameOnly: ReadonlySet<string> = new Set([metricNameLabel]);

/** A float of each native histogram; floats have no result. */
function ofHistogram(apply: (histogram: FloatHistogram) => number): FunctionSpec {
  return {
    perSeries: true,
    evaluate: async (call, evaluator) => {
      const { series } = await evaluator.vector(argument(call, 0));
      const results: StepSeries[] = [];
      for (const one of series) {
        const { histograms } = one;
        if (histograms === undefined) continue;
        const present = one.present.map((bit, i) => (bit === 1 && histograms[i] !== null ? 1 : 0));
        const result = ofNative({ ...one, present }, one.labels, apply);
        if (result !== undefined) results.push(result);
      }
      if (evaluator.context.options.delayedNameRemoval) return named(results, evaluator);
      // Unlike all other functions these leave the labels for type and unit, until the end of the query.
      const unnamed = results.map((one) => ({ ...one, labels: one.labels.without(nameOnly) }));
      return { type: 'vector', series: mergeSameLabels(unnamed) };
    },
  };
}

export const histogramFunctions: FunctionFamily<
  | 'histogram_quantile'
  | 'histogram_quantiles'
  | 'histogram_fraction'
  | 'histogram_count'
  | 'histogram_sum'
  | 'histogram_avg'
  | 'histogram_stddev'
  | 'histogram_stdvar'
> = {
  histogram_quantile: histogramQuantile,
  histogram_quantiles: histogramQuantiles,
  histogram_fraction: histogramFraction,
  histogram_count: ofHistogram(({ count }) => count),
  histogram_sum: ofHistogram(({ sum }) => sum),
  histogram_avg: ofHistogram(({ sum, count }) => sum / count),
  histogram_stddev: ofHistogram((histogram) => Math.sqrt(histogramVariance(histogram))),
  histogram_stdvar: ofHistogram(histogramVariance),
};
