/**
 * Binary operators one of whose sides passes by, series by series: a vector with a scalar, and the many side of two vectors,
 * each of whose series meets one of the other side at most. That this is so, and that no two results can have the same labels,
 * is seen from the labels that the selector behind the side has found; where it is not so, both sides are computed as a whole.
 */
import { type Labels, metadataLabels, type SeriesColumns } from '../../../model/index.ts';
import { ExecutionError } from '../../errors.ts';
import { functionTable } from '../../functions/table.ts';
import { typeOf } from '../../parse/check.ts';
import {
  type BinaryExpr,
  type Expr,
  isSetOperator,
  unwrapParens,
  type VectorMatching,
  type VectorSelector,
} from '../../parse/tree.ts';
import type { StepSeries } from '../../types.ts';
import type { Evaluator, QueryContext } from '../context.ts';
import { JoinedSeries, sourceLabels, withColumns } from '../passing.ts';
import { seriesOf } from '../raw.ts';
import { PassingColumns } from '../step_columns.ts';
import { hasSameMetadata, type TakeSeries, type Value, withoutMetadata } from '../values.ts';
import { combineValues } from './binary.ts';
import { type ColumnOperation, combineColumns } from './columns.ts';
import { defaultMatching, groupByMatch, matchLabels } from './matching.ts';
import { elementOperator } from './operators.ts';
import { resultJoin } from './vectors.ts';

/** Whether passBinary may find something to let pass. */
export function mayPass(expr: BinaryExpr, { options }: QueryContext): boolean {
  if (isSetOperator(expr.op) || elementOperator(expr.op).kind === 'trim' || options.delayedNameRemoval)
    return false;
  const { fillLeft, fillRight, labels } = expr.matching ?? defaultMatching;
  if (fillLeft !== undefined || fillRight !== undefined) return false;
  return !labels.some((name) => metadataLabels.has(name)) && sourceOf(manySide(expr)) !== undefined;
}

/** The side that may pass: of two vectors the many side, else the one that is a vector. */
function manySide({ lhs, rhs, matching }: BinaryExpr): Expr {
  if (typeOf(lhs) !== 'vector') return rhs;
  if (typeOf(rhs) !== 'vector') return lhs;
  return matching?.cardinality === 'one-to-many' ? rhs : lhs;
}

interface Source {
  readonly selector: VectorSelector;
  /** The expression drops the name. */
  readonly isNameless: boolean;
}

/** The selector to each of whose series belongs one of the expression at most, with the same labels but for metadata. */
function sourceOf(expr: Expr): Source | undefined {
  const node = unwrapParens(expr);
  if (node.kind === 'vector') return { selector: node, isNameless: false };
  if (node.kind !== 'call' || functionTable[node.func].pass === undefined) return undefined;
  for (const arg of node.args) {
    const inner = unwrapParens(arg);
    if (inner.kind === 'matrix') return { selector: inner.selector, isNameless: true };
  }
  return undefined;
}

/** As evaluateBinary, series by series. `expr` is one for which mayPass holds. */
export async function passBinary(expr: BinaryExpr, evaluator: Evaluator, take: TakeSeries): Promise<void> {
  const many = manySide(expr);
  const other = many === expr.lhs ? expr.rhs : expr.lhs;
  const source = sourceOf(many);
  const known = await knownSide(expr, many, other, evaluator);
  const found = source === undefined ? [] : seriesOf(source.selector, evaluator);
  if (source !== undefined && arePlain(found)) {
    const pair =
      known.type === 'scalar' ? withScalar(expr, known.values) : withVector(expr, found, known, source);
    if (pair !== undefined) {
      await evaluator.each(many, (series) => {
        const result = pair(series);
        if (result !== undefined) take(result);
      });
      return;
    }
  }
  const passed = await evaluator.evaluate(many);
  const [lhs, rhs] = many === expr.lhs ? [passed, known] : [known, passed];
  const value = await combineValues(expr, lhs, rhs, evaluator.context);
  if (value.type === 'vector') for (const one of value.series) take(one);
}

/** The side that does not pass. Where both sides fail the failure of the left one is told, as in Prometheus. */
async function knownSide({ lhs }: BinaryExpr, many: Expr, other: Expr, evaluator: Evaluator): Promise<Value> {
  try {
    return await evaluator.evaluate(other);
  } catch (error) {
    if (many === lhs && error instanceof ExecutionError) await evaluator.each(many, () => {});
    throw error;
  }
}

