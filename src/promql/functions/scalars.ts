/**
 * Between scalars and vectors: scalar, vector, time, timestamp, pi, min_of, max_of, and the query's own times.
 */
import { Labels } from '../../model/index.ts';
import type { Evaluator } from '../eval/context.ts';
import { evaluateSelector } from '../eval/selector.ts';
import { floatsOnly } from '../eval/values.ts';
import { unwrapParens } from '../parse/tree.ts';
import { argument, type FunctionFamily, type FunctionSpec, named, scalarColumns } from './function.ts';
import { goMax, goMin } from './go_extrema.ts';

/** The float of the only series that has one at each step, NaN unless there is exactly one. */
const scalar: FunctionSpec = {
  perSeries: false,
  evaluate: async (call, evaluator) => {
    const series = floatsOnly((await evaluator.vector(argument(call, 0))).series);
    const values = new Float64Array(evaluator.grid.steps).fill(Number.NaN);
    const counts = new Uint32Array(evaluator.grid.steps);
    for (const one of series) {
      for (let i = 0; i < values.length; i++) {
        if (one.present[i] !== 1) continue;
        counts[i] = (counts[i] as number) + 1;
        values[i] = counts[i] === 1 ? (one.values[i] as number) : Number.NaN;
      }
    }
    return { type: 'scalar', values };
  },
};

const vector: FunctionSpec = {
  perSeries: false,
  evaluate: async (call, evaluator) => {
    const values = await evaluator.scalar(argument(call, 0));
    const present = new Uint8Array(values.length).fill(1);
    return { type: 'vector', series: [{ labels: Labels.empty, values, present }] };
  },
};

function stepSeconds({ grid }: Evaluator): Float64Array {
  const values = new Float64Array(grid.steps);
  for (let i = 0; i < values.length; i++) values[i] = (grid.startMs + i * grid.stepMs) / 1000;
  return values;
}

/** Of a bare selector the samples' own times, of anything else the evaluation time. */
const timestamp: FunctionSpec = {
  perSeries: true,
  evaluate: async (call, evaluator) => {
    const arg = unwrapParens(argument(call, 0));
    if (arg.kind === 'vector') {
      const { series } = await evaluateSelector(arg, evaluator, 'timestamps');
      return named(series, evaluator);
    }
    const { series } = await evaluator.vector(arg);
    const seconds = stepSeconds(evaluator);
    const results = series.map(({ histograms: _, ...one }) => ({ ...one, values: seconds.slice() }));
    return named(results, evaluator);
  },
};

/** Of a bare selector the samples' start times, 0 where unknown; of anything else nothing. */
const startTimestamp: FunctionSpec = {
  perSeries: true,
  evaluate: async (call, evaluator) => {
    const arg = unwrapParens(argument(call, 0));
    if (arg.kind !== 'vector') await evaluator.vector(arg);
    if (arg.kind !== 'vector' || !evaluator.context.options.useStartTimes) {
      return { type: 'vector', series: [] };
    }
    const { series } = await evaluateSelector(arg, evaluator, 'startTimes');
    return named(series, evaluator);
  },
};

function constant(value: (evaluator: Evaluator) => number): FunctionSpec {
  return {
    perSeries: false,
    evaluate: async (_call, evaluator) => ({
      type: 'scalar',
      values: new Float64Array(evaluator.grid.steps).fill(value(evaluator)),
    }),
  };
}

function ofTwo(choose: (a: number, b: number) => number): FunctionSpec {
  return {
    perSeries: false,
    evaluate: async (call, evaluator) => {
      const [left, right] = await scalarColumns(call, evaluator, 0);
      const values = new Float64Array(evaluator.grid.steps);
      for (let i = 0; i < values.length; i++) values[i] = choose(left?.[i] as number, right?.[i] as number);
      return { type: 'scalar', values };
    },
  };
}

export const scalarFunctions: FunctionFamily<
  | 'scalar'
  | 'vector'
  | 'timestamp'
  | 'start_timestamp'
  | 'time'
  | 'pi'
  | 'start'
  | 'end'
  | 'range'
  | 'step'
  | 'min_of'
  | 'max_of'
> = {
  scalar,
  vector,
  timestamp,
  start_timestamp: startTimestamp,
  time: {
    perSeries: false,
    evaluate: async (_call, evaluator) => ({ type: 'scalar', values: stepSeconds(evaluator) }),
  },
  pi: constant(() => Math.PI),
  start: constant(({ context }) => context.times.startMs / 1000),
  end: constant(({ context }) => context.times.endMs / 1000),
  range: constant(({ context }) => context.times.rangeMs / 1000),
  step: constant(({ context }) => context.times.stepMs / 1000),
  min_of: ofTwo(goMin),
  max_of: ofTwo(goMax),
};
