/**
 * Durations in brackets and behind `offset`: literals, or arithmetic on them with `step()`, `range()`, `min_of` and
 * `max_of`, which is behind a feature flag.
 */
import { errorText } from '../../base/index.ts';
import { parseDuration } from '../../model/index.ts';
import { parseNumber } from './literals.ts';
import type { TokenReader } from './token_reader.ts';
import type { Token } from './tokens.ts';
import type { DurationNode, DurationOperator, NumberLiteral, Span } from './tree.ts';

/** 2^63 ns in seconds: what Go's time.Duration holds. */
const secondsMax = 2 ** 63 / 1e9;
const bracketPart = 'number, duration, step(), or range()';

const levels: Readonly<Record<string, number>> = { '+': 1, '-': 1, '*': 2, '/': 2, '%': 2, '^': 3 };
/** Of all durations of one expression. What follows recurses into them. */
const operatorsMax = 1000;
const signLevel = 2;
const powerLevel = 3;

/** A number or a duration of seconds. */
export function parseNumberToken(reader: TokenReader): NumberLiteral {
  const { kind, text, start, end } = reader.take();
  const span = { start, end };
  if (kind === 'number') {
    const value = parseNumber(text);
    if (typeof value === 'number') return { kind: 'number', span, value, isDuration: false };
    return reader.fail(start, `error parsing number: ${value.reason}`);
  }
  try {
    return { kind: 'number', span, value: parseDuration(text) / 1000, isDuration: true };
  } catch (error) {
    return reader.fail(start, errorText(error));
  }
}

export class DurationParser {
  readonly #reader: TokenReader;
  readonly #arithmetic: boolean;
  #operatorCount = 0;

  constructor(reader: TokenReader, options: { readonly durationExpressions: boolean }) {
    this.#reader = reader;
    this.#arithmetic = options.durationExpressions;
  }

  /** In brackets: refuses literals that are not above zero. */
  positive(): DurationNode {
    const duration = this.#expression(1);
    if (duration.kind === 'seconds' && !(duration.seconds > 0)) {
      this.#reader.fail(duration.span.start, 'duration must be greater than 0');
    }
    return duration;
  }

  /** Behind `offset`: a sign and one term, what follows is no part of it, unless a parenthesis or two signs open it. */
  offset(): DurationNode {
    return this.#reader.within('offset', bracketPart, () => {
      const token = this.#reader.peek();
      if (token.kind === '(') return this.#operators(this.#term(), 1);
      if (token.kind !== '+' && token.kind !== '-') return this.#term();
      this.#reader.take();
      if (this.#reader.is('+') || this.#reader.is('-')) {
        return this.#operators(this.#signed(token, this.#expression(signLevel + 1)), 1);
      }
      return this.#signed(token, this.#term());
    });
  }

  #expression(levelMin: number): DurationNode {
    const { kind } = this.#reader.peek();
    if (kind !== '+' && kind !== '-') return this.#operators(this.#term(), levelMin);
    this.#reader.descend();
    const sign = this.#reader.take();
    const signed = this.#signed(sign, this.#expression(powerLevel));
    this.#reader.ascend();
    return this.#operators(signed, levelMin);
  }

  #operators(first: DurationNode, levelMin: number): DurationNode {
    let left = first;
    for (;;) {
      const { kind } = this.#reader.peek();
      const level = levels[kind];
      if (level === undefined || level < levelMin) return left;
      left = this.#operation(left, level);
    }
  }

  #operation(left: DurationNode, level: number): DurationNode {
    const operator = this.#reader.take();
    if (++this.#operatorCount > operatorsMax) {
      this.#reader.fail(operator.start, `duration has more than ${operatorsMax} operators`);
    }
    const kind = operator.kind as DurationOperator;
    this.#reader.descend();
    const right = this.#expression(level === powerLevel ? level : level + 1);
    this.#reader.ascend();
    this.#checkEnabled(left.span);
    if (right.kind === 'seconds' && right.seconds === 0 && (kind === '/' || kind === '%')) {
      this.#reader.fail(operator.start, kind === '/' ? 'division by zero' : 'modulo by zero');
    }
    return { kind, span: { start: left.span.start, end: right.span.end }, left, right };
  }

  #signed(sign: Token, operand: DurationNode): DurationNode {
    const span = { start: sign.start, end: operand.span.end };
    if (operand.kind === 'seconds') {
      return { ...operand, span, seconds: sign.kind === '-' ? -operand.seconds : operand.seconds };
    }
    return sign.kind === '-' ? { kind: 'negate', span, operand } : operand;
  }

  #term(): DurationNode {
    const reader = this.#reader;
    const token = reader.peek();
    switch (token.kind) {
      case 'number':
      case 'duration': {
        const { span, value, isDuration } = parseNumberToken(reader);
        if (!(Math.abs(value) <= secondsMax)) reader.fail(span.start, 'duration out of range');
        return { kind: 'seconds', span, seconds: value, isDuration };
      }
      case 'step':
      case 'range': {
        reader.take();
        reader.expect('(');
        const span = { start: token.start, end: reader.expect(')').end };
        this.#checkEnabled(span);
        return { kind: token.kind, span };
      }
      case 'min_of':
      case 'max_of':
        return this.#choice(token.kind);
      case '(':
        return this.#wrapped();
      default:
        return reader.unexpected();
    }
  }

  #choice(kind: 'min_of' | 'max_of'): DurationNode {
    const reader = this.#reader;
    const word = reader.take();
    reader.expect('(');
    reader.descend();
    const left = this.#expression(1);
    reader.expect(',');
    const right = this.#expression(1);
    reader.ascend();
    reader.expect(')');
    this.#checkEnabled(word);
    return { kind, span: { start: left.span.start, end: right.span.end }, left, right };
  }

  #wrapped(): DurationNode {
    const open = this.#reader.expect('(');
    this.#reader.descend();
    const operand = this.#expression(1);
    this.#reader.ascend();
    this.#reader.expect(')');
    this.#checkEnabled(operand.span);
    const span = operand.kind === 'seconds' ? { start: open.start, end: operand.span.end } : operand.span;
    return { kind: 'wrap', span, operand };
  }

  #checkEnabled({ start }: Pick<Span, 'start'>): void {
    if (!this.#arithmetic) this.#reader.fail(start, 'experimental duration expression is not enabled');
  }
}
