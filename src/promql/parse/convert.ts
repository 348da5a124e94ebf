/**
 * From the concrete tree of the Lezer grammar to the typed tree. Only shapes are made here; whether types fit
 * is judged in `check.ts`.
 */
import type { SyntaxNode } from '@lezer/common';
import { errorText } from '../../base/index.ts';
import { Matcher, type MatchType, MatchType as matchTypes, metricNameLabel } from '../../model/index.ts';
import { ParseError } from '../errors.ts';
import { isFunctionName } from '../functions/signatures.ts';
import { convertDuration, type DurationSource } from './durations.ts';
import { parseNumberLiteral, unquote, unquoteError } from './literals.ts';
import { bindChain, type ChainItem } from './precedence.ts';
import type {
  AggregateOp,
  AtModifier,
  BinaryOperator,
  Expr,
  VectorMatching,
  VectorSelector,
} from './tree.ts';

/** Nesting beyond this is refused: evaluation and printing recurse. */
export const depthMax = 1000;

/** Operators of one chain: generated rules have hundreds. The grammar's trees are whole to a depth of 2500. */
const chainMax = 1500;

const postfixNodes: ReadonlySet<string> = new Set([
  'OffsetExpr',
  'StepInvariantExpr',
  'AnchoredExpr',
  'SmoothedExpr',
  'MatrixSelector',
  'SubqueryExpr',
]);

const matchTypeByText: Readonly<Record<string, MatchType>> = {
  '=': matchTypes.Equal,
  '!=': matchTypes.NotEqual,
  '=~': matchTypes.Regexp,
  '!~': matchTypes.NotRegexp,
};

/** Turns nodes of one text into expressions. */
export class Converter implements DurationSource {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  expr(node: SyntaxNode, depth = 0): Expr {
    const items: ChainItem[] = [];
    this.#flatten(node, items, depth);
    this.#checkRightward(items, node);
    return bindChain(items);
  }

