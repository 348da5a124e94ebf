/**
 * Expressions, by recursive descent over the tokens. Operators bind as in Prometheus: modifiers and brackets first,
 * then `^` (to the right), signs, `* / % atan2`, `+ -`, comparisons, `and unless`, `or`. Whatever Prometheus finds
 * out while it reads is judged here, at once, so that the first error is its first error; types are judged later.
 */
import { functionSignatures, isFunctionName } from '../functions/signatures.ts';
import { DurationParser, parseNumberToken } from './duration_parser.ts';
import { parseGroupingLabels, parseVectorSelector, selector, textOf } from './label_parser.ts';
import { parseMatching } from './matching_parser.ts';
import { applyAt, applyExtension, applyOffset, makeRange } from './modifiers.ts';
import type { ParserOptions } from './parser.ts';
import type { TokenReader } from './token_reader.ts';
import {
  type AggregateWord,
  canBegin,
  canBeMetric,
  isAggregateWord,
  isPreprocessor,
  type Token,
} from './tokens.ts';
import { type AggregateExpr, type BinaryExpr, type BinaryOperator, type Expr, takesParam } from './tree.ts';

/** Operators of one chain: generated rules have hundreds. Evaluation and printing recurse into their left side. */
const chainMax = 1500;

const levels: Readonly<Record<BinaryOperator, number>> = {
  ...{ or: 1, and: 2, unless: 2 },
  ...{ '==': 3, '!=': 3, '<': 3, '<=': 3, '>': 3, '>=': 3, '</': 3, '>/': 3 },
  ...{ '+': 4, '-': 4, '*': 5, '/': 5, '%': 5, atan2: 5, '^': 6 },
};
const powerLevel = levels['^'];
const isBinaryOperator = (kind: string): kind is BinaryOperator => Object.hasOwn(levels, kind);

export class ExpressionParser {
  readonly #reader: TokenReader;
  readonly #options: ParserOptions;
  readonly #durations: DurationParser;

