/**
 * Durations: literals, and arithmetic on them with `step()` and `range()`, which only the query's own step and
 * range give a value. A duration is in seconds until it is resolved to milliseconds.
 */
import { ExecutionError } from '../errors.ts';
import type { DurationNode, DurationOperator } from './tree.ts';

/** 2^63 ns in seconds: what Go's time.Duration holds. */
const secondsMax = 2 ** 63 / 1e9;

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
