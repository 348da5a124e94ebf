/**
 * Functions that order an instant query's result. A range query's result is ordered by labels anyway, so there
 * they only warn.
 */
import type { Labels } from '../../model/index.ts';
import type { Evaluator } from '../eval/context.ts';
import { floatsOnly } from '../eval/values.ts';
import { isStepInvariant } from '../parse/step_invariant.ts';
import type { CallExpr } from '../parse/tree.ts';
import type { StepSeries } from '../types.ts';
import { argument, type FunctionFamily, type FunctionSpec, stringArgument } from './function.ts';
import { compareNatural } from './natural_order.ts';

function warnInRange(call: CallExpr, evaluator: Evaluator): void {
  const { startMs, endMs = startMs, steps } = evaluator.grid;
  if ((steps === 1 && endMs === startMs) || isStepInvariant(call)) return;
  evaluator.context.annotations.warn(
    'sort is ineffective for range queries since results are always ordered by labels',
    call.span,
  );
}

/** NaN goes last in both directions; histograms, which have no order, are left out. */
function byValue(sign: 1 | -1): FunctionSpec {
  return {
    perSeries: false,
    evaluate: async (call, evaluator) => {
      const series = floatsOnly((await evaluator.vector(argument(call, 0))).series);
      warnInRange(call, evaluator);
      const first = (one: StepSeries): number => one.values[0] as number;
      series.sort((a, b) => {
        const x = first(a);
        const y = first(b);
        if (Number.isNaN(x) || Number.isNaN(y)) return (Number.isNaN(x) ? 1 : 0) - (Number.isNaN(y) ? 1 : 0);
        return sign * (x - y) || 0;
      });
      return { type: 'vector', series };
    },
  };
}

function byLabel(sign: 1 | -1): FunctionSpec {
  return {
    perSeries: false,
    evaluate: async (call, evaluator) => {
      const names: string[] = [];
      for (let i = 1; i < call.args.length; i++) names.push(await stringArgument(call, evaluator, i));
      const { series } = await evaluator.vector(argument(call, 0));
      warnInRange(call, evaluator);
      series.sort((a, b) => sign * compareLabels(a.labels, b.labels, names));
      return { type: 'vector', series };
    },
  };
}

function compareLabels(a: Labels, b: Labels, names: readonly string[]): number {
  for (const name of names) {
    const order = compareNatural(a.get(name), b.get(name));
    if (order !== 0) return order;
  }
  return a.compare(b);
}

export const sortFunctions: FunctionFamily<'sort' | 'sort_desc' | 'sort_by_label' | 'sort_by_label_desc'> = {
  sort: byValue(1),
  sort_desc: byValue(-1),
  sort_by_label: byLabel(1),
  sort_by_label_desc: byLabel(-1),
};