  /** Powers and signs bind to the right, one level each. */
  #checkRightward(items: readonly ChainItem[], node: SyntaxNode): void {
    let depth = 0;
    for (const item of items) {
      if (item.kind === 'operator' && item.op !== '^') depth = 0;
      else if (item.kind !== 'operand' && ++depth > depthMax) this.#failDeep(node);
    }
  }

  #failDeep(node: SyntaxNode): never {
    return this.fail(node, `expression is nested more than ${depthMax} levels deep`);
  }

  fail(at: { from: number }, reason: string): never {
    throw new ParseError(this.text, at.from, reason);
  }

  textOf(node: SyntaxNode): string {
    return this.text.slice(node.from, node.to);
  }

  /** Appends the operands, signs and operators of an unparenthesised chain. */
  #flatten(node: SyntaxNode, items: ChainItem[], depth: number): void {
    if (depth > depthMax) this.#failDeep(node);
    if (node.name === 'BinaryExpr') {
      this.#flattenBinary(node, items, depth);
    } else if (node.name === 'UnaryExpr') {
      const [inner] = expressionChildren(node);
      if (inner === undefined) this.fail(node, 'operand missing');
      items.push({ kind: 'sign', op: this.text[node.from] === '-' ? '-' : '+', start: node.from });
      this.#flatten(inner, items, depth + 1);
    } else if (node.name === 'NumberDurationLiteral') {
      this.#number(node, items);
    } else if (postfixNodes.has(node.name)) {
      const inner = node.firstChild;
      if (inner === null) this.fail(node, 'expression missing');
      this.#flatten(inner, items, depth + 1);
      const last = items.pop();
      if (last === undefined || last.kind !== 'operand') this.fail(node, 'operand missing');
      items.push({ kind: 'operand', expr: this.#postfix(last.expr, node) });
    } else {
      items.push({ kind: 'operand', expr: this.#primary(node, depth) });
    }
  }

  /** A long chain leans to the left, one level an operator: those are followed without recursion. */
  #flattenBinary(node: SyntaxNode, items: ChainItem[], depth: number): void {
    const open: { node: SyntaxNode; lhs: SyntaxNode; rhs: SyntaxNode }[] = [];
    let leftmost = node;
    while (leftmost.name === 'BinaryExpr') {
      if (open.length >= chainMax) this.fail(node, `expression has more than ${chainMax} operators in a row`);
      const [lhs, rhs] = expressionChildren(leftmost);
      if (lhs === undefined || rhs === undefined) this.fail(leftmost, 'operand missing');
      open.push({ node: leftmost, lhs, rhs });
      leftmost = lhs;
    }
    this.#flatten(leftmost, items, depth + 1);
    for (const { node: binary, lhs, rhs } of open.toReversed()) {
      items.push(this.#operator(binary, lhs, rhs));
      this.#flatten(rhs, items, depth + 1);
    }
  }

  #number(node: SyntaxNode, items: ChainItem[]): void {
    const raw = this.textOf(node);
    const sign = raw[0] === '-' || raw[0] === '+' ? raw[0] : undefined;
    if (sign !== undefined) items.push({ kind: 'sign', op: sign, start: node.from });
    const digits = sign === undefined ? raw : raw.slice(1).trimStart();
    const parsed = parseNumberLiteral(digits);
    if (parsed === undefined) this.fail(node, `bad number or duration syntax: "${digits}"`);
    const span = { start: node.to - digits.length, end: node.to };
    if (Math.abs(parsed.value) === Number.POSITIVE_INFINITY && /\d/.test(digits)) {
      this.fail(node, `error parsing number: strconv.ParseFloat: parsing "${digits}": value out of range`);
    }
    items.push({ kind: 'operand', expr: { kind: 'number', span, ...parsed } });
  }

  #operator(node: SyntaxNode, lhs: SyntaxNode, rhs: SyntaxNode): ChainItem {
    let op = '';
    let returnBool = false;
    let matching: VectorMatching = { cardinality: 'one-to-one', on: false, labels: [], include: [] };
    for (let child = lhs.nextSibling; child !== null && child.from < rhs.from; child = child.nextSibling) {
      if (child.name === 'LineComment') continue;
      if (child.name === 'BoolModifier') returnBool = true;
      else if (child.name === 'MatchingModifierClause') matching = { ...matching, ...this.#matching(child) };
      else if (child.name === 'FillModifier') matching = { ...matching, ...this.#fill(child) };
      else op = this.textOf(child).toLowerCase();
    }
    if (op === '') this.fail(node, 'operator missing');
    return { kind: 'operator', op: op as BinaryOperator, returnBool, matching };
  }

  #matching(node: SyntaxNode): VectorMatching {
    const on = node.getChild('On') !== null;
    const left = node.getChild('GroupLeft');
    const right = node.getChild('GroupRight');
    const [labels, include] = node.getChildren('GroupingLabels');
    return {
      cardinality: left !== null ? 'many-to-one' : right !== null ? 'one-to-many' : 'one-to-one',
      on,
      labels: labels === undefined ? [] : this.#groupingLabels(labels),
      include: include === undefined ? [] : this.#groupingLabels(include),
    };
  }

  #fill(node: SyntaxNode): { fillLeft?: number; fillRight?: number } {
    const valueIn = (clause: SyntaxNode): number => {
      const literal = clause.getChild('NumberDurationLiteral');
      if (literal === null) this.fail(clause, 'number missing in fill modifier');
      const value = unwrapNumber(this.expr(literal));
      if (value === undefined) this.fail(literal, 'number expected in fill modifier');
      return value;
    };
    const both = node.getChild('FillClause');
    if (both !== null) return { fillLeft: valueIn(both), fillRight: valueIn(both) };
    const left = node.getChild('FillLeftClause');
    const right = node.getChild('FillRightClause');
    return {
      ...(left === null ? {} : { fillLeft: valueIn(left) }),
      ...(right === null ? {} : { fillRight: valueIn(right) }),
    };
  }

  #groupingLabels(node: SyntaxNode): string[] {
    const names: string[] = [];
    for (let child = node.firstChild; child !== null; child = child.nextSibling) {
      if (child.name === 'LabelName') names.push(this.textOf(child));
      else if (child.name === 'QuotedLabelName') {
        const name = this.#string(child);
        if (name === '') this.fail(child, 'invalid label name for grouping: ""');
        names.push(name);
      }
    }
    return names;
  }

  #string(node: SyntaxNode): string {
    const literal = this.textOf(node);
    const value = unquote(literal);
    if (value === undefined) {
      if (literal.length < 2 || literal.at(-1) !== literal[0]) this.fail(node, 'unterminated quoted string');
      this.fail(node, unquoteError(literal));
    }
    return value;
  }

  #primary(node: SyntaxNode, depth: number): Expr {
    const span = { start: node.from, end: node.to };
    switch (node.name) {
      case 'ParenExpr': {
        const [inner] = expressionChildren(node);
        if (inner === undefined) this.fail(node, 'expression missing in parentheses');
        return { kind: 'paren', span, expr: this.expr(inner, depth + 1) };
      }
      case 'StringLiteral':
        return { kind: 'string', span, value: this.#string(node) };
      case 'VectorSelector':
        return this.#selector(node);
      case 'FunctionCall':
        return this.#call(node, depth);
      case 'AggregateExpr':
        return this.#aggregate(node, depth);
      default:
        return this.fail(node, `unexpected ${node.name}`);
    }
  }

  #arguments(body: SyntaxNode | null, depth: number): Expr[] {
    return body === null ? [] : expressionChildren(body).map((child) => this.expr(child, depth + 1));
  }

  #call(node: SyntaxNode, depth: number): Expr {
    const identifier = node.getChild('FunctionIdentifier');
    const name = identifier === null ? '' : this.textOf(identifier);
    if (!isFunctionName(name)) this.fail(node, `unknown function with name ${JSON.stringify(name)}`);
    const args = this.#arguments(node.getChild('FunctionCallBody'), depth);
    return { kind: 'call', span: { start: node.from, end: node.to }, func: name, args };
  }

  #aggregate(node: SyntaxNode, depth: number): Expr {
    const opNode = node.getChild('AggregateOp');
    const op = (opNode === null ? '' : this.textOf(opNode).toLowerCase()) as AggregateOp;
    const modifier = node.getChild('AggregateModifier');
    const labels = modifier?.getChild('GroupingLabels') ?? null;
    const args = this.#arguments(node.getChild('FunctionCallBody'), depth);
    const span = { start: node.from, end: node.to };
    const wanted = paramCount(op) + 1;
    if (args.length === 0) this.fail(node, 'no arguments for aggregate expression provided');
    const expr = args[wanted - 1];
    if (args.length !== wanted || expr === undefined) {
      this.fail(
        node,
        `wrong number of arguments for aggregate expression provided, expected ${wanted}, got ${args.length}`,
      );
    }
    const param = wanted === 2 ? args[0] : undefined;
    return {
      kind: 'aggregate',
      span,
      op,
      expr,
      ...(param === undefined ? {} : { param }),
      grouping: labels === null ? [] : this.#groupingLabels(labels),
      without: modifier !== null && modifier.getChild('Without') !== null,
    };
  }

  #selector(node: SyntaxNode): VectorSelector {
    const identifier = node.getChild('Identifier');
    let name = identifier === null ? '' : this.textOf(identifier);
    const matchers: Matcher[] = [];
    const braces = node.getChild('LabelMatchers');
    for (let child = braces?.firstChild ?? null; child !== null; child = child.nextSibling) {
      if (child.name === 'QuotedLabelName') {
        const quoted = this.#string(child);
        if (name !== '') {
          const names = `${JSON.stringify(name)} or ${JSON.stringify(quoted)}`;
          this.fail(node, `metric name must not be set twice: ${names}`);
        }
        name = quoted;
      } else if (child.name === 'UnquotedLabelMatcher' || child.name === 'QuotedLabelMatcher') {
        matchers.push(this.#matcher(child));
      }
    }
    if (name !== '') matchers.push(Matcher.create(matchTypes.Equal, metricNameLabel, name));
    return { kind: 'vector', span: { start: node.from, end: node.to }, name, matchers };
  }

  #matcher(node: SyntaxNode): Matcher {
    const nameNode = node.getChild('LabelName') ?? node.getChild('QuotedLabelName');
    const opNode = node.getChild('MatchOp');
    const valueNode = node.getChild('StringLiteral');
    if (nameNode === null || opNode === null || valueNode === null)
      this.fail(node, 'incomplete label matcher');
    const name = nameNode.name === 'LabelName' ? this.textOf(nameNode) : this.#string(nameNode);
    const type = matchTypeByText[this.textOf(opNode)] ?? matchTypes.Equal;
    try {
      return Matcher.create(type, name, this.#string(valueNode));
    } catch (error) {
      if (error instanceof ParseError) throw error;
      return this.fail(node, errorText(error));
    }
  }

  #postfix(inner: Expr, node: SyntaxNode): Expr {
    switch (node.name) {
      case 'MatrixSelector':
        return this.#range(inner, node);
      case 'SubqueryExpr':
        return this.#subquery(inner, node);
      case 'OffsetExpr':
        return this.#offset(inner, node);
      case 'StepInvariantExpr':
        return this.#at(inner, node);
      default:
        return this.#extension(inner, node);
    }
  }

  #range(inner: Expr, node: SyntaxNode): Expr {
    const range = node.getChild('DurationExpr');
    if (range === null) this.fail(node, 'missing range');
    // As Prometheus reports it, at the bracket and not at the modifier.
    const bracket = { from: this.text.indexOf('[', inner.span.end) };
    if (inner.kind !== 'vector') this.fail(bracket, 'ranges only allowed for vector selectors');
    if (inner.offset !== undefined) this.fail(bracket, 'no offset modifiers allowed before range');
    if (inner.at !== undefined) this.fail(bracket, 'no @ modifiers allowed before range');
    const span = { start: inner.span.start, end: node.to };
    return { kind: 'matrix', span, selector: inner, range: convertDuration(range, this, 'positive') };
  }

  #subquery(inner: Expr, node: SyntaxNode): Expr {
    const [range, step] = node.getChildren('DurationExpr');
    if (range === undefined) this.fail(node, 'missing range');
    return {
      kind: 'subquery',
      span: { start: inner.span.start, end: node.to },
      expr: inner,
      range: convertDuration(range, this, 'positive'),
      ...(step === undefined ? {} : { step: convertDuration(step, this, 'positive') }),
    };
  }

  #offset(inner: Expr, node: SyntaxNode): Expr {
    const durationNode = node.getChild('OffsetDurationExpr');
    if (durationNode === null) this.fail(node, 'missing offset');
    const offset = convertDuration(durationNode, this, 'any');
    const target = this.#modified(inner, 'offset modifier');
    if (target.offset !== undefined)
      this.fail({ from: inner.span.start }, 'offset may not be set multiple times');
    return replaceModified(inner, { offset }, node.to);
  }

  #at(inner: Expr, node: SyntaxNode): Expr {
    const target = this.#modified(inner, '@ modifier');
    const start = { from: inner.span.start };
    if (target.at !== undefined) this.fail(start, '@ <timestamp> may not be set multiple times');
    return replaceModified(inner, { at: this.#atModifier(node, start) }, node.to);
  }

  #atModifier(node: SyntaxNode, start: { from: number }): AtModifier {
    const preprocessor = node.getChild('AtModifierPreprocessors');
    if (preprocessor !== null) return { kind: preprocessor.getChild('AtStart') !== null ? 'start' : 'end' };
    const literal = node.getChild('NumberDurationLiteral');
    const seconds = literal === null ? undefined : unwrapNumber(this.expr(literal));
    if (seconds === undefined) this.fail(node, 'timestamp missing after @');
    if (!Number.isFinite(seconds) || Math.abs(seconds) >= 2 ** 63) {
      const shown = Number.isFinite(seconds)
        ? seconds.toFixed(6)
        : seconds > 0
          ? '+Inf'
          : seconds < 0
            ? '-Inf'
            : 'NaN';
      this.fail(start, `timestamp out of bounds for @ modifier: ${shown}`);
    }
    return { kind: 'timestamp', timestampMs: roundHalfAway(seconds * 1000) };
  }

  #modified(inner: Expr, what: string): { offset?: unknown; at?: unknown } {
    if (inner.kind === 'vector' || inner.kind === 'subquery') return inner;
    if (inner.kind === 'matrix') return inner.selector;
    return this.fail(
      { from: inner.span.start },
      `${what} must be preceded by an instant vector selector or range vector selector or a subquery`,
    );
  }

  #extension(inner: Expr, node: SyntaxNode): Expr {
    const extension = node.name === 'AnchoredExpr' ? 'anchored' : 'smoothed';
    const start = { from: inner.span.start };
    if (inner.kind === 'subquery') this.fail(start, `${extension} modifier is not supported for subqueries`);
    if (inner.kind !== 'vector' && inner.kind !== 'matrix')
      this.fail(start, `${extension} modifier not implemented`);
    const selector = inner.kind === 'vector' ? inner : inner.selector;
    if (selector.extension !== undefined && selector.extension !== extension) {
      this.fail(start, 'anchored and smoothed modifiers cannot be used together');
    }
    return replaceModified(inner, { extension }, node.to);
  }
}

