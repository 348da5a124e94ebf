/**
 * Partial aggregates: what a node answers for the series that it holds, merged by whoever asked. Both do what the engine
 * does in one place (AggregateState); here are the range it is for, and the annotations that come with it.
 */
import type { Engine, EvaluationOptions } from '../engine.ts';
import { ExecutionError, lineAndColumn } from '../errors.ts';
import type { AggregateState } from '../eval/aggregate/aggregate_state.ts';
import { Annotations } from '../eval/annotations.ts';
import { type Fragment, unwrapParens } from '../parse/tree.ts';
import type { QueryRange, RemoteResult, StepSeries, Storage } from '../types.ts';

export interface PartialAggregate {
  readonly startMs: number;
  readonly stepMs: number;
  readonly state: AggregateState;
  /** With positions in the fragment's text. */
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
  if (expr.kind !== 'aggregate') throw new ExecutionError(`${fragmentText} is no aggregation`);
  const positioned = { ...options, text: fragmentText };
  const { grid, ...partial } = await engine.evaluatePartial(expr, range, { storage }, signal, positioned);
  return { startMs: grid.startMs, stepMs: grid.stepMs, ...partial };
}

/** Joins two partial aggregates of one fragment. The operands' states are used up. */
export function mergePartials(a: PartialAggregate, b: PartialAggregate): PartialAggregate {
  a.state.merge(b.state);
  return {
    ...a,
    warnings: [...new Set([...a.warnings, ...b.warnings])],
    infos: [...new Set([...a.infos, ...b.infos])],
  };
}

/**
 * The aggregation's result, groups in label order so that every placement of the data gives the same. `query` is the text
 * that the fragment was cut from: annotations then have their position in it. Only once.
 */
export function finishPartial(partial: PartialAggregate, fragment: Fragment, query?: string): RemoteResult {
  const { startMs, stepMs, state } = partial;
  const annotations = new Annotations(query);
  annotations.merge(inQuery(partial.warnings, fragment, query), inQuery(partial.infos, fragment, query));
  const groups = [...state.groups].sort(([, a], [, b]) => a.labels.compare(b.labels));
  state.groups.clear();
  for (const [key, group] of groups) state.groups.set(key, group);
  const series: StepSeries[] = [];
  for (const ofGroup of state.finish(fragment.expr, annotations)) for (const one of ofGroup) series.push(one);
  const { warnings, infos } = annotations;
  return { matrix: { startMs, stepMs, steps: state.setup.steps, series }, warnings, infos };
}

/** `(LINE:COLUMN)` that ends an annotation. */
const positionPattern = /\((\d+):(\d+)\)$/;

/** Moves positions in the fragment's text to where it stands in the query. */
function inQuery(texts: readonly string[], fragment: Fragment, query: string | undefined): readonly string[] {
  if (query === undefined) return texts;
  const first = lineAndColumn(query, fragment.expr.span.start);
  return texts.map((text) =>
    text.replace(positionPattern, (_, line: string, column: string) => {
      const inLine = line === '1' ? Number(column) + first.column - 1 : column;
      return `(${Number(line) + first.line - 1}:${inLine})`;
    }),
  );
}
