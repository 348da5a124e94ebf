/**
 * Regular expressions as Prometheus uses them everywhere: RE2 syntax, matched against the whole text, with the
 * dot matching newlines too. re2js runs them in time linear in the text, so that no user's pattern can hang a node.
 */
import { RE2JS, type Matcher as Re2Matcher } from 're2js';
import { errorText } from '../../base/index.ts';
import { BadRegexError } from '../errors.ts';

export class AnchoredRegex {
  readonly pattern: string;
  readonly #compiled: RE2JS;

  private constructor(pattern: string, compiled: RE2JS) {
    this.pattern = pattern;
    this.#compiled = compiled;
  }

  /** Throws BadRegexError. */
  static compile(pattern: string): AnchoredRegex {
    try {
      return new AnchoredRegex(pattern, RE2JS.compile(pattern, RE2JS.DOTALL));
    } catch (cause) {
      throw new BadRegexError(pattern, errorText(cause), { cause });
    }
  }

  /** Whether the whole text matches. */
  test(text: string): boolean {
    return this.#compiled.testExact(text);
  }

  /**
   * The template with $1, ${1}, $name, ${name} replaced by what the groups matched and $$ by $, as Go's
   * Regexp.Expand does it; groups that are unknown or took no part are empty. Undefined when the text does not match.
   */
  expand(text: string, template: string): string | undefined {
    const matcher = this.#compiled.matcher(text);
    if (!matcher.matches()) return undefined;
    if (!template.includes('$')) return template;
    return template.replace(reference, (whole, dollar, braced, bare) => {
      if (dollar !== undefined) return '$';
      const name: string | undefined = braced ?? bare;
      return name === undefined ? whole : groupText(matcher, this.#compiled, name);
    });
  }
}

/** `$$`, `${name}`, `$name` with the longest run of letters, digits and underscores; a lone dollar stays. */
const reference = /\$(?:(\$)|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;

function groupText(matcher: Re2Matcher, compiled: RE2JS, name: string): string {
  if (/^[0-9]+$/.test(name)) {
    const index = Number(name);
    return index <= matcher.groupCount() ? (matcher.group(index) ?? '') : '';
  }
  return Object.hasOwn(compiled.namedGroups(), name) ? (matcher.group(name) ?? '') : '';
}
