/**
 * The parser: the official Lezer grammar finds the shape, this room gives it types, positions and the error
 * messages of Prometheus. Two of the language's functions, `min_of` and `max_of`, are known to the grammar only
 * inside durations, and a few spellings not at all; see `parseGrammar`.
 */
import type { SyntaxNode, Tree } from '@lezer/common';
import { parser as lezerParser } from '@prometheus-io/lezer-promql';
import { ParseError } from '../errors.ts';
import { checkTypes } from './check.ts';
import { Converter, depthMax } from './convert.ts';
import { diagnose } from './diagnose.ts';
import { nestingOf } from './nesting.ts';
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
  if (nestingOf(text, text.length) > depthMax) {
    throw new ParseError(text, 0, `expression is nested more than ${depthMax} levels deep`);
  }
  const top = topExpression(parseGrammar(text));
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

/** Steps of the grammar for one text, all passes together. */
const parseStepsMax = 100_000;

/** Calls that the grammar does not know beyond this many in one expression are refused. */
const hiddenCallsMax = 100;

/**
 * The grammar's runtime counts how many operators of one chain it has bound, and breaks the chain off as an error
 * after 300, so that editors need not recurse far. This room bounds depth itself: it keeps the count at 0.
 */
type LongChainParse = ReturnType<typeof lezerParser.startParse> & { bigReductionCount: number };

/** Stops at the first error. Recovering from it, as editors want, can take seconds and all memory for a hostile text. */
const strictParser = lezerParser.configure({ strict: true });

type Parsed = { readonly tree: Tree } | { readonly tree?: undefined; readonly failedAt: number };

/**
 * Parses a text of the same length in which what the grammar lacks is written so that it knows it; the converter
 * reads names and numbers from the original. `min_of(` and `max_of(` outside durations, where the grammar
 * stumbles at their parenthesis, are shown as a function with as many letters. Throws ParseError.
 */
function parseGrammar(text: string): Tree {
  let shown = text.replace(trailingPoint, '0').replace(durationWord, (word) => word.toLowerCase());
  let stepsLeft = parseStepsMax;
  const takeStep = (at: number): void => {
    if (stepsLeft-- === 0) throw new ParseError(text, at, 'expression has too many parts');
  };
  for (let hidden = 0; ; hidden++) {
    const parsed = parseStrictly(shown, takeStep);
    if (parsed.tree !== undefined) return parsed.tree;
    const before = shown.slice(0, parsed.failedAt).trimEnd();
    const isHidden = before.endsWith('min_of') || before.endsWith('max_of');
    if (!isHidden || hidden >= hiddenCallsMax) {
      throw diagnose(text, parsed.failedAt, errorContext(shown, parsed.failedAt));
    }
    shown = `${before.slice(0, -6)}minute${shown.slice(before.length)}`;
  }
}

function parseStrictly(shown: string, takeStep: (at: number) => void): Parsed {
  const parse = strictParser.startParse(shown) as LongChainParse;
  try {
    for (;;) {
      takeStep(parse.parsedPos);
      parse.bigReductionCount = 0;
      const tree = parse.advance();
      if (tree !== null) return { tree };
    }
  } catch (error) {
    // A chain whose tree is too deep to be built overflows the stack.
    if (error instanceof SyntaxError || error instanceof RangeError) return { failedAt: parse.parsedPos };
    throw error;
  }
}

/** What stands further behind, or deeper, gets a message without context. */
const contextLengthMax = 2000;
const contextDepthMax = 50;
/** Behind the error: so much is looked at to tell what it is. */
const contextBehind = 200;

/** The error's node, from which can be told what it is in; undefined when finding it would take long. */
function errorContext(shown: string, failedAt: number): SyntaxNode | undefined {
  if (failedAt > contextLengthMax || nestingOf(shown, failedAt) > contextDepthMax) return undefined;
  const parse = lezerParser.startParse(shown.slice(0, failedAt + contextBehind)) as LongChainParse;
  let tree: Tree | null = null;
  while (tree === null) {
    parse.bigReductionCount = 0;
    tree = parse.advance();
  }
  return firstError(tree);
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
