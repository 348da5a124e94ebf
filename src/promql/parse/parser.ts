/**
 * The parser: tokens as Prometheus' lexer cuts them, recursive descent over them, then types. The language's official
 * Lezer grammar, made for editors, does not serve here: it binds modifiers and signs in another way, does not say
 * what was expected where, and its time and memory grow faster than what a hostile text nests.
 */
import type { Matcher } from '../../model/index.ts';
import { ParseError } from '../errors.ts';
import { checkTypes } from './check.ts';
import { ExpressionParser } from './expression_parser.ts';
import { parseVectorSelector } from './label_parser.ts';
import { TokenReader } from './token_reader.ts';
import { childrenOf, type Expr } from './tree.ts';

export interface ParserOptions {
  /** Functions and aggregations that Prometheus keeps behind a feature flag. Default false. */
  readonly experimentalFunctions?: boolean;
  /** Arithmetic in durations, `step()` and `range()` among it. Default true, as in Prometheus since 3.14. */
  readonly durationExpressions?: boolean;
  /** `anchored` and `smoothed`. Default false. */
  readonly extendedRangeSelectors?: boolean;
  /** `fill`, `fill_left`, `fill_right`. Default false. */
  readonly fillModifiers?: boolean;
}

/** Texts beyond this many UTF-16 units are refused. */
const expressionLengthMax = 1 << 20;

/** Levels of a tree, chains of operators and what nests inside them together: what follows recurses. */
const treeDepthMax = 1600;

/** Throws ParseError (`LINE:COL: parse error: REASON`) when `text` is not a valid, well-typed expression. */
export function parseExpr(text: string, options: ParserOptions = {}): Expr {
  const expr = new ExpressionParser(readerOf(text), options).parse();
  if (depthOf(expr) > treeDepthMax) {
    throw new ParseError(text, 0, `expression is nested more than ${treeDepthMax} levels deep`);
  }
  return checkTypes(expr, text);
}

/** The matchers of a text that is a selector and nothing else, that of its name last. Throws ParseError. */
export function parseMatchers(text: string): readonly Matcher[] {
  const reader = readerOf(text);
  const { matchers } = parseVectorSelector(reader);
  reader.expect('eof');
  return matchers;
}

function readerOf(text: string): TokenReader {
  if (text.length > expressionLengthMax) {
    throw new ParseError(text, 0, `expression is longer than ${expressionLengthMax} characters`);
  }
  return new TokenReader(text);
}

function depthOf(top: Expr): number {
  let deepest = 0;
  const waiting: { expr: Expr; depth: number }[] = [{ expr: top, depth: 1 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const depth = next.depth;
    deepest = Math.max(deepest, depth);
    for (const expr of childrenOf(next.expr)) waiting.push({ expr, depth: depth + 1 });
  }
  return deepest;
}
