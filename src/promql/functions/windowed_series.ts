/**
 * Runs a function of windows over the series of a range vector, one after the other: each series is looked at once, while
 * it is in the processor's cache, and where results only pass by no column of any series is kept.
 */
import type { Evaluator } from '../eval/context.ts';
import { type MixedKernel, runMixedWindows } from '../eval/mixed_windows.ts';
import { SeriesNotes } from '../eval/notes.ts';
import { isRising, withoutStale } from '../eval/raw.ts';
import { type ColumnSource, StepColumns } from '../eval/step_columns.ts';
import { StepWindowsCache } from '../eval/step_windows.ts';
import { sampleCount, type TakeSeries } from '../eval/values.ts';
import {
  type RangeSeries,
  type RangeShape,
  type RangeSource,
  rangeSource,
  runWindows,
  type WindowKernel,
} from '../eval/windows.ts';
import type { Expr, Span } from '../parse/tree.ts';
import type { StepSeries } from '../types.ts';
import type { ColumnKernel } from './column_kernels.ts';

/** What is done with each series. */
export interface SeriesKernels {
  readonly floats: WindowKernel;
  /** The same as `floats` for series of plain floats whose windows are not extended. */
  readonly column?: ColumnKernel | undefined;
  readonly mixed: MixedKernel;
  readonly usesStartTimes: boolean;
}

export interface WindowedRun {
  readonly kernels: SeriesKernels;
  /** The other arguments, a column each. */
  readonly args: readonly Float64Array[];
  /** What annotations point to. */
  readonly span: Span;
  /** Where results are put. */
  readonly cells: ColumnSource;
  /** Throws ExecutionError when the function does not take such a range vector. */
  readonly accept: (range: RangeShape) => void;
}

/** Hands out one result for each series that has any. `expr` is of type range vector. */
export async function eachWindowed(
  expr: Expr,
  evaluator: Evaluator,
  run: WindowedRun,
  take: TakeSeries,
): Promise<void> {
  const source = rangeSource(expr, evaluator);
  run.accept(source.range);
  const runner = new SeriesRunner(source, evaluator, run, take);
  await source.each((series) => runner.run(series));
}

/** The same with columns to keep. */
export async function allWindowed(
  expr: Expr,
  evaluator: Evaluator,
  run: Omit<WindowedRun, 'cells'>,
): Promise<StepSeries[]> {
  const series: StepSeries[] = [];
  const cells = new StepColumns(evaluator);
  await eachWindowed(expr, evaluator, { ...run, cells }, (one) => series.push(one));
  return series;
}

class SeriesRunner {
  readonly #range: RangeShape;
  readonly #isRaw: boolean;
  readonly #evaluator: Evaluator;
  readonly #run: WindowedRun;
  readonly #take: TakeSeries;
  readonly #windows: StepWindowsCache;
  readonly #column: ColumnKernel | undefined;
  readonly #usesStartTimes: boolean;

  constructor({ range, isRaw }: RangeSource, evaluator: Evaluator, run: WindowedRun, take: TakeSeries) {
    const { grid, context } = evaluator;
    this.#range = range;
    this.#isRaw = isRaw;
    this.#evaluator = evaluator;
    this.#run = run;
    this.#take = take;
    this.#windows = new StepWindowsCache(grid, range.shift, range.rangeMs);
    this.#column = range.extension === undefined ? run.kernels.column : undefined;
    this.#usesStartTimes = run.kernels.usesStartTimes && context.options.useStartTimes;
  }

  run(columns: RangeSeries): void {
    const isMixed =
      columns.histograms !== undefined || (this.#usesStartTimes && columns.startTimes !== undefined);
    if (isMixed) this.#mixed(this.#clean(columns));
    else if (this.#column === undefined) this.#floats(this.#clean(columns));
    else this.#whole(columns, this.#column);
  }

  #clean(columns: RangeSeries): RangeSeries {
    return this.#isRaw ? withoutStale(columns) : columns;
  }

  #whole(columns: RangeSeries, { samplesMin, isCounter, fill }: ColumnKernel): void {
    const { context } = this.#evaluator;
    const rises = isCounter === true && isRising(columns.values);
    const { labels, values, timestamps, dropName } = rises ? columns : this.#clean(columns);
    const windows = this.#windows.of(timestamps);
    const coverage = windows.withAtLeast(samplesMin);
    context.holdBriefly(windows.windowMax);
    this.#evaluator.counts.addWindows(windows.from, windows.to, windows.samples);
    if (coverage.count === 0) return;
    const cells = this.#run.cells.nextCovering(coverage);
    fill(values, windows, cells.values, rises);
    context.hold(coverage.count);
    context.holdBriefly(windows.lastCount);
    this.#give({ labels, values: cells.values, present: cells.present }, dropName);
  }

  #floats(columns: RangeSeries): void {
    const { context, grid, counts } = this.#evaluator;
    const { kernels, args, cells } = this.#run;
    const { values, present } = cells.next();
    const { count, windowMax, lastCount } = runWindows(columns, this.#range, grid, kernels.floats, args, {
      values,
      present,
      counts,
    });
    context.holdBriefly(windowMax);
    if (count === 0) return;
    context.hold(count);
    context.holdBriefly(lastCount);
    this.#give({ labels: columns.labels, values, present }, columns.dropName);
  }

  #mixed(columns: RangeSeries): void {
    const { context, grid, counts } = this.#evaluator;
    const { kernels, args, span } = this.#run;
    const notes = new SeriesNotes(context.annotations, span, columns.labels.metricName);
    // Start times that don't matter are not for the kernel to see.
    const { startTimes, ...rest } = columns;
    const { windowMax, lastCount, ...result } = runMixedWindows(
      this.#usesStartTimes && startTimes !== undefined ? columns : rest,
      this.#range,
      grid,
      kernels.mixed,
      args,
      { notes, counts },
    );
    context.holdBriefly(windowMax);
    if (!result.present.includes(1)) return;
    const series = { labels: columns.labels, ...result };
    context.hold(sampleCount([series]));
    context.holdBriefly(lastCount);
    this.#give(series, columns.dropName);
  }

  #give(series: StepSeries, dropName: boolean | undefined): void {
    this.#take(dropName === true ? { ...series, dropName } : series);
  }
}
