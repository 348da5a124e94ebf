/**
 * Arithmetic and comparison between two vectors: one-to-one, or many-to-one with group_left and group_right.
 * Pairs of series are found first, by match group, then each pair is computed over all steps at once.
 */
import { compareBytes, type Labels, metadataLabels } from '../../../model/index.ts';
import { ExecutionError } from '../../errors.ts';
import type { BinaryExpr, VectorMatching } from '../../parse/tree.ts';
import type { StepSeries } from '../../types.ts';
import type { QueryContext } from '../context.ts';
import { joinLabels, type LabelJoin } from '../passing.ts';
import { StepColumns } from '../step_columns.ts';
import { anyPresent, isEmptyColumn, mergeSameLabels, noHistograms, type VectorValue } from '../values.ts';
import { combineColumns } from './columns.ts';
import { defaultMatching, groupByMatch, matchLabels } from './matching.ts';
import { combineMixed, type Element, elementAt, type Outcome, StepNotes } from './mixed_operators.ts';
import { type ElementOperator, elementOperator } from './operators.ts';

const manyMatches =
  'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)';
const ambiguousGroup = 'multiple matches for labels: grouping labels must ensure unique matches';

/**
 * Both sides are on one grid, and are left as they are. Rejects with ExecutionError when a match group has several
 * series where the cardinality allows one, at a step at which both sides have values.
 */
export async function evaluateVectors(
  expr: BinaryExpr,
  lhs: readonly StepSeries[],
  rhs: readonly StepSeries[],
  context: QueryContext,
): Promise<VectorValue> {
  const matching = expr.matching ?? defaultMatching;
  const fills = matching.fillLeft !== undefined || matching.fillRight !== undefined;
  if (!fills && (lhs.length === 0 || rhs.length === 0)) return { type: 'vector', series: [] };
  const swapped = matching.cardinality === 'one-to-many';
  const many = swapped ? rhs : lhs;
  const one = swapped ? lhs : rhs;
  const reduce = matchLabels(matching);
  const ones = groupByMatch(one, reduce);
  const failure = new MatchFailure();
  checkUnique(ones, lhs, rhs, reduce, swapped ? 'left' : 'right', fills, failure);
  const notes = new StepNotes();
  const steps = (many[0] ?? one[0])?.present.length ?? 0;
  const order = new Map([...many, ...one].map((series, index) => [series, index]));
  const pairer = new Pairer(expr, matching, swapped, context, { notes, order, steps }, failure);
  const manys = groupByMatch(many, reduce);
  for (const key of fills ? new Set([...manys.keys(), ...ones.keys()]) : manys.keys()) {
    const members = manys.get(key) ?? [];
    const partners = ones.get(key) ?? [];
    const matched = pairer.group(members, partners);
    if (fills) pairer.fill(members, partners, reduce, matched);
    if (context.due) await context.pause();
  }
  notes.annotate(context.annotations, expr.span);
  return { type: 'vector', series: failure.throwUnlessLater(pairer.results) };
}

/** Tells when two series of the one side share a match group at a step at which both sides have values. */
function checkUnique(
  groups: ReadonlyMap<string, readonly StepSeries[]>,
  lhs: readonly StepSeries[],
  rhs: readonly StepSeries[],
  reduce: (labels: Labels) => Labels,
  side: 'left' | 'right',
  fills: boolean,
  failure: MatchFailure,
): void {
  let evaluated: Uint8Array | undefined;
  for (const group of groups.values()) {
    if (group.length < 2) continue;
    const steps = group[0]?.present.length ?? 0;
    if (evaluated === undefined) {
      evaluated = anyPresent(lhs, steps);
      const right = anyPresent(rhs, steps);
      for (let i = 0; i < steps; i++) {
        const left = evaluated[i] as number;
        // A side without any value ends the step, unless it is filled in.
        evaluated[i] = fills ? left | (right[i] as number) : left & (right[i] as number);
      }
    }
    const owner = new Int32Array(steps).fill(-1);
    for (const [index, { present, labels }] of group.entries()) {
      for (let i = 0; i < steps; i++) {
        if (present[i] !== 1 || evaluated[i] !== 1) continue;
        const first = group[owner[i] as number];
        if (first !== undefined) {
          failure.at(i, () => duplicateError(first.labels, labels, reduce(labels), side));
          break;
        }
        owner[i] = index;
      }
    }
  }
}

