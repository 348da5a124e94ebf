/**
 * Type checking: every call, aggregation, operator and subquery gets operands of the types it takes, with
 * Prometheus' messages. Returns the tree with vector matching settled (set operators are many-to-many, operands
 * that are scalars have none).
 */
import { quoteGo } from '../../model/index.ts';
import { ParseError } from '../errors.ts';
import { type FunctionSignature, functionSignatures } from '../functions/signatures.ts';
import { completeInfoSelector } from './info_selector.ts';
import {
  type AggregateExpr,
  type BinaryExpr,
  type CallExpr,
  type Expr,
  isComparisonOperator,
  isSetOperator,
  type Span,
  type ValueType,
  type VectorMatching,
  type VectorSelector,
} from './tree.ts';

const documentedTypes: Readonly<Record<ValueType, string>> = {
  scalar: 'scalar',
  string: 'string',
  vector: 'instant vector',
  matrix: 'range vector',
};

/** The type of the value that `expr` gives. */
export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'number':
      return 'scalar';
    case 'string':
      return 'string';
    case 'vector':
    case 'aggregate':
    case 'remote':
      return 'vector';
    case 'matrix':
    case 'subquery':
      return 'matrix';
    case 'unary':
    case 'paren':
      return typeOf(expr.expr);
    case 'binary':
      return typeOf(expr.lhs) === 'scalar' && typeOf(expr.rhs) === 'scalar' ? 'scalar' : 'vector';
    case 'call':
      return functionSignatures[expr.func].returns;
  }
}

/** Throws ParseError at the first expression whose operands don't fit. */
export function checkTypes(expr: Expr, text: string): Expr {
  return new Checker(text).check(expr);
}

class Checker {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  check(expr: Expr): Expr {
    switch (expr.kind) {
      case 'number':
      case 'string':
      case 'remote':
        return expr;
      case 'vector':
        return this.#selector(expr, false);
      case 'matrix':
        return { ...expr, selector: this.#selector(expr.selector, false) };
      case 'paren':
        return { ...expr, expr: this.check(expr.expr) };
      case 'subquery': {
        const inner = this.check(expr.expr);
        const type = typeOf(inner);
        if (type !== 'vector') {
          this.#fail(expr.span, `subquery is only allowed on instant vector, got ${type} instead`);
        }
        return { ...expr, expr: inner };
      }
      case 'unary': {
        const inner = this.check(expr.expr);
        const type = typeOf(inner);
        if (type !== 'scalar' && type !== 'vector') {
          const shown = `"${documentedTypes[type]}"`;
          const reason = `unary expression only allowed on expressions of type scalar or instant vector, got ${shown}`;
          this.#fail(expr.span, reason);
        }
        return { ...expr, expr: inner };
      }
      case 'binary':
        return this.#binary(expr);
      case 'aggregate':
        return this.#aggregate(expr);
      case 'call':
        return this.#call(expr);
    }
  }

  #fail(span: Span, reason: string): never {
    throw new ParseError(this.#text, span.start, reason);
  }

  #expect(expr: Expr, wanted: ValueType, context: string): void {
    const type = typeOf(expr);
    if (type === wanted) return;
    const got = documentedTypes[type];
    this.#fail(expr.span, `expected type ${documentedTypes[wanted]} in ${context}, got ${got}`);
  }

