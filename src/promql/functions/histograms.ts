/**
 * Functions of histograms. Classic ones (buckets by `le`) are computed here. Of native ones there are none yet:
 * selectors refuse them, so functions that take only those see floats, which they ignore.
 */
import { formatFloatG, isValidLabelName, type Labels, LabelsBuilder } from '../../model/index.ts';
import { ExecutionError } from '../errors.ts';
import type { Evaluator } from '../eval/context.ts';
import { isEmptyColumn } from '../eval/values.ts';
import type { Span } from '../parse/tree.ts';
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
  checkQuantile,
  type FunctionFamily,
  type FunctionSpec,
  named,
  scalarColumns,
  stringArgument,
} from './function.ts';

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
  report: MonotonicityReport,
  { grid }: Evaluator,
): BucketKernel {
  return (buckets, step) => {
    const q = quantiles[step] as number;
    if (q >= 0 && q <= 1 && buckets.hasInfinity) report.repair(buckets, grid.startMs + step * grid.stepMs);
    return bucketQuantile(q, buckets);
  };
}

/** One report per metric name. */
class Reports {
  readonly #byName = new Map<string, MonotonicityReport>();

  of(name: string): MonotonicityReport {
    const report = this.#byName.get(name) ?? new MonotonicityReport();
    this.#byName.set(name, report);
    return report;
  }

  annotate(evaluator: Evaluator, span: Span): void {
    for (const [name, report] of this.#byName) report.annotate(name, evaluator.context.annotations, span);
  }
}

function familiesOf(series: readonly StepSeries[], evaluator: Evaluator, span: Span): BucketFamily[] {
  const { annotations, options } = evaluator.context;
  return collectFamilies(series, annotations, span, options.delayedNameRemoval);
}

const histogramQuantile: FunctionSpec = {
  perSeries: false,
  evaluate: async (call, evaluator) => {
    const quantiles = await evaluator.scalar(argument(call, 0));
    const { span } = argument(call, 1);
    const { series } = await evaluator.vector(argument(call, 1));
    checkQuantile(call, evaluator, 0, quantiles);
    const reports = new Reports();
    const results: StepSeries[] = [];
    for (const family of familiesOf(series, evaluator, span)) {
      const name = evaluator.context.options.delayedNameRemoval ? family.labels.metricName : '';
      const kernel = quantileKernel(quantiles, reports.of(name), evaluator);
      const result = runFamily(family, family.labels, evaluator.grid.steps, kernel);
      if (result !== undefined) results.push(result);
    }
    reports.annotate(evaluator, span);
    return named(results, evaluator);
  },
};

const histogramQuantiles: FunctionSpec = {
  perSeries: false,
  evaluate: async (call, evaluator) => {
    const { span } = argument(call, 0);
    const { series } = await evaluator.vector(argument(call, 0));
    const label = await stringArgument(call, evaluator, 1);
    if (!isValidLabelName(label)) throw new ExecutionError(`invalid label name ${JSON.stringify(label)}`);
    const columns = await scalarColumns(call, evaluator, 2);
    const families = familiesOf(series, evaluator, span);
    const reports = new Reports();
    const results: StepSeries[] = [];
    for (const [index, quantiles] of columns.entries()) {
      checkQuantile(call, evaluator, index + 2, quantiles);
      for (const family of families) {
        const name = evaluator.context.options.delayedNameRemoval ? family.labels.metricName : '';
        const kernel = quantileKernel(quantiles, reports.of(name), evaluator);
        const q = quantiles[0] as number;
        const labels = new LabelsBuilder(family.labels).set(label, openMetricsFloat(q)).labels();
        const result = runFamily(family, labels, evaluator.grid.steps, kernel);
        if (result !== undefined) results.push(result);
      }
    }
    reports.annotate(evaluator, span);
    return named(results, evaluator);
  },
};

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
    const { series } = await evaluator.vector(argument(call, 2));
    const results: StepSeries[] = [];
    for (const family of familiesOf(series, evaluator, argument(call, 2).span)) {
      const result = runFamily(family, family.labels, evaluator.grid.steps, (buckets, step) =>
        bucketFraction(lower[step] as number, upper[step] as number, buckets),
      );
      if (result !== undefined) results.push(result);
    }
    return named(results, evaluator);
  },
};

/** Takes native histograms only: floats have no result. */
const ofNativeOnly: FunctionSpec = {
  perSeries: true,
  evaluate: async (call, evaluator) => {
    await evaluator.vector(argument(call, 0));
    return { type: 'vector', series: [] };
  },
};

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
  histogram_count: ofNativeOnly,
  histogram_sum: ofNativeOnly,
  histogram_avg: ofNativeOnly,
  histogram_stddev: ofNativeOnly,
  histogram_stdvar: ofNativeOnly,
};
