/**
 * Durations: literals, and arithmetic on them with `step()` and `range()`, which only the query's own step and
 * range give a value. A duration is in seconds until it is resolved to milliseconds.
 */
import type { SyntaxNode } from '@lezer/common';
import { ExecutionError } from '../errors.ts';
import { parseNumberLiteral } from './literals.ts';
import type { DurationNode, DurationOperator } from './tree.ts';

/** What the conversion needs of its caller. */
export interface DurationSource {
  textOf(node: SyntaxNode): string;
  fail(at: { from: number }, reason: string): never;
}

/** 2^63 ns in seconds: what Go's time.Duration holds. */
const secondsMax = 2 ** 63 / 1e9;

/** Converts a DurationExpr or OffsetDurationExpr node; 'positive' refuses literals that are not above zero. */
export function convertDuration(
  node: SyntaxNode,
  source: DurationSource,
  sign: 'positive' | 'any',
): DurationNode {
  const duration = convert(node, source);
  if (sign === 'positive' && duration.kind === 'seconds' && duration.seconds <= 0) {
    source.fail({ from: duration.span.start }, 'duration must be greater than 0');
  }
  return duration;
}

function convert(node: SyntaxNode, source: DurationSource): DurationNode {
  const span = { start: node.from, end: node.to };
  const named = node.getChild('DurationStep') ?? node.getChild('DurationRange');
  if (named !== null) return { kind: named.name === 'DurationStep' ? 'step' : 'range', span };
  const literal = node.getChild('NumberDurationLiteralInDurationContext');
  if (literal !== null) return convertLiteral(literal, source);
  const operands = [...node.getChildren('DurationExpr'), ...node.getChildren('OffsetDurationExpr')];
  const [first, second] = operands;
  if (first === undefined) source.fail(node, 'duration missing');
  const text = source.textOf(node);
  if (second === undefined) {
    const operand = convert(first, source);
    if (node.getChild('UnaryOp') === null) return { kind: 'wrap', span, operand };
    if (text[0] === '+') return operand;
    return operand.kind === 'seconds'
      ? { ...operand, span, seconds: -operand.seconds }
      : { kind: 'negate', span, operand };
  }
  const kind = operatorOf(node, source);
  const right = convert(second, source);
  if (right.kind === 'seconds' && right.seconds === 0 && (kind === '/' || kind === '%')) {
    source.fail({ from: operatorStart(node) }, kind === '/' ? 'division by zero' : 'modulo by zero');
  }
  return { kind, span, left: convert(first, source), right };
}

function convertLiteral(node: SyntaxNode, source: DurationSource): DurationNode {
  const text = source.textOf(node);
  const parsed = parseNumberLiteral(text);
  if (parsed === undefined) source.fail(node, `bad number or duration syntax: "${text}"`);
  if (!(Math.abs(parsed.value) <= secondsMax)) source.fail(node, 'duration out of range');
  const span = { start: node.from, end: node.to };
  return { kind: 'seconds', span, seconds: parsed.value, isDuration: parsed.isDuration };
}

const operatorByNode: Readonly<Record<string, DurationOperator>> = {
  Add: '+',
  Sub: '-',
  Mul: '*',
  Div: '/',
  Mod: '%',
  Pow: '^',
  DurationMinOf: 'min_of',
  DurationMaxOf: 'max_of',
};

function operatorOf(node: SyntaxNode, source: DurationSource): DurationOperator {
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    const op = operatorByNode[child.name];
    if (op !== undefined) return op;
  }
  return source.fail(node, 'operator missing in duration');
}

function operatorStart(node: SyntaxNode): number {
  return (node.getChild('Div') ?? node.getChild('Mod') ?? node).from;
}

/** The query's own step and range, which `step()` and `range()` stand for. */
export interface DurationContext {
  readonly stepMs: number;
  readonly rangeMs: number;
}

/** Whole milliseconds. Throws ExecutionError when not finite, out of range, or not positive where it must be. */
export function resolveDuration(
  node: DurationNode,
  context: DurationContext,
  sign: 'positive' | 'any',
): number {
  const seconds = evaluate(node, context);
  const position = `${node.span.start}:${node.span.end}`;
  if (!Number.isFinite(seconds)) throw new ExecutionError(`${position}: duration is NaN or infinite`);
  if (seconds <= 0 && sign === 'positive') {
    throw new ExecutionError(`${position}: duration must be greater than 0`);
  }
  if (Math.abs(seconds) > secondsMax) throw new ExecutionError(`${position}: duration is out of range`);
  return Math.trunc(roundNoise(seconds * 1000));
}

/** 0.3 s is 300 ms though 0.3 * 1000 may come out a hair below. */
function roundNoise(value: number): number {
  const nearest = Math.round(value);
  return Math.abs(value - nearest) < 1e-6 ? nearest : value;
}

function evaluate(node: DurationNode, context: DurationContext): number {
  switch (node.kind) {
    case 'seconds':
      return node.seconds;
    case 'step':
      return context.stepMs / 1000;
    case 'range':
      return context.rangeMs / 1000;
    case 'wrap':
      return evaluate(node.operand, context);
    case 'negate':
      return -evaluate(node.operand, context);
    default:
      return arithmetic(node.kind, evaluate(node.left, context), evaluate(node.right, context), node);
  }
}

function arithmetic(op: DurationOperator, left: number, right: number, node: DurationNode): number {
  const position = `${node.span.start}:${node.span.end}`;
  switch (op) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      if (right === 0) throw new ExecutionError(`${position}: division by zero`);
      return left / right;
    case '%':
      if (right === 0) throw new ExecutionError(`${position}: modulo by zero`);
      return left % right;
    case '^':
      return left ** right;
    case 'min_of':
      return Math.min(left, right);
    case 'max_of':
      return Math.max(left, right);
  }
}
