/**
 * count_values: how many series of a group have each value; the value becomes a label.
 */
import { formatFloat, isValidLabelName, LabelsBuilder } from '../../../model/index.ts';
import { ExecutionError } from '../../errors.ts';
import { quote } from '../../parse/literals.ts';
import type { AggregateExpr } from '../../parse/tree.ts';
import type { StepSeries } from '../../types.ts';
import { groupLabels } from './grouping.ts';

/** One series for each group and value, with the value as label `label`. Throws ExecutionError for a bad label name. */
export function countValues(expr: AggregateExpr, label: string, series: readonly StepSeries[]): StepSeries[] {
  if (!isValidLabelName(label)) throw new ExecutionError(`invalid label name ${quote(label)}`);
  const grouping = expr.without ? expr.grouping : [...expr.grouping, label];
  const reduce = groupLabels({ grouping, without: expr.without });
  const results = new Map<string, StepSeries>();
  for (const { labels, values, present } of series) {
    // Most series repeat values, so the labels of each value are made once.
    const byValue = new Map<number, StepSeries>();
    for (let i = 0; i < values.length; i++) {
      if (present[i] !== 1) continue;
      const value = values[i] as number;
      let result = byValue.get(value);
      if (result === undefined) {
        const reduced = reduce(new LabelsBuilder(labels).set(label, formatFloat(value)).labels());
        result = results.get(reduced.key());
        if (result === undefined) {
          result = {
            labels: reduced,
            values: new Float64Array(values.length),
            present: new Uint8Array(values.length),
          };
          results.set(reduced.key(), result);
        }
        byValue.set(value, result);
      }
      result.values[i] = (result.values[i] as number) + 1;
      result.present[i] = 1;
    }
  }
  return [...results.values()];
}