  #selector(expr: VectorSelector, emptyAllowed: boolean): VectorSelector {
    if (expr.name !== '') {
      const again = expr.matchers.slice(0, -1).find((matcher) => matcher.name === '__name__');
      if (again !== undefined) {
        const names = `${quoteGo(expr.name)} or ${quoteGo(again.value)}`;
        this.#fail(expr.span, `metric name must not be set twice: ${names}`);
      }
    } else if (!emptyAllowed && expr.matchers.every((matcher) => matcher.matches(''))) {
      this.#fail(expr.span, 'vector selector must contain at least one non-empty matcher');
    }
    return expr;
  }

  #aggregate(expr: AggregateExpr): Expr {
    const inner = this.check(expr.expr);
    this.#expect(inner, 'vector', 'aggregation expression');
    if (expr.param === undefined) return { ...expr, expr: inner };
    const param = this.check(expr.param);
    this.#expect(param, expr.op === 'count_values' ? 'string' : 'scalar', 'aggregation parameter');
    return { ...expr, expr: inner, param };
  }

  #call(expr: CallExpr): Expr {
    const signature: FunctionSignature = functionSignatures[expr.func];
    const shown = JSON.stringify(expr.func);
    this.#checkArity(expr, signature);
    this.#checkLabelSelector(expr, signature);
    const args = expr.args.map((arg, i) => {
      if (signature.selectorAt === i && arg.kind === 'vector') return this.#selector(arg, true);
      const checked = this.check(arg);
      const wanted = signature.args[Math.min(i, signature.args.length - 1)];
      if (wanted !== undefined) this.#expect(checked, wanted, `call to function ${shown}`);
      return checked;
    });
    const [base] = args;
    if (signature.selectorAt === undefined || base === undefined) return { ...expr, args };
    const given = args[signature.selectorAt];
    return {
      ...expr,
      args: [base, completeInfoSelector(base, given?.kind === 'vector' ? given : undefined)],
    };
  }

  /** Of an argument that only says which labels are meant. */
  #checkLabelSelector(expr: CallExpr, { selectorAt }: FunctionSignature): void {
    const selector = selectorAt === undefined ? undefined : expr.args[selectorAt];
    if (selector === undefined) return;
    const type = typeOf(selector);
    if (type !== 'vector') {
      const context = `call to function ${JSON.stringify(expr.func)}`;
      this.#fail(expr.span, `expected type instant vector in ${context}, got ${documentedTypes[type]}`);
    }
    if (selector.kind !== 'vector') this.#fail(selector.span, 'expected label selectors only');
    if (selector.name !== '') {
      this.#fail(selector.span, 'expected label selectors only, got vector selector instead');
    }
  }

  #checkArity(expr: CallExpr, signature: FunctionSignature): void {
    const wanted = signature.args.length;
    const got = expr.args.length;
    const call = `argument(s) in call to ${JSON.stringify(expr.func)}, got ${got}`;
    if (signature.optional === 0) {
      if (wanted !== got) this.#fail(expr.span, `expected ${wanted} ${call}`);
      return;
    }
    if (got < wanted - 1) this.#fail(expr.span, `expected at least ${wanted - 1} ${call}`);
    const most = wanted - 1 + signature.optional;
    if (got > most) this.#fail(expr.span, `expected at most ${most} ${call}`);
  }

  #binary(expr: BinaryExpr): Expr {
    const lhs = this.check(expr.lhs);
    const rhs = this.check(expr.rhs);
    const left = typeOf(lhs);
    const right = typeOf(rhs);
    const matching = expr.matching ?? { cardinality: 'one-to-one', on: false, labels: [], include: [] };
    const operator = this.#operatorSpan(expr);
    const comparison = isComparisonOperator(expr.op);
    if (expr.returnBool && !comparison) {
      this.#fail(operator, 'bool modifier can only be used on comparison operators');
    }
    if (comparison && !expr.returnBool && left === 'scalar' && right === 'scalar') {
      this.#fail(operator, 'comparisons between scalars must use BOOL modifier');
    }
    if (matching.on) {
      const twice = matching.labels.find((label) => matching.include.includes(label));
      if (twice !== undefined) {
        this.#fail(operator, `label ${quoteGo(twice)} must not occur in ON and GROUP clause at once`);
      }
    }
    const typesMessage = 'binary expression must contain only scalar and instant vector types';
    if (left !== 'scalar' && left !== 'vector') this.#fail(lhs.span, typesMessage);
    if (right !== 'scalar' && right !== 'vector') this.#fail(rhs.span, typesMessage);
    const { matching: _given, ...plain } = expr;
    const settled = this.#matching(expr, matching, left === 'vector' && right === 'vector');
    return { ...plain, lhs, rhs, ...(settled === undefined ? {} : { matching: settled }) };
  }

  #matching(expr: BinaryExpr, matching: VectorMatching, vectors: boolean): VectorMatching | undefined {
    const fills = matching.fillLeft !== undefined || matching.fillRight !== undefined;
    if (!vectors) {
      if (matching.labels.length > 0) {
        this.#fail(expr.span, 'vector matching only allowed between instant vectors');
      }
      if (fills) this.#fail(expr.span, 'filling in missing series only allowed between instant vectors');
      if (isSetOperator(expr.op)) {
        this.#fail(expr.span, `set operator "${expr.op}" not allowed in binary scalar expression`);
      }
      return undefined;
    }
    if (!isSetOperator(expr.op)) return matching;
    if (matching.cardinality !== 'one-to-one') {
      this.#fail(expr.span, `no grouping allowed for "${expr.op}" operation`);
    }
    if (fills) this.#fail(expr.span, 'filling in missing series not allowed for set operators');
    return { ...matching, cardinality: 'many-to-many' };
  }

  #operatorSpan(expr: BinaryExpr): Span {
    let start = expr.lhs.span.end;
    while (/\s/.test(this.#text[start] ?? '')) start++;
    return { start, end: expr.rhs.span.start };
  }
}