function duplicateError(a: Labels, b: Labels, match: Labels, side: string): ExecutionError {
  const [first, second] = [braced(a), braced(b)].sort();
  return new ExecutionError(
    `found duplicate series for the match group ${braced(match)} on the ${side} hand-side of the operation: ` +
      `[${first}, ${second}];many-to-many matching not allowed: matching labels must be unique on one side`,
  );
}

/** All labels inside braces, as Prometheus' labels.Labels prints itself. */
function braced(labels: Labels): string {
  const parts: string[] = [];
  for (const [name, value] of labels) parts.push(`${name}=${JSON.stringify(value)}`);
  return `{${parts.join(', ')}}`;
}

/** What is wrong with matches at the first step at which something is; of one step, what is told first. */
class MatchFailure {
  #step = Number.POSITIVE_INFINITY;
  #error: (() => ExecutionError) | undefined;

  at(step: number, error: () => ExecutionError): void {
    if (step >= this.#step) return;
    this.#step = step;
    this.#error = error;
  }

  /** The results, those of equal labels as one. Throws ExecutionError for what comes first: a failure, or results that collide. */
  throwUnlessLater(results: StepSeries[]): StepSeries[] {
    const error = this.#error?.();
    if (error === undefined) return mergeSameLabels(results);
    for (const { present } of results) present.fill(0, this.#step);
    mergeSameLabels(results);
    throw error;
  }
}

/** Notes of histograms, the place of each series among those of its step, and how many steps there are. */
interface PairNotes {
  readonly notes: StepNotes;
  readonly order: ReadonlyMap<StepSeries, number>;
  readonly steps: number;
}

/** Computes the pairs of match groups. */
class Pairer {
  readonly results: StepSeries[] = [];
  readonly #expr: BinaryExpr;
  readonly #matching: VectorMatching;
  readonly #operator: ElementOperator;
  readonly #swapped: boolean;
  readonly #join: LabelJoin;
  readonly #cells: StepColumns;
  readonly #pairNotes: PairNotes;
  readonly #failure: MatchFailure;

  constructor(
    expr: BinaryExpr,
    matching: VectorMatching,
    swapped: boolean,
    context: QueryContext,
    pairNotes: PairNotes,
    failure: MatchFailure,
  ) {
    this.#expr = expr;
    this.#failure = failure;
    this.#pairNotes = pairNotes;
    const { steps } = pairNotes;
    this.#matching = matching;
    this.#operator = elementOperator(expr.op);
    this.#swapped = swapped;
    const dropsMetadata =
      this.#operator.kind === 'arithmetic' || (expr.returnBool && !context.options.delayedNameRemoval);
    this.#join = resultJoin(matching, dropsMetadata);
    this.#cells = new StepColumns({ context, grid: { startMs: 0, stepMs: 1, steps } });
  }

  /** Gives the steps at which elements were combined where that is not all at which both sides have some. */
  group(many: readonly StepSeries[], ones: readonly StepSeries[]): Uint8Array | undefined {
    const pairs = many.length * ones.length;
    if (pairs === 0) return undefined;
    const matched = this.#isMixed(many, ones) ? new Uint8Array(many[0]?.present.length ?? 0) : undefined;
    const oneToOne = this.#matching.cardinality === 'one-to-one';
    // Steps taken by a result: of the whole group, or per result labels when many are allowed.
    const taken = new Map<string, Uint8Array>();
    for (const left of many) {
      for (const right of ones) {
        const labels = joinLabels(this.#join, left.labels, right.labels);
        let used: Uint8Array | undefined;
        if (pairs > 1) {
          const key = oneToOne ? '' : labels.key();
          used = taken.get(key) ?? new Uint8Array(left.present.length);
          taken.set(key, used);
        }
        if (matched === undefined) this.#pair(left, right, labels, used);
        else this.#mixedPair(left, right, labels, used, matched);
      }
    }
    return matched;
  }

  #isMixed(many: readonly StepSeries[], ones: readonly StepSeries[]): boolean {
    const hasHistograms = ({ histograms }: StepSeries): boolean => histograms !== undefined;
    return this.#operator.kind === 'trim' || many.some(hasHistograms) || ones.some(hasHistograms);
  }

  /**
   * Pairs series with the fill value at the steps at which the other side of their group has none; `matched` is what
   * `group` gave for the two.
   */
  fill(
    many: readonly StepSeries[],
    ones: readonly StepSeries[],
    reduce: (labels: Labels) => Labels,
    matched: Uint8Array | undefined,
  ): void {
    const { fillLeft, fillRight } = this.#matching;
    const [firstMany] = many;
    const [firstOne] = ones;
    if (fillRight !== undefined && firstMany !== undefined) {
      const taken = anyPresent(ones, firstMany.present.length);
      this.group(many, [filler(firstMany, taken, fillRight, reduce)]);
    }
    if (fillLeft !== undefined && firstOne !== undefined) {
      const taken = matched ?? anyPresent(many, firstOne.present.length);
      this.group([filler(firstOne, taken, fillLeft, reduce)], ones);
    }
  }

  #pair(many: StepSeries, one: StepSeries, labels: Labels, used: Uint8Array | undefined): void {
    const [left, right] = this.#swapped ? [one, many] : [many, one];
    const { op, returnBool } = this.#expr;
    const operation = { op, operator: this.#operator, returnBool };
    if (used !== undefined) {
      for (let i = 0; i < used.length; i++) {
        if (left.present[i] === 1 && right.present[i] === 1) this.#take(used, i);
      }
    }
    const result = combineColumns(operation, left, right, left.values, this.#cells);
    if (result !== undefined)
      this.results.push({ labels, ...result, ...(returnBool ? { dropName: true } : {}) });
  }

  /** A pair with histograms on either side. Elements that don't go together are as if they had not met. */
  #mixedPair(
    many: StepSeries,
    one: StepSeries,
    labels: Labels,
    used: Uint8Array | undefined,
    matched: Uint8Array,
  ): void {
    const steps = many.present.length;
    const values = new Float64Array(steps);
    const present = new Uint8Array(steps);
    const histograms = noHistograms(steps);
    const [left, right] = this.#swapped ? [one, many] : [many, one];
    const { notes, order } = this.#pairNotes;
    const place = order.get(many) ?? order.get(one) ?? 0;
    for (let i = 0; i < steps; i++) {
      if (left.present[i] !== 1 || right.present[i] !== 1) continue;
      const { value, held, note } = this.#combine(elementAt(left, i), elementAt(right, i));
      if (note !== undefined) notes.add(i, place, note);
      if (value === undefined) continue;
      matched[i] = 1;
      if (used !== undefined) this.#take(used, i);
      if (this.#expr.returnBool) values[i] = held ? 1 : 0;
      else if (!held) continue;
      else if (typeof value === 'number') values[i] = value;
      else histograms[i] = value;
      present[i] = 1;
    }
    if (isEmptyColumn(present)) return;
    const result = { labels, values, present, histograms };
    this.results.push(this.#expr.returnBool ? { ...result, dropName: true } : result);
  }

  #combine(left: Element, right: Element): Outcome {
    const operator = this.#operator;
    if (operator.kind === 'trim' || typeof left !== 'number' || typeof right !== 'number') {
      return combineMixed(this.#expr.op, left, right);
    }
    if (operator.kind === 'arithmetic') return { value: operator.apply(left, right), held: true };
    return { value: left, held: operator.holds(left, right) };
  }

  #take(used: Uint8Array, step: number): void {
    if (used[step] === 1) {
      const isOneToOne = this.#matching.cardinality === 'one-to-one';
      this.#failure.at(step, () => new ExecutionError(isOneToOne ? manyMatches : ambiguousGroup));
    }
    used[step] = 1;
  }
}

/** The labels of results: what stays of the many side's, and what the one side brings. */
export function resultJoin(matching: VectorMatching, dropsMetadata: boolean): LabelJoin {
  const names = new Set(matching.labels);
  const include = [...new Set(matching.include)].sort(compareBytes);
  const isDropped = (name: string): boolean => dropsMetadata && metadataLabels.has(name);
  if (matching.cardinality !== 'one-to-one') return { keeps: (name) => !isDropped(name), include };
  return { keeps: (name) => names.has(name) === matching.on && !isDropped(name), include };
}

/** A series of the fill value at the steps at which its partner is not matched already. */
function filler(
  partner: StepSeries,
  matched: Uint8Array,
  value: number,
  reduce: (labels: Labels) => Labels,
): StepSeries {
  const present = matched.map((bit) => 1 - bit);
  return { labels: reduce(partner.labels), values: new Float64Array(present.length).fill(value), present };
}
