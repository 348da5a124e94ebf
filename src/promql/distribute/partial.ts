/**
 * Partial aggregates: what a node answers for the series that it holds, merged by whoever asked. Both do what the engine
 * does in one place (AggregateState); here are the range it is for, and the annotations that come with it.
 */
import type { Engine, EvaluationOptions } from '../engine.ts';
import { lineAndColumn } from '../errors.ts';
import type { AggregateState, Pacing } from '../eval/aggregate/aggregate_state.ts';
import { Annotations } from '../eval/annotations.ts';
import { joinStats } from '../eval/sample_counts.ts';
import { type Fragment, unwrapParens } from '../parse/tree.ts';
import type { QueryRange, RemoteResult, SampleStats, StepSeries, Storage } from '../types.ts';
import { everySeries, seriesOfEvery } from './every_series.ts';

export interface PartialAggregate {
  readonly startMs: number;
  readonly stepMs: number;
  readonly state: AggregateState;
  /** With positions in the fragment's text. */
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  /** What was looked at and held for it. */
  readonly samples: SampleStats;
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
  const text = positionedText(fragmentText);
  const parsed = unwrapParens(engine.parse(text));
  const expr = parsed.kind === 'aggregate' ? parsed : everySeries(parsed);
  const positioned = { ...options, text };
  const { grid, ...partial } = await engine.evaluatePartial(expr, range, { storage }, signal, positioned);
  return { startMs: grid.startMs, stepMs: grid.stepMs, ...partial };
}

/** Joins two partial aggregates of one fragment. The operands' states are used up. Rejects with what `pacing` throws. */
export async function mergePartials(
  a: PartialAggregate,
  b: PartialAggregate,
  pacing: Pacing,
): Promise<PartialAggregate> {
  for (const _ of a.state.merging(b.state)) if (pacing.due) await pacing.pause();
  return {
    ...a,
    warnings: [...new Set([...a.warnings, ...b.warnings])],
    infos: [...new Set([...a.infos, ...b.infos])],
    samples: joinStats(a.samples, b.samples),
  };
}

/**
 * The aggregation's result, groups in label order so that every placement of the data gives the same. `query` is the text
 * that the fragment was cut from: annotations then have their position in it. Only once.
 */
export async function finishPartial(
  partial: PartialAggregate,
  fragment: Fragment,
  pacing: Pacing,
  query?: string,
): Promise<RemoteResult> {
  const { startMs, stepMs, state } = partial;
  const annotations = new Annotations(query);
  annotations.merge(inQuery(partial.warnings, fragment, query), inQuery(partial.infos, fragment, query));
  const groups = [...state.groups].sort(([, a], [, b]) => a.labels.compare(b.labels));
  state.groups.clear();
  for (const [key, group] of groups) state.groups.set(key, group);
  const series: StepSeries[] = [];
  for (const ofGroup of state.finish(fragment.expr, annotations)) {
    for (const one of ofGroup) series.push(one);
    if (pacing.due) await pacing.pause();
  }
  // They come place by place.
  if (seriesOfEvery(fragment.expr) !== undefined) series.sort((a, b) => a.labels.compare(b.labels));
  const { warnings, infos } = annotations;
  return {
    matrix: { startMs, stepMs, steps: state.setup.steps, series },
    warnings,
    infos,
    samples: partial.samples,
  };
}

/** With a blank in front, so that the start of the text, which some annotations point to, is no place in the fragment. */
function positionedText(fragmentText: string): string {
  return ` ${fragmentText}`;
}

/** `(LINE:COLUMN)` that ends an annotation. */
const positionPattern = /\((\d+):(\d+)\)$/;

/** Moves positions in the fragment's text to where it stands in the query; the start of the text is that of the query. */
function inQuery(texts: readonly string[], fragment: Fragment, query: string | undefined): readonly string[] {
  if (query === undefined) return texts;
  const first = lineAndColumn(query, fragment.expr.span.start);
  return texts.map((text) =>
    text.replace(positionPattern, (_, line: string, column: string) => {
      if (line === '1' && column === '1') return '(1:1)';
      const inLine = line === '1' ? Number(column) + first.column - 2 : column;
      return `(${Number(line) + first.line - 1}:${inLine})`;
    }),
  );
}
