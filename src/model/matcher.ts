/**
 * Label matchers: the four tests of a PromQL selector, also used by routes, silences and the series API. An
 * absent label counts as the empty value.
 */
import type { Labels } from './labels.ts';
import { isValidLabelName } from './names.ts';
import { quoteGo } from './quote.ts';
import { AnchoredRegex } from './regex/anchored_regex.ts';

export const MatchType = { Equal: '=', NotEqual: '!=', Regexp: '=~', NotRegexp: '!~' } as const;
export type MatchType = (typeof MatchType)[keyof typeof MatchType];

export class Matcher {
  readonly name: string;
  readonly type: MatchType;
  readonly value: string;
  /** The finite set of values it can match, when that is known: for lookups in an index. */
  readonly setMatches: readonly string[] | undefined;
  readonly #regex: AnchoredRegex | undefined;

  private constructor(type: MatchType, name: string, value: string, regex: AnchoredRegex | undefined) {
    this.type = type;
    this.name = name;
    this.value = value;
    this.#regex = regex;
    if (type === MatchType.Equal) this.setMatches = [value];
    else this.setMatches = type === MatchType.Regexp ? regex?.setMatches : undefined;
  }

  /** Throws BadRegexError for a pattern that RE2 refuses. */
  static create(type: MatchType, name: string, value: string): Matcher {
    const isRegex = type === MatchType.Regexp || type === MatchType.NotRegexp;
    return new Matcher(type, name, value, isRegex ? AnchoredRegex.compile(value) : undefined);
  }

  matches(value: string): boolean {
    switch (this.type) {
      case MatchType.Equal:
        return value === this.value;
      case MatchType.NotEqual:
        return value !== this.value;
      case MatchType.Regexp:
        return this.#regex?.test(value) === true;
      case MatchType.NotRegexp:
        return this.#regex?.test(value) === false;
    }
  }

  matchesLabels(labels: Labels): boolean {
    return this.matches(labels.get(this.name));
  }

  /** `name="value"`, the name quoted when it is not classic. */
  toString(): string {
    const name = isValidLabelName(this.name, 'legacy') ? this.name : quoteGo(this.name);
    return `${name}${this.type}${quoteGo(this.value)}`;
  }
}

/** Whether the label set passes every matcher. */
export function matchesAll(matchers: readonly Matcher[], labels: Labels): boolean {
  for (const matcher of matchers) if (!matcher.matchesLabels(labels)) return false;
  return true;
}
