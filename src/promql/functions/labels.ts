/**
 * Functions that rewrite labels: label_replace and label_join. They see metric names that are only marked for
 * removal.
 */
import {
  AnchoredRegex,
  isValidLabelName,
  type Labels,
  LabelsBuilder,
  metricNameLabel,
} from '../../model/index.ts';
import { ExecutionError } from '../errors.ts';
import { mergeSameLabels, type VectorValue } from '../eval/values.ts';
import type { StepSeries } from '../types.ts';
import { argument, type FunctionFamily, type FunctionSpec, stringArgument } from './function.ts';

/** Sets a label of each series for which `valueFor` gives a value; '' deletes it. */
function relabelled(
  series: readonly StepSeries[],
  target: string,
  valueFor: (labels: Labels) => string | undefined,
): VectorValue {
  const results = series.map((one) => {
    const value = valueFor(one.labels);
    if (value === undefined) return one;
    const labels = new LabelsBuilder(one.labels).set(target, value).labels();
    // A name that was set here is meant to stay.
    const { dropName, ...rest } = one;
    return { ...rest, labels, ...(dropName === true && target !== metricNameLabel ? { dropName } : {}) };
  });
  return { type: 'vector', series: mergeSameLabels(results) };
}

function compileRegex(pattern: string): AnchoredRegex {
  try {
    return AnchoredRegex.compile(pattern);
  } catch (cause) {
    throw new ExecutionError(`invalid regular expression in label_replace(): ${pattern}`, { cause });
  }
}

const labelReplace: FunctionSpec = {
  perSeries: false,
  evaluate: async (call, evaluator) => {
    const target = await stringArgument(call, evaluator, 1);
    const replacement = await stringArgument(call, evaluator, 2);
    const source = await stringArgument(call, evaluator, 3);
    const regex = compileRegex(await stringArgument(call, evaluator, 4));
    if (!isValidLabelName(target)) {
      throw new ExecutionError(`invalid destination label name in label_replace(): ${target}`);
    }
    const { series } = await evaluator.vector(argument(call, 0));
    return relabelled(series, target, (labels) => regex.expand(labels.get(source), replacement));
  },
};

const labelJoin: FunctionSpec = {
  perSeries: false,
  evaluate: async (call, evaluator) => {
    const target = await stringArgument(call, evaluator, 1);
    const separator = await stringArgument(call, evaluator, 2);
    const sources: string[] = [];
    for (let i = 3; i < call.args.length; i++) {
      const source = await stringArgument(call, evaluator, i);
      if (!isValidLabelName(source)) {
        throw new ExecutionError(`invalid source label name in label_join(): ${source}`);
      }
      sources.push(source);
    }
    if (!isValidLabelName(target)) {
      throw new ExecutionError(`invalid destination label name in label_join(): ${target}`);
    }
    const { series } = await evaluator.vector(argument(call, 0));
    return relabelled(series, target, (labels) => sources.map((name) => labels.get(name)).join(separator));
  },
};

export const labelFunctions: FunctionFamily<'label_replace' | 'label_join'> = {
  label_replace: labelReplace,
  label_join: labelJoin,
};