/** Floats alone, and without their metadata still different from each other. */
function arePlain(found: readonly SeriesColumns[]): boolean {
  const first = found[0]?.labels;
  return (
    first === undefined ||
    found.every(({ labels, histograms }) => histograms === undefined && hasSameMetadata(labels, first))
  );
}

/** What becomes of a series that passes; nothing without a value at any step. */
type Pairing = (series: StepSeries) => StepSeries | undefined;

function withScalar(expr: BinaryExpr, scalars: Float64Array): Pairing {
  const operation = columnOperation(expr);
  const isSwapped = manySide(expr) === expr.rhs;
  const isNameless = dropsMetadata(operation);
  const scalar = { values: scalars, present: new Uint8Array(scalars.length).fill(1) };
  const cells = new PassingColumns(scalars.length);
  return (series) => {
    const [left, right] = isSwapped ? [scalar, series] : [series, scalar];
    const combined = combineColumns(operation, left, right, series.values, cells);
    return combined === undefined ? undefined : withColumns(series, combined, isNameless);
  };
}

/** Undefined where a series meets several, or results may have the same labels. */
function withVector(
  expr: BinaryExpr,
  found: readonly SeriesColumns[],
  known: Value,
  { isNameless }: Source,
): Pairing | undefined {
  if (known.type !== 'vector' || known.series.some(({ histograms }) => histograms !== undefined))
    return undefined;
  const matching = expr.matching ?? defaultMatching;
  const partners = partnersOf(matching, found, known.series, isNameless);
  if (partners === undefined) return undefined;
  const operation = columnOperation(expr);
  const isSwapped = matching.cardinality === 'one-to-many';
  const join = resultJoin(matching, isNameless || dropsMetadata(operation));
  const cells = new PassingColumns(known.series[0]?.values.length ?? 0);
  return (series) => {
    const labels = sourceLabels(series);
    const partner = partners.get(labels);
    if (partner === undefined) return undefined;
    const [left, right] = isSwapped ? [partner, series] : [series, partner];
    const combined = combineColumns(operation, left, right, left.values, cells);
    return combined === undefined ? undefined : new JoinedSeries(combined, join, labels, partner.labels);
  };
}

/** The one series that each of the selector's may meet. */
function partnersOf(
  matching: VectorMatching,
  found: readonly SeriesColumns[],
  ones: readonly StepSeries[],
  isNameless: boolean,
): ReadonlyMap<Labels, StepSeries> | undefined {
  const reduce = matchLabels(matching);
  const groups = groupByMatch(ones, reduce);
  for (const group of groups.values()) if (group.length > 1) return undefined;
  const find = matchFinder(matching, groups, isNameless);
  const partners = new Map<Labels, StepSeries>();
  const isOneToOne = matching.cardinality === 'one-to-one';
  const isTaken = new Set<StepSeries>();
  for (const { labels } of found) {
    if (matching.include.some((name) => labels.has(name))) return undefined;
    const partner = find(labels);
    if (partner === undefined) continue;
    if (isOneToOne && isTaken.has(partner)) return undefined;
    isTaken.add(partner);
    partners.set(labels, partner);
  }
  return partners;
}

/** Finds the series that matches labels of the other side, of which each group has one. */
function matchFinder(
  matching: VectorMatching,
  groups: ReadonlyMap<string, readonly StepSeries[]>,
  isNameless: boolean,
): (labels: Labels) => StepSeries | undefined {
  const [name, ...others] = matching.labels;
  if (matching.on && name !== undefined && others.length === 0) {
    const byValue = new Map<string, StepSeries>();
    for (const group of groups.values()) for (const one of group) byValue.set(one.labels.get(name), one);
    return (labels) => byValue.get(labels.get(name));
  }
  const reduce = matchLabels(matching);
  // What a selector finds has metadata, which what is made of it has lost.
  const isUnnamed = isNameless && !matching.on;
  return (labels) => groups.get(reduce(isUnnamed ? withoutMetadata(labels) : labels).key())?.[0];
}

function columnOperation({ op, returnBool }: BinaryExpr): ColumnOperation {
  return { op, operator: elementOperator(op), returnBool };
}

function dropsMetadata({ operator, returnBool }: ColumnOperation): boolean {
  return operator.kind === 'arithmetic' || returnBool;
}
