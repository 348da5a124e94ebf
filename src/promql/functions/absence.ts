/**
 * absent and absent_over_time: 1 at the steps at which nothing was found, with the labels that the selector's
 * equality matchers imply.
 */
import { type Labels, LabelsBuilder, MatchType, metricNameLabel } from '../../model/index.ts';
import type { Evaluator } from '../eval/context.ts';
import { isEmptyColumn, type VectorValue } from '../eval/values.ts';
import type { RangeShape } from '../eval/windows.ts';
import { type Expr, unwrapParens } from '../parse/tree.ts';
import type { StepSeries } from '../types.ts';
import { argument, checkExtension, type FunctionFamily } from './function.ts';
import { allWindowed } from './windowed_series.ts';

/** A label that is matched more than once, or otherwise than by equality, is left out. */
function impliedLabels(expr: Expr): Labels {
  const node = unwrapParens(expr);
  const selector = node.kind === 'matrix' ? node.selector : node;
  const builder = new LabelsBuilder();
  if (selector.kind !== 'vector') return builder.labels();
  const seen = new Set<string>();
  for (const { name, type, value } of selector.matchers) {
    if (name === metricNameLabel) continue;
    if (type === MatchType.Equal && !seen.has(name)) {
      builder.set(name, value);
      seen.add(name);
    } else builder.delete(name);
  }
  return builder.labels();
}

function absence(found: readonly StepSeries[], expr: Expr, { grid }: Evaluator): VectorValue {
  const present = new Uint8Array(grid.steps).fill(1);
  for (const one of found) for (let i = 0; i < present.length; i++) if (one.present[i] === 1) present[i] = 0;
  if (isEmptyColumn(present)) return { type: 'vector', series: [] };
  const values = new Float64Array(grid.steps).fill(1);
  return { type: 'vector', series: [{ labels: impliedLabels(expr), values, present }] };
}

const anySample = { floats: () => true, mixed: () => 1, usesStartTimes: false };

export const absenceFunctions: FunctionFamily<'absent' | 'absent_over_time'> = {
  absent: {
    perSeries: false,
    evaluate: async (call, evaluator) => {
      const arg = argument(call, 0);
      const { series } = await evaluator.vector(arg);
      return absence(series, arg, evaluator);
    },
  },
  absent_over_time: {
    perSeries: false,
    evaluate: async (call, evaluator) => {
      const arg = argument(call, 0);
      const accept = (range: RangeShape): void => checkExtension(call, range, []);
      const run = { kernels: anySample, args: [], span: call.span, accept };
      const found = await allWindowed(arg, evaluator, run);
      return absence(found, arg, evaluator);
    },
  },
};
