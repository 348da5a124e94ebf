/**
 * The syntax tree of PromQL. Nodes are immutable values told apart by `kind`; `span` gives UTF-16 offsets into
 * the text they were parsed from, for error positions and annotations.
 */
import type { Matcher } from '../../model/index.ts';
import type { FunctionName } from '../functions/signatures.ts';

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The four types of values of the language. */
export type ValueType = 'scalar' | 'string' | 'vector' | 'matrix';

export interface NumberLiteral {
  readonly kind: 'number';
  readonly span: Span;
  readonly value: number;
  /** Written as a duration, e.g. `5m`; the value is in seconds. */
  readonly isDuration: boolean;
}

export interface StringLiteral {
  readonly kind: 'string';
  readonly span: Span;
  readonly value: string;
}

/** A duration in seconds, or arithmetic on durations that needs the query's step and range. */
export type DurationNode =
  | { readonly kind: 'seconds'; readonly span: Span; readonly seconds: number; readonly isDuration: boolean }
  | { readonly kind: 'step' | 'range'; readonly span: Span }
  | { readonly kind: 'negate' | 'wrap'; readonly span: Span; readonly operand: DurationNode }
  | {
      readonly kind: DurationOperator;
      readonly span: Span;
      readonly left: DurationNode;
      readonly right: DurationNode;
    };
export type DurationOperator = '+' | '-' | '*' | '/' | '%' | '^' | 'min_of' | 'max_of';

/** The `@` modifier. */
export type AtModifier =
  | { readonly kind: 'timestamp'; readonly timestampMs: number }
  | { readonly kind: 'start' | 'end' };

export interface VectorSelector {
  readonly kind: 'vector';
  readonly span: Span;
  /** The metric name when given outside the braces, else ''. */
  readonly name: string;
  /** All matchers, that of the name included. */
  readonly matchers: readonly Matcher[];
  readonly offset?: DurationNode;
  readonly at?: AtModifier;
  readonly extension?: 'anchored' | 'smoothed';
  /** Of a selector that was made whole: what the text has in its place, null where it has nothing. */
  readonly written?: VectorSelector | null;
}

export interface MatrixSelector {
  readonly kind: 'matrix';
  readonly span: Span;
  readonly selector: VectorSelector;
  readonly range: DurationNode;
}

export interface SubqueryExpr {
  readonly kind: 'subquery';
  readonly span: Span;
  readonly expr: Expr;
  readonly range: DurationNode;
  /** Absent: the default step. */
  readonly step?: DurationNode;
  readonly offset?: DurationNode;
  readonly at?: AtModifier;
}

export interface UnaryExpr {
  readonly kind: 'unary';
  readonly span: Span;
  readonly op: '+' | '-';
  readonly expr: Expr;
}

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2';
export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type TrimOperator = '</' | '>/';
export type SetOperator = 'and' | 'or' | 'unless';
export type BinaryOperator = ArithmeticOperator | ComparisonOperator | TrimOperator | SetOperator;

export interface VectorMatching {
  readonly cardinality: 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';
  /** `on (...)`: only these labels; otherwise all but these. */
  readonly on: boolean;
  readonly labels: readonly string[];
  /** Labels copied from the "one" side by group_left/group_right. */
  readonly include: readonly string[];
  readonly fillLeft?: number;
  readonly fillRight?: number;
}

export interface BinaryExpr {
  readonly kind: 'binary';
  readonly span: Span;
  readonly op: BinaryOperator;
  readonly lhs: Expr;
  readonly rhs: Expr;
  readonly returnBool: boolean;
  /** Present between two vectors. */
  readonly matching?: VectorMatching;
}

export type AggregateOp =
  | 'sum'
  | 'avg'
  | 'count'
  | 'min'
  | 'max'
  | 'group'
  | 'stddev'
  | 'stdvar'
  | 'topk'
  | 'bottomk'
  | 'quantile'
  | 'count_values'
  | 'limitk'
  | 'limit_ratio';

export interface AggregateExpr {
  readonly kind: 'aggregate';
  readonly span: Span;
  readonly op: AggregateOp;
  readonly expr: Expr;
  readonly param?: Expr;
  readonly grouping: readonly string[];
  readonly without: boolean;
}

export interface CallExpr {
  readonly kind: 'call';
  readonly span: Span;
  readonly func: FunctionName;
  readonly args: readonly Expr[];
}

export interface ParenExpr {
  readonly kind: 'paren';
  readonly span: Span;
  readonly expr: Expr;
}

/** A leaf put in by the distributed planner: an instant vector whose rows a RemoteSource delivers. */
export interface RemoteExpr {
  readonly kind: 'remote';
  readonly span: Span;
  readonly fragment: Fragment;
}

/** A subtree that is computed where its data lives, at startMs, startMs + stepMs, ... up to endMs. */
export interface Fragment {
  readonly id: number;
  /** E.g. `sum by (job) (rate(x[5m]))`: as it stands in the query where that is known. */
  readonly text: string;
  /** Of a fragment that combines no series, the aggregation that picks all series of its text; see distribute/every_series.ts. */
  readonly expr: AggregateExpr;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | SubqueryExpr
  | UnaryExpr
  | BinaryExpr
  | AggregateExpr
  | CallExpr
  | ParenExpr
  | RemoteExpr;

const setOperators: ReadonlySet<string> = new Set(['and', 'or', 'unless']);
const comparisonOperators: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);

export function isSetOperator(op: BinaryOperator): op is SetOperator {
  return setOperators.has(op);
}

export function isComparisonOperator(op: BinaryOperator): op is ComparisonOperator {
  return comparisonOperators.has(op);
}

const paramOps: ReadonlySet<AggregateOp> = new Set<AggregateOp>([
  'topk',
  'bottomk',
  'quantile',
  'count_values',
  'limitk',
  'limit_ratio',
]);

/** Whether the aggregation takes a parameter before its vector. */
export function takesParam(op: AggregateOp): boolean {
  return paramOps.has(op);
}

/** A call's arguments as the text has them: without what the parser added. */
export function writtenArguments({ args }: CallExpr): readonly Expr[] {
  return args.flatMap((arg) =>
    arg.kind === 'vector' && arg.written !== undefined ? (arg.written ?? []) : arg,
  );
}

/** The direct sub-expressions, in the order of the text. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'number':
    case 'string':
    case 'vector':
    case 'remote':
      return [];
    case 'matrix':
      return [expr.selector];
    case 'subquery':
    case 'unary':
    case 'paren':
      return [expr.expr];
    case 'binary':
      return [expr.lhs, expr.rhs];
    case 'aggregate':
      return expr.param === undefined ? [expr.expr] : [expr.param, expr.expr];
    case 'call':
      return expr.args;
  }
}

/** Calls `visit` on `expr` and everything below it, parents first. */
export function walk(expr: Expr, visit: (node: Expr) => void): void {
  visit(expr);
  for (const child of childrenOf(expr)) walk(child, visit);
}

/** All vector selectors, those of range selectors included, in the order of the text. */
export function selectorsOf(expr: Expr): VectorSelector[] {
  const found: VectorSelector[] = [];
  walk(expr, (node) => {
    if (node.kind === 'vector') found.push(node);
  });
  return found;
}

/** Strips parentheses. */
export function unwrapParens(expr: Expr): Expr {
  let inner = expr;
  while (inner.kind === 'paren') inner = inner.expr;
  return inner;
}
