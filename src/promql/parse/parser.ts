/**
 * The parser: the official Lezer grammar finds the shape, this room gives it types, positions and the error
 * messages of Prometheus. Two of the language's functions, `min_of` and `max_of`, are known to the grammar only
 * inside durations, and a few spellings not at all; see `parseGrammar`.
 */
import type { SyntaxNode, Tree } from '@lezer/common';
import { parser as lezerParser } from '@prometheus-io/lezer-promql';
import { ParseError } from '../errors.ts';
import { checkTypes } from './check.ts';
import { Converter } from './convert.ts';
import { diagnose } from './diagnose.ts';
import { childrenOf, type Expr } from './tree.ts';

export interface ParserOptions {
  /** Functions and aggregations that Prometheus keeps behind a feature flag. Default false. */
  readonly experimentalFunctions?: boolean;
  /** `anchored` and `smoothed`. Default false. */
  readonly extendedRangeSelectors?: boolean;
  /** `fill`, `fill_left`, `fill_right`. Default false. */
  readonly fillModifiers?: boolean;
}

/** Texts beyond this many UTF-16 units are refused. */
const expressionLengthMax = 1 << 20;

/** Throws ParseError (`LINE:COL: parse error: REASON`) when `text` is not a valid, well-typed expression. */
export function parseExpr(text: string, options: ParserOptions = {}): Expr {
  return checkTypes(parseShape(text), text, options);
}

/** As parseExpr, before any judgement of types. */
export function parseShape(text: string): Expr {
  if (text.length > expressionLengthMax) {
    throw new ParseError(text, 0, `expression is longer than ${expressionLengthMax} characters`);
  }
  const { tree, error } = parseGrammar(text);
  if (error !== undefined) throw diagnose(text, error);
  const top = topExpression(tree);
  if (top === undefined) throw new ParseError(text, 0, 'no expression found in input');
  const expr = new Converter(text).expr(top);
  if (depthOf(expr) > treeDepthMax) {
    throw new ParseError(text, 0, `expression is nested more than ${treeDepthMax} levels deep`);
  }
  return expr;
}

/** Levels of a tree, chains of operators and what nests inside them together: what follows recurses. */
const treeDepthMax = 1600;

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

/** A number may end in its point, which the grammar does not know; a digit in its place has the same shape. */
const trailingPoint = /(?<=\d)\.(?!\d)/g;

/** Keywords of durations are known in any case. */
const durationWord = /\b(?:step|range|min_of|max_of)(?=\s*\()/gi;

/** Steps of the grammar for one text, all passes together; recovering from an error can take 15 µs in each. */
const parseStepsMax = 100_000;

/** Calls that the grammar does not know beyond this many in one expression are refused. */
const hiddenCallsMax = 100;

/**
 * The grammar's runtime counts how many operators of one chain it has bound, and breaks the chain off as an error
 * after 300, so that editors need not recurse far. This room bounds depth itself: it keeps the count at 0.
 */
type LongChainParse = ReturnType<typeof lezerParser.startParse> & { bigReductionCount: number };

interface GrammarResult {
  readonly tree: Tree;
  readonly error: SyntaxNode | undefined;
}

/**
 * Parses a text of the same length in which what the grammar lacks is written so that it knows it; the converter
 * reads names and numbers from the original. `min_of(` and `max_of(` outside durations, where the grammar
 * stumbles at their parenthesis, are shown as a function with as many letters.
 */
function parseGrammar(text: string): GrammarResult {
  let shown = text.replace(trailingPoint, '0').replace(durationWord, (word) => word.toLowerCase());
  let stepsLeft = parseStepsMax;
  for (let hidden = 0; ; hidden++) {
    const parse = lezerParser.startParse(shown) as LongChainParse;
    let tree: Tree | null = null;
    while (tree === null) {
      if (stepsLeft-- === 0) throw new ParseError(text, parse.parsedPos, 'expression has too many parts');
      parse.bigReductionCount = 0;
      tree = parse.advance();
    }
    const error = firstError(tree);
    if (error === undefined || hidden >= hiddenCallsMax) return { tree, error };
    const call = /(?:min_of|max_of)\s*$/.exec(shown.slice(0, error.from));
    if (call === null) return { tree, error };
    shown = `${shown.slice(0, call.index)}minute${shown.slice(call.index + 6)}`;
  }
}

function firstError(tree: Tree): SyntaxNode | undefined {
  let found: SyntaxNode | undefined;
  tree.iterate({
    enter: (node) => {
      if (node.type.isError) found ??= node.node;
      return found === undefined;
    },
  });
  return found;
}

function topExpression(tree: Tree): SyntaxNode | undefined {
  for (let child = tree.topNode.firstChild; child !== null; child = child.nextSibling) {
    if (child.name !== 'LineComment') return child;
  }
  return undefined;
}
