/**
 * Change of a series over a window: rate, increase and delta with extrapolation to the window's edges, irate and
 * idelta of the last two samples, resets and changes.
 */
import { quoteGo } from '../../model/index.ts';
import type { Evaluator } from '../eval/context.ts';
import type { Extension } from '../eval/extended.ts';
import type { Window, WindowKernel } from '../eval/windows.ts';
import type { CallExpr } from '../parse/tree.ts';
import type { StepSeries } from '../types.ts';
import { extrapolatedColumn, lastTwoColumn } from './column_kernels.ts';
import { extrapolated, ofLastTwo } from './extrapolation.ts';
import { argumentSpan, type FunctionFamily, windowed } from './function.ts';
import { extrapolatedMixed, ofLastTwoMixed } from './mixed_rates.ts';
import { changesMixed, resetsMixed } from './mixed_steps.ts';

/** The first sample that counts: of an anchored window its anchor. Undefined when none is after the start. */
function firstIndex(window: Window): number | undefined {
  if (window.extension === undefined) return window.from;
  const { timestamps, startMs, to } = window;
  let after = window.from;
  while (after < to && (timestamps[after] as number) <= startMs) after++;
  return after === to ? undefined : Math.max(window.from, after - 1);
}

const resets: WindowKernel = (window) => {
  const first = firstIndex(window);
  if (first === undefined) return false;
  let count = 0;
  for (let i = first + 1; i < window.to; i++) {
    if ((window.values[i] as number) < (window.values[i - 1] as number)) count++;
  }
  window.result = count;
  return true;
};

const changes: WindowKernel = (window) => {
  const first = firstIndex(window);
  if (first === undefined) return false;
  let count = 0;
  for (let i = first + 1; i < window.to; i++) {
    const value = window.values[i] as number;
    const previous = window.values[i - 1] as number;
    if (value !== previous && (!Number.isNaN(value) || !Number.isNaN(previous))) count++;
  }
  window.result = count;
  return true;
};

const counterName = /_(?:total|sum|count|bucket)$/;
const counterTypes: ReadonlySet<string> = new Set(['counter', 'histogram']);

/** Tells of metrics that are no counters by their names, or by their types where series carry these. */
function inspectCounter(call: CallExpr, evaluator: Evaluator, series: StepSeries): void {
  const name = series.labels.metricName;
  // Histograms tell themselves whether they are counters.
  if (!hasFloat(series)) return;
  if (name === '') return;
  const { annotations, options } = evaluator.context;
  const type = series.labels.get('__type__');
  if (options.typeLabels ? counterTypes.has(type) : counterName.test(name)) return;
  const reason = options.typeLabels
    ? `__type__ label is not set to "counter" or "histogram", got ${quoteGo(type)}`
    : 'name does not end in _total/_sum/_count/_bucket';
  const text = `metric might not be a counter, ${reason}: ${quoteGo(name)}`;
  annotations.info(text, argumentSpan(call, 0));
}

function hasFloat({ histograms, present }: StepSeries): boolean {
  return histograms === undefined || present.some((bit, i) => bit === 1 && histograms[i] === null);
}

const both: readonly Extension[] = ['anchored', 'smoothed'];

export const rateFunctions: FunctionFamily<
  'rate' | 'increase' | 'delta' | 'irate' | 'idelta' | 'resets' | 'changes'
> = {
  rate: windowed(extrapolated(true, true), {
    inspect: inspectCounter,
    extensions: both,
    mixed: extrapolatedMixed(true, true),
    column: extrapolatedColumn(true, true),
    usesStartTimes: true,
  }),
  increase: windowed(extrapolated(true, false), {
    inspect: inspectCounter,
    extensions: both,
    mixed: extrapolatedMixed(true, false),
    column: extrapolatedColumn(true, false),
    usesStartTimes: true,
  }),
  delta: windowed(extrapolated(false, false), {
    extensions: both,
    mixed: extrapolatedMixed(false, false),
    column: extrapolatedColumn(false, false),
  }),
  irate: windowed(ofLastTwo(true), {
    mixed: ofLastTwoMixed(true),
    column: lastTwoColumn(true),
    usesStartTimes: true,
  }),
  idelta: windowed(ofLastTwo(false), { mixed: ofLastTwoMixed(false), column: lastTwoColumn(false) }),
  resets: windowed(resets, { extensions: ['anchored'], mixed: resetsMixed, usesStartTimes: true }),
  changes: windowed(changes, { extensions: ['anchored'], mixed: changesMixed }),
};
