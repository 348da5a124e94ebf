/**
 * Series selectors that stand alone, as in the API's match[] parameters: a name, matchers in braces, or both, and
 * nothing around them. Words that are operators or aggregations in an expression are names here.
 */
import type { Matcher } from '../../model/index.ts';
import { QueryError } from '../errors.ts';
import { parseMatchers } from './parser.ts';

export interface SelectorOptions {
  /** Accept selectors that every series may match, like `{}`: federation does. Default false. */
  readonly emptyAllowed?: boolean;
}

/**
 * The matchers of a selector, that of its name last. Throws ParseError for what Prometheus would not take as a
 * selector, and QueryError with `bad_data` when every matcher matches the empty string.
 */
export function parseSelector(text: string, options: SelectorOptions = {}): readonly Matcher[] {
  const matchers = parseMatchers(text);
  if (options.emptyAllowed !== true && matchers.every((matcher) => matcher.matches(''))) {
    throw new QueryError('bad_data', 'match[] must contain at least one non-empty matcher');
  }
  return matchers;
}
