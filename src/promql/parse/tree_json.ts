/** The syntax tree as the JSON that Prometheus' tree view reads: field by field its own. */
import { formatFloat } from '../../model/index.ts';
import { functionSignatures } from '../functions/signatures.ts';
import {
  type AtModifier,
  type BinaryExpr,
  type CallExpr,
  type DurationNode,
  type Expr,
  type VectorSelector,
  writtenArguments,
} from './tree.ts';

/** Durations that are not known before the query runs count as 0. */
function millisecondsOf(duration: DurationNode | undefined): number {
  return duration?.kind === 'seconds' ? Math.round(duration.seconds * 1000) : 0;
}

function timesOf(node: { readonly offset?: DurationNode; readonly at?: AtModifier }): object {
  const { at, offset } = node;
  return {
    offset: millisecondsOf(offset),
    startOrEnd: at !== undefined && at.kind !== 'timestamp' ? at.kind : null,
    timestamp: at?.kind === 'timestamp' ? at.timestampMs : null,
  };
}

function selectorJson(selector: VectorSelector): object {
  const matchers = selector.matchers.map(({ name, value, type }) => ({ name, type, value }));
  return { matchers, name: selector.name, ...timesOf(selector) };
}

function callJson(call: CallExpr): object {
  const { func } = call;
  const { args: argTypes, optional, returns } = functionSignatures[func];
  const variadic = optional === Number.POSITIVE_INFINITY ? -1 : optional;
  return {
    args: writtenArguments(call).map(exprToJson),
    func: { argTypes, name: func, returnType: returns, variadic },
    type: 'call',
  };
}

function binaryJson({ op, lhs, rhs, returnBool, matching }: BinaryExpr): object {
  return {
    bool: returnBool,
    lhs: exprToJson(lhs),
    matching:
      matching === undefined
        ? null
        : {
            card: matching.cardinality,
            include: matching.include,
            labels: matching.labels,
            on: matching.on,
          },
    op,
    rhs: exprToJson(rhs),
    type: 'binaryExpr',
  };
}

/** A value that survives JSON.stringify. */
export function exprToJson(expr: Expr): object {
  switch (expr.kind) {
    case 'number':
      return { type: 'numberLiteral', val: formatFloat(expr.value) };
    case 'string':
      return { type: 'stringLiteral', val: expr.value };
    case 'vector':
      return { ...selectorJson(expr), type: 'vectorSelector' };
    case 'matrix':
      return {
        ...selectorJson(expr.selector),
        range: millisecondsOf(expr.range),
        type: 'matrixSelector',
      };
    case 'subquery':
      return {
        expr: exprToJson(expr.expr),
        range: millisecondsOf(expr.range),
        step: millisecondsOf(expr.step),
        ...timesOf(expr),
        type: 'subquery',
      };
    case 'unary':
      return { expr: exprToJson(expr.expr), op: expr.op, type: 'unaryExpr' };
    case 'paren':
      return { expr: exprToJson(expr.expr), type: 'parenExpr' };
    case 'aggregate':
      return {
        expr: exprToJson(expr.expr),
        grouping: expr.grouping,
        op: expr.op,
        param: expr.param === undefined ? null : exprToJson(expr.param),
        type: 'aggregation',
        without: expr.without,
      };
    case 'call':
      return callJson(expr);
    case 'binary':
      return binaryJson(expr);
    case 'remote':
      throw new RangeError('a fragment of a plan has no place in a syntax tree');
  }
}
