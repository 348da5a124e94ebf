/**
 * Series selectors that stand alone, as in the API's match[] parameters: a name, matchers in braces, or both, and
 * nothing around them. Words that are operators or aggregations in an expression are names here.
 */
import { Matcher, MatchType, metricNameLabel } from '../../model/index.ts';
import { ParseError, QueryError } from '../errors.ts';
import { pieceAt } from './nesting.ts';
import { parseShape } from './parser.ts';
import { type Token, tokensUntil } from './tokens.ts';

export interface SelectorOptions {
  /** Accept selectors that every series may match, like `{}`: federation does. Default false. */
  readonly emptyAllowed?: boolean;
}

/** Words that no metric can have for a name without quotes. */
const reserved: ReadonlySet<string> = new Set(
  ['bool', 'on', 'ignoring', 'group_left', 'group_right', 'atan2'].concat(['inf', 'nan']),
);

/**
 * The matchers of a selector, that of its name last. Throws ParseError for what Prometheus would not take as a
 * selector, and QueryError with `bad_data` when every matcher matches the empty string.
 */
export function parseSelector(text: string, options: SelectorOptions = {}): readonly Matcher[] {
  const matchers = matchersOf(text);
  if (options.emptyAllowed !== true && matchers.every((matcher) => matcher.matches(''))) {
    throw new QueryError('bad_data', 'match[] must contain at least one non-empty matcher');
  }
  return matchers;
}

function matchersOf(text: string): readonly Matcher[] {
  const first = tokenFrom(text, 0);
  if (first === undefined) throw new ParseError(text, text.length, 'unexpected end of input');
  const isNamed = isName(first.text);
  const brace = isNamed ? tokenFrom(text, endOf(first)) : first;
  const name = isNamed ? [Matcher.create(MatchType.Equal, metricNameLabel, first.text)] : [];
  if (brace === undefined) return name;
  if (brace.text !== '{') throw unexpected(text, brace);
  const end = closingEnd(text, brace.start);
  // Offsets and lines stay those of the text.
  const shown = text.slice(0, brace.start).replaceAll(/[^\n]/g, ' ') + text.slice(brace.start, end);
  const shape = parseShape(shown);
  if (shape.kind !== 'vector') throw unexpected(text, brace);
  const next = tokenFrom(text, end);
  if (next !== undefined) throw unexpected(text, next);
  return [...shape.matchers, ...name];
}

function isName(word: string): boolean {
  return /^[a-zA-Z_:]/.test(word) && !reserved.has(word.toLowerCase());
}

function tokenFrom(text: string, offset: number): Token | undefined {
  return tokensUntil(text, offset).at;
}

const endOf = (token: Token): number => token.start + token.text.length;

function unexpected(text: string, { start, shown }: Token): ParseError {
  return new ParseError(text, start, `unexpected ${shown}`);
}

/** After the brace that closes; the text's end when there is none. */
function closingEnd(text: string, start: number): number {
  for (let at = start; at < text.length; ) {
    const word = pieceAt(text, at);
    at += word.length;
    if (word === '}') return at;
  }
  return text.length;
}