  constructor(reader: TokenReader, options: ParserOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#durations = new DurationParser(reader, {
      durationExpressions: options.durationExpressions ?? true,
    });
  }

  /** The whole text. Throws ParseError. */
  parse(): Expr {
    if (this.#reader.is('eof')) this.#reader.fail(0, 'no expression found in input');
    const expr = this.#expression(1);
    this.#reader.expect('eof');
    return expr;
  }

  #expression(levelMin: number): Expr {
    this.#reader.descend();
    let left = this.#operand();
    for (let operators = 0; ; operators++) {
      const { kind, start } = this.#reader.peek();
      if (!isBinaryOperator(kind) || levels[kind] < levelMin) break;
      if (operators >= chainMax) {
        this.#reader.fail(start, `expression has more than ${chainMax} operators in a row`);
      }
      left = this.#binary(left, kind);
    }
    this.#reader.ascend();
    return left;
  }

  #binary(lhs: Expr, op: BinaryOperator): BinaryExpr {
    this.#reader.take();
    const { returnBool, matching } = parseMatching(this.#reader);
    const rhs = this.#expression(op === '^' ? powerLevel : levels[op] + 1);
    const span = { start: lhs.span.start, end: rhs.span.end };
    const fills = matching.fillLeft !== undefined || matching.fillRight !== undefined;
    if (fills && this.#options.fillModifiers !== true) {
      this.#reader.fail(span.start, 'binop fill modifiers are experimental and not enabled');
    }
    return { kind: 'binary', span, op, lhs, rhs, returnBool, matching };
  }

  #operand(): Expr {
    const { kind } = this.#reader.peek();
    if (kind !== '+' && kind !== '-') return this.#postfix(this.#primary());
    const { start } = this.#reader.take();
    const inner = this.#expression(powerLevel);
    const span = { start, end: inner.span.end };
    if (inner.kind !== 'number') return { kind: 'unary', span, op: kind, expr: inner };
    return { ...inner, span, value: kind === '-' ? -inner.value : inner.value };
  }

  #primary(): Expr {
    const reader = this.#reader;
    const token = reader.peek();
    switch (token.kind) {
      case 'number':
      case 'duration':
        return parseNumberToken(reader);
      case 'string': {
        const { start, end } = reader.take();
        return { kind: 'string', span: { start, end }, value: textOf(reader, token) };
      }
      case '(': {
        reader.take();
        const expr = this.#expression(1);
        return { kind: 'paren', span: { start: token.start, end: reader.expect(')').end }, expr };
      }
      case '{':
        return parseVectorSelector(reader);
    }
    if (!canBeMetric(token)) return reader.unexpected();
    reader.take();
    if (isAggregateWord(token.kind) && (reader.is('(') || reader.is('by') || reader.is('without'))) {
      return this.#aggregate(token, token.kind);
    }
    const canBeCalled = token.kind === 'identifier' || isPreprocessor(token.kind);
    return canBeCalled && reader.is('(') ? this.#call(token) : selector(reader, token);
  }

  #call({ text, start }: Token): Expr {
    const { args, end } = this.#arguments();
    if (!isFunctionName(text)) this.#reader.fail(start, `unknown function with name "${text}"`);
    if (functionSignatures[text].experimental && this.#options.experimentalFunctions !== true) {
      this.#reader.fail(start, `function "${text}" is not enabled`);
    }
    return { kind: 'call', span: { start, end }, func: text, args };
  }

  #arguments(): { args: Expr[]; end: number } {
    const reader = this.#reader;
    reader.expect('(');
    const args: Expr[] = [];
    let close = reader.takeIf(')');
    while (close === undefined) {
      args.push(this.#expression(1));
      close = reader.takeIf(')');
      if (close !== undefined) break;
      const comma = reader.expect(',');
      if (!canBegin(reader.peek())) {
        reader.fail(comma.start, 'trailing commas not allowed in function call args');
      }
    }
    return { args, end: close.end };
  }

  #aggregate({ start }: Token, op: AggregateWord): AggregateExpr {
    const reader = this.#reader;
    const { before, args, end, after } = reader.within('aggregation', '', () => {
      const modifier = this.#aggregateModifier();
      const body = this.#arguments();
      return { before: modifier, ...body, after: modifier ?? this.#aggregateModifier() };
    });
    const { grouping, without } = after ?? { grouping: [], without: false };
    const span = { start, end: before === undefined && after !== undefined ? after.end : end };
    if (args.length === 0) reader.fail(start, 'no arguments for aggregate expression provided');
    const wanted = takesParam(op) ? 2 : 1;
    if ((op === 'limitk' || op === 'limit_ratio') && this.#options.experimentalFunctions !== true) {
      const flag = '--enable-feature=promql-experimental-functions';
      reader.fail(start, `${op}() is experimental and must be enabled with ${flag}`);
    }
    const expr = args[wanted - 1];
    if (args.length !== wanted || expr === undefined) {
      const counts = `expected ${wanted}, got ${args.length}`;
      return reader.fail(start, `wrong number of arguments for aggregate expression provided, ${counts}`);
    }
    const param = wanted === 2 ? args[0] : undefined;
    const shape = { kind: 'aggregate', span, op, expr, grouping, without } as const;
    return param === undefined ? shape : { ...shape, param };
  }

  #aggregateModifier(): { grouping: string[]; without: boolean; end: number } | undefined {
    const word = this.#reader.takeIf('by') ?? this.#reader.takeIf('without');
    if (word === undefined) return undefined;
    const { labels, end } = parseGroupingLabels(this.#reader);
    return { grouping: labels, without: word.kind === 'without', end };
  }

  /** Everything that may stand behind an operand; it binds to that alone. */
  #postfix(operand: Expr): Expr {
    const reader = this.#reader;
    let expr = operand;
    for (let modifiers = 0; ; modifiers++) {
      const token = reader.peek();
      switch (token.kind) {
        case 'offset':
          reader.take();
          expr = applyOffset(reader, expr, this.#durations.offset());
          break;
        case '@':
          reader.take();
          expr = applyAt(reader, expr);
          break;
        case 'anchored':
        case 'smoothed':
          reader.take();
          expr = applyExtension(reader, expr, token.kind, this.#options.extendedRangeSelectors ?? false);
          break;
        case '[':
          expr = this.#bracket(expr);
          break;
        default:
          return expr;
      }
      if (modifiers >= chainMax)
        reader.fail(token.start, `expression has more than ${chainMax} modifiers in a row`);
    }
  }

  #bracket(expr: Expr): Expr {
    const reader = this.#reader;
    const open = reader.take();
    const terms = 'number, duration, step(), or range()';
    const range = reader.within('subquery or range selector', terms, () => this.#durations.positive());
    const close = reader.within('subquery or range', '":" or "]"', () =>
      reader.is(']') ? reader.take() : void reader.expect(':'),
    );
    if (close !== undefined) return makeRange(reader, expr, range, { open, close });
    const step = reader.within('subquery selector', 'number, duration, step(), range(), or "]"', () =>
      reader.is(']') ? undefined : this.#durations.positive(),
    );
    const { end } = reader.within('subquery selector', '"]"', () => reader.expect(']'));
    const span = { start: expr.span.start, end };
    return { kind: 'subquery', span, expr, range, ...(step === undefined ? {} : { step }) };
  }
}
