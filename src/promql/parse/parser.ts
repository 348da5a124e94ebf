/**
 * The parser: the official Lezer grammar finds the shape, this room gives it types, positions and the error
 * messages of Prometheus. Two of the language's functions, `min_of` and `max_of`, are known to the grammar only
 * inside durations; see `hideUnknownCalls`.
 */
import type { SyntaxNode, Tree } from '@lezer/common';
import { parser as lezerParser } from '@prometheus-io/lezer-promql';
import { ParseError } from '../errors.ts';
import { checkTypes } from './check.ts';
import { Converter } from './convert.ts';
import { diagnose } from './diagnose.ts';
import type { Expr } from './tree.ts';

export interface ParserOptions {
  /** Functions and aggregations that Prometheus keeps behind a feature flag. Default false. */
  readonly experimentalFunctions?: boolean;
  /** `anchored` and `smoothed`. Default false. */
  readonly extendedRangeSelectors?: boolean;
  /** `fill`, `fill_left`, `fill_right`. Default false. */
  readonly fillModifiers?: boolean;
}

/** Texts beyond this many UTF-16 units are refused. */
export const expressionLengthMax: number = 1 << 20;

/** Throws ParseError (`LINE:COL: parse error: REASON`) when `text` is not a valid, well-typed expression. */
export function parseExpr(text: string, options: ParserOptions = {}): Expr {
  if (text.length > expressionLengthMax) {
    throw new ParseError(text, 0, `expression is longer than ${expressionLengthMax} characters`);
  }
  const tree = lezerParser.parse(hideUnknownCalls(text));
  const error = firstError(tree);
  if (error !== undefined) throw diagnose(text, error);
  const top = topExpression(tree);
  if (top === undefined) throw new ParseError(text, 0, 'no expression found in input');
  return checkTypes(new Converter(text).expr(top), text, options);
}

const memberCall = /\b(?:min_of|max_of)(?=\s*\()/g;

/**
 * Outside brackets, `min_of(` and `max_of(` are shown to the grammar under the name of a function that it knows
 * and that has as many letters, so that positions stay; the converter reads names from the original text.
 */
function hideUnknownCalls(text: string): string {
  if (!text.includes('_of')) return text;
  return text.replace(memberCall, (name: string, at: number) => (inDuration(text, at) ? name : 'minute'));
}

/** Whether the place lies in `[...]` or directly behind `offset`. */
function inDuration(text: string, at: number): boolean {
  const before = text.slice(0, at);
  return before.lastIndexOf('[') > before.lastIndexOf(']') || /\boffset\s*[-+(\s]*$/i.test(before);
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
