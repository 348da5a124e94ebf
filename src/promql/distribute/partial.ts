/**
 * Partial aggregates: what a node answers for the series that it holds, merged by whoever asked. The metric
 * names that an aggregation may still have to drop travel as a mark, as in StepSeries.
 */
import { assert } from '../../base/index.ts';
import type { Labels } from '../../model/index.ts';
import type { Engine, EvaluationOptions } from '../engine.ts';
import { ExecutionError } from '../errors.ts';
import { groupSeries } from '../eval/aggregate/grouping.ts';
import { isEmptyColumn } from '../eval/values.ts';
import { unwrapParens } from '../parse/tree.ts';
import type { QueryRange, RemoteResult, StepSeries, Storage } from '../types.ts';
import { createState, isPartialOp, type PartialOp, type PartialState } from './state.ts';

export interface PartialGroup {
  readonly labels: Labels;
  readonly dropName: boolean;
  readonly state: PartialState;
}

export interface PartialAggregate {
  readonly op: PartialOp;
  readonly startMs: number;
  readonly stepMs: number;
  readonly steps: number;
  readonly groups: readonly PartialGroup[];
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

/** Evaluates a fragment over the series of `storage`. Rejects with a QueryError as Engine.evaluate does. */
export async function evaluatePartial(
  engine: Engine,
  fragmentText: string,
  range: QueryRange,
  storage: Storage,
  signal: AbortSignal,
  options: EvaluationOptions = {},
): Promise<PartialAggregate> {
  const expr = unwrapParens(engine.parse(fragmentText));
  if (expr.kind !== 'aggregate' || !isPartialOp(expr.op)) {
    throw new ExecutionError(`${fragmentText} is no aggregation that can be computed in parts`);
  }
  const { op } = expr;
  const { matrix, warnings, infos } = await engine.evaluateMatrix(
    expr.expr,
    range,
    { storage },
    signal,
    options,
  );
  const { startMs, stepMs, steps } = matrix;
  const groups = groupSeries(matrix.series, expr).map(({ labels, members }) => {
    const state = createState(op, steps);
    for (const member of members) state.accumulator.add(member);
    return { labels, dropName: members.some((member) => member.dropName === true), state };
  });
  return { op, startMs, stepMs, steps, groups, warnings, infos };
}

/** Joins two partial aggregates of one fragment. The operands' states are used up. */
export function mergePartials(a: PartialAggregate, b: PartialAggregate): PartialAggregate {
  assert(
    a.op === b.op && a.startMs === b.startMs && a.stepMs === b.stepMs && a.steps === b.steps,
    'partial aggregates of different fragments cannot be merged',
  );
  const byKey = new Map<string, PartialGroup>();
  for (const group of a.groups) byKey.set(group.labels.key(), group);
  for (const group of b.groups) {
    const key = group.labels.key();
    const same = byKey.get(key);
    if (same === undefined) {
      byKey.set(key, group);
      continue;
    }
    same.state.merge(group.state);
    if (group.dropName && !same.dropName) byKey.set(key, { ...same, dropName: true });
  }
  return {
    ...a,
    groups: [...byKey.values()],
    warnings: [...new Set([...a.warnings, ...b.warnings])],
    infos: [...new Set([...a.infos, ...b.infos])],
  };
}

/** The aggregation's result, groups in label order so that every placement of the data gives the same. */
export function finishPartial(partial: PartialAggregate): RemoteResult {
  const series: StepSeries[] = [];
  for (const { labels, dropName, state } of partial.groups) {
    const { values, present } = state.accumulator.finish();
    if (!isEmptyColumn(present)) series.push({ labels, values, present, ...(dropName ? { dropName } : {}) });
  }
  series.sort((a, b) => a.labels.compare(b.labels));
  const { startMs, stepMs, steps, warnings, infos } = partial;
  return { matrix: { startMs, stepMs, steps, series }, warnings, infos };
}
