/**
 * An expression laid out over lines as Prometheus' formatter does it: what is no longer than a line stays on one, the
 * rest is broken at its operands, each a level deeper.
 */
import { ExecutionError } from '../errors.ts';
import { printAggregateHead, printExpr, printOperator, printSubqueryRange } from './print.ts';
import { childrenOf, type Expr, takesParam, writtenArguments } from './tree.ts';

/** UTF-8 bytes. */
const lineBytesMax = 100;
const indentText = '  ';
/** Indentation makes a deep expression's text grow with the square of its depth. */
const textCharsMax = 16 * 1024 * 1024;
const levelsMax = 1_000;

/** The text. Throws ExecutionError when it would become too long. */
export function prettyExpr(expr: Expr): string {
  return new Printer().print(expr, 0);
}

class Printer {
  readonly #nodes = new Map<Expr, number>();
  #chars = 0;

  print(expr: Expr, level: number): string {
    if (level > levelsMax) throw new ExecutionError('the expression is nested too deeply to be formatted');
    const indent = this.#counted(indentText.repeat(level));
    switch (expr.kind) {
      case 'unary':
        return `${indent}${expr.op}${this.print(expr.expr, level).trim()}`;
      case 'aggregate':
      case 'binary':
      case 'call':
      case 'paren':
        return this.#isLong(expr) ? this.#broken(expr, level, indent) : indent + this.#line(expr);
      case 'subquery':
        // Its line is not indented where it fits, which is Prometheus' way.
        return this.#isLong(expr)
          ? this.print(expr.expr, level) + printSubqueryRange(expr)
          : this.#line(expr);
      default:
        return indent + this.#line(expr);
    }
  }

  #broken(
    expr: Extract<Expr, { kind: 'aggregate' | 'binary' | 'call' | 'paren' }>,
    level: number,
    indent: string,
  ): string {
    const deeper = (child: Expr): string => this.print(child, level + 1);
    switch (expr.kind) {
      case 'paren':
        return `${indent}(\n${deeper(expr.expr)}\n${indent})`;
      case 'call':
        return `${indent}${expr.func}(\n${writtenArguments(expr).map(deeper).join(',\n')}\n${indent})`;
      case 'binary':
        return `${deeper(expr.lhs)}\n${indent}${printOperator(expr)}\n${deeper(expr.rhs)}`;
      case 'aggregate': {
        const param = takesParam(expr.op) && expr.param !== undefined ? `${deeper(expr.param)},\n` : '';
        return `${indent}${printAggregateHead(expr)}(\n${param}${deeper(expr.expr)}\n${indent})`;
      }
    }
  }

  /** Every node prints at least one byte, so that most long ones are known without printing them. */
  #isLong(expr: Expr): boolean {
    return this.#nodesOf(expr) > lineBytesMax || Buffer.byteLength(printExpr(expr)) > lineBytesMax;
  }

  #nodesOf(expr: Expr): number {
    const known = this.#nodes.get(expr);
    if (known !== undefined) return known;
    let nodes = 1;
    for (const child of childrenOf(expr)) nodes += this.#nodesOf(child);
    this.#nodes.set(expr, nodes);
    return nodes;
  }

  #line(expr: Expr): string {
    return this.#counted(printExpr(expr));
  }

  #counted(text: string): string {
    this.#chars += text.length;
    if (this.#chars > textCharsMax) throw new ExecutionError('the formatted expression is too long');
    return text;
  }
}
