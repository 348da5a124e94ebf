import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Labels } from '../../model/index.ts';
import type { Grid } from '../eval/grid.ts';
import { isRising } from '../eval/raw.ts';
import { SampleCounts } from '../eval/sample_counts.ts';
import { StepWindowsCache } from '../eval/step_windows.ts';
import { type RangeShape, runWindows, type Window, type WindowKernel } from '../eval/windows.ts';
import {
  type ColumnKernel,
  countColumn,
  extrapolatedColumn,
  extremumColumn,
  lastColumn,
  lastTwoColumn,
  sumColumn,
} from './column_kernels.ts';
import { extrapolated, ofLastTwo } from './extrapolation.ts';

const shift = { atMs: undefined, offsetMs: 5_000 };

function ofWindow(compute: (values: Float64Array) => number): WindowKernel {
  return (window: Window) => {
    window.result = compute(window.values.subarray(window.from, window.to));
    return true;
  };
}

const plainSum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
const better =
  (isMax: boolean) =>
  (a: number, b: number): number =>
    (isMax ? b > a : b < a) || Number.isNaN(a) ? b : a;
const marked = (values: Float64Array, from: number, to: number): number =>
  plainSum(values.subarray(from, to));

const kernels: readonly (readonly [name: string, column: ColumnKernel, windows: WindowKernel])[] = [
  ['rate', extrapolatedColumn(true, true), extrapolated(true, true)],
  ['increase', extrapolatedColumn(true, false), extrapolated(true, false)],
  ['delta', extrapolatedColumn(false, false), extrapolated(false, false)],
  ['irate', lastTwoColumn(true), ofLastTwo(true)],
  ['idelta', lastTwoColumn(false), ofLastTwo(false)],
  ['min', extremumColumn(false), ofWindow((values) => values.reduce(better(false)))],
  ['max', extremumColumn(true), ofWindow((values) => values.reduce(better(true)))],
  ['count', countColumn, ofWindow(({ length }) => length)],
  ['last', lastColumn, ofWindow((values) => values.at(-1) as number)],
];

const value = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -50, max: 1000 }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 1e308, -1e308, 0, -0, 1e17) },
);
const series = fc.array(fc.tuple(fc.integer({ min: 1, max: 40_000 }), value), { maxLength: 60 });
const grids = fc.record({
  startMs: fc.integer({ min: 0, max: 100_000 }),
  stepMs: fc.integer({ min: 1, max: 60_000 }),
  steps: fc.integer({ min: 0, max: 40 }),
});

function columnsOf(list: readonly [number, number][]): { timestamps: Float64Array; values: Float64Array } {
  let atMs = 0;
  const timestamps = Float64Array.from(list, ([gapMs]) => {
    atMs += gapMs;
    return atMs;
  });
  return { timestamps, values: Float64Array.from(list, ([, one]) => one) };
}

function compute(kernel: ColumnKernel, cache: StepWindowsCache, list: [number, number][], { steps }: Grid) {
  const { timestamps, values } = columnsOf(list);
  const windows = cache.of(timestamps);
  const { present, count } = windows.withAtLeast(kernel.samplesMin);
  assert.equal(count, plainSum(Float64Array.from(present)));
  const rises = kernel.isCounter === true && isRising(values);
  const results = new Float64Array(steps);
  kernel.fill(values, windows, results, rises);
  // What a step without a result has does not count.
  return { values: results.map((one, i) => (present[i] === 1 ? one : 0)), present };
}

test('a kernel of whole columns gives what that of windows gives, for series after series', () => {
  fc.assert(
    fc.property(
      fc.array(series, { maxLength: 4 }),
      grids,
      fc.integer({ min: 1, max: 200_000 }),
      (all, grid, rangeMs) => {
        const range: RangeShape = { shift, rangeMs, lookbackMs: 0 };
        for (const [name, column, windows] of kernels) {
          const cache = new StepWindowsCache(grid, shift, rangeMs);
          // The same times again, as series of one target have them.
          for (const list of all.flatMap((one) => [one, one])) {
            const expected = { values: new Float64Array(grid.steps), present: new Uint8Array(grid.steps) };
            runWindows({ labels: Labels.empty, ...columnsOf(list) }, range, grid, windows, [], {
              ...expected,
              counts: new SampleCounts(),
            });
            const { values, present } = compute(column, cache, list, grid);
            assert.deepEqual({ values, present }, expected, name);
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a sum by running sums is exact where they are used', () => {
  fc.assert(
    fc.property(series, grids, fc.integer({ min: 1, max: 200_000 }), (list, grid, rangeMs) => {
      const cache = new StepWindowsCache(grid, shift, rangeMs);
      const { values } = compute(sumColumn(false, marked), cache, list, grid);
      const { values: means } = compute(sumColumn(true, marked), cache, list, grid);
      const { from, to } = cache.of(columnsOf(list).timestamps);
      const samples = columnsOf(list).values;
      for (let step = 0; step < grid.steps; step++) {
        const window = samples.subarray(from[step], to[step]);
        // Of integers, and so exact, if no value is huge.
        if (window.some((one) => !(Math.abs(one) < 1e6))) continue;
        assert.equal(values[step], plainSum(window) + 0);
        if (window.length > 0 && values[step] !== 0 && samples.every((one) => Math.abs(one) < 1e6)) {
          assert.equal(means[step], plainSum(window) / window.length);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('what running sums can not tell exactly is summed window by window', () => {
  const told: number[] = [];
  const remember = (_values: Float64Array, from: number): number => {
    told.push(from);
    return 7;
  };
  const grid = { startMs: 1000, stepMs: 1000, steps: 5 };
  const timestamps = Float64Array.of(1000, 2000, 3000, 4000, 5000);
  const samples = Float64Array.of(1e30, 1, 0, Number.NaN, 2);
  const windows = new StepWindowsCache(grid, { atMs: undefined, offsetMs: 0 }, 1000).of(timestamps);
  const values = new Float64Array(5);
  sumColumn(false, remember).fill(samples, windows, values, false);
  // Beside 1e30 the others are lost.
  assert.deepEqual([...values], [1e30, 7, 7, 7, 7]);
  assert.deepEqual(told, [1, 2, 3, 4]);
});

test('values before resets are added one after the other, as they come', () => {
  const grid = { startMs: 3000, stepMs: 1000, steps: 1 };
  const timestamps = Float64Array.of(1000, 2000, 3000);
  const windows = new StepWindowsCache(grid, { atMs: undefined, offsetMs: 0 }, 3000).of(timestamps);
  const values = new Float64Array(1);
  extrapolatedColumn(false, false).fill(Float64Array.of(1e300, 5, 0), windows, values, false);
  assert.equal(values[0], -1e300 * 1.5);
  extrapolatedColumn(true, false).fill(Float64Array.of(1e300, 5, 0), windows, values, false);
  assert.equal(values[0], 5 * 1.5);
});