function roundHalfAway(value: number): number {
  return value < 0 ? -Math.round(-value) : Math.round(value);
}

function paramCount(op: AggregateOp): number {
  return parameterized.has(op) ? 1 : 0;
}
const parameterized: ReadonlySet<string> = new Set([
  'topk',
  'bottomk',
  'quantile',
  'count_values',
  'limitk',
  'limit_ratio',
]);

function unwrapNumber(expr: Expr): number | undefined {
  return expr.kind === 'number' ? expr.value : undefined;
}

/** Sets modifiers on a selector or subquery, those of a range selector on its inner selector. */
function replaceModified(expr: Expr, change: Partial<VectorSelector>, end: number): Expr {
  const span = { start: expr.span.start, end };
  if (expr.kind === 'matrix') return { ...expr, span, selector: { ...expr.selector, ...change } };
  if (expr.kind === 'vector') return { ...expr, span, ...change };
  if (expr.kind === 'subquery') {
    return {
      ...expr,
      span,
      ...(change.offset === undefined ? {} : { offset: change.offset }),
      ...(change.at === undefined ? {} : { at: change.at }),
    };
  }
  return expr;
}

const expressionNodes: ReadonlySet<string> = new Set([
  'AggregateExpr',
  'BinaryExpr',
  'FunctionCall',
  'NumberDurationLiteral',
  'ParenExpr',
  'StringLiteral',
  'UnaryExpr',
  'VectorSelector',
  ...postfixNodes,
]);

function expressionChildren(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (expressionNodes.has(child.name)) found.push(child);
  }
  return found;
}
