/**
 * Regular expressions as Prometheus uses them everywhere: RE2 syntax, matched against the whole text, with the
 * dot matching newlines too. re2js runs them in time linear in the text, so that no user's pattern can hang a
 * node. Patterns that are no more than literals and wildcards, most of them, never reach the engine.
 */
import { RE2JS, type Matcher as Re2Matcher } from 're2js';
import { errorText } from '../../base/index.ts';
import { BadRegexError } from '../errors.ts';
import { type Shape, shapeOf, wildcardMatches } from './shape.ts';
import { expandedSize } from './size.ts';

/** What counted repetitions may add to a pattern; compiled, this many atoms take some 40 MB. */
const repetitionMax = 50_000;
/** A list of 50,000 host names fits. */
const patternLengthMax = 1_000_000;
/** Compiled patterns kept for reuse, the least recently compiled dropped first. */
const cacheMax = 512;
/** Longer patterns are compiled anew each time, so that the cache stays small. */
const cachedLengthMax = 4096;

export class AnchoredRegex {
  static readonly #cache = new Map<string, AnchoredRegex>();

  readonly pattern: string;
  /** All texts that match, when they are known and finite. */
  readonly setMatches: readonly string[] | undefined;
  readonly #compiled: RE2JS;
  readonly #shape: Shape | undefined;
  readonly #texts: ReadonlySet<string>;

  private constructor(pattern: string, compiled: RE2JS, shape: Shape | undefined) {
    this.pattern = pattern;
    this.#compiled = compiled;
    this.#shape = shape;
    this.#texts = new Set(shape?.texts);
    this.setMatches = shape !== undefined && shape.wildcards.length === 0 ? shape.texts : undefined;
  }

  /** Throws BadRegexError. */
  static compile(pattern: string): AnchoredRegex {
    const known = AnchoredRegex.#cache.get(pattern);
    if (known !== undefined) return known;
    if (pattern.length > patternLengthMax || expandedSize(pattern) - pattern.length > repetitionMax) {
      throw new BadRegexError(pattern, 'error parsing regexp: expression too large');
    }
    let regex: AnchoredRegex;
    try {
      regex = new AnchoredRegex(pattern, RE2JS.compile(pattern, RE2JS.DOTALL), shapeOf(pattern));
    } catch (cause) {
      // The engine shows how it was asked to let the dot match newlines; the user did not write that.
      throw new BadRegexError(pattern, errorText(cause).replace('`(?s)', '`'), { cause });
    }
    if (pattern.length > cachedLengthMax) return regex;
    const oldest =
      AnchoredRegex.#cache.size < cacheMax ? undefined : AnchoredRegex.#cache.keys().next().value;
    if (oldest !== undefined) AnchoredRegex.#cache.delete(oldest);
    AnchoredRegex.#cache.set(pattern, regex);
    return regex;
  }

  /** Whether the whole text matches. */
  test(text: string): boolean {
    if (this.#shape === undefined) return this.#compiled.testExact(text);
    if (this.#texts.has(text)) return true;
    for (const wildcard of this.#shape.wildcards) if (wildcardMatches(wildcard, text)) return true;
    return false;
  }

  /** As test, always by the engine: what the fast paths are held against. */
  testByEngine(text: string): boolean {
    return this.#compiled.testExact(text);
  }

  /**
   * The template with $1, ${1}, $name, ${name} replaced by what the groups matched and $$ by $, as Go's
   * Regexp.Expand does it; groups that are unknown or took no part are empty. Undefined when the text does not match.
   */
  expand(text: string, template: string): string | undefined {
    if (this.#shape !== undefined && !this.test(text)) return undefined;
    if (this.#shape !== undefined && !template.includes('$')) return template;
    const matcher = this.#compiled.matcher(text);
    if (!matcher.matches()) return undefined;
    return template.replace(reference, (whole, dollar, braced, bare) => {
      if (dollar !== undefined) return '$';
      const name: string | undefined = braced ?? bare;
      return name === undefined ? whole : groupText(matcher, this.#compiled, name);
    });
  }
}

/**
 * `$$`, `${name}`, `$name` with the longest run of letters, digits and underscores. A dollar before anything else,
 * also one that opens a brace which does not close around a name, stays as it is.
 */
const reference = /\$(?:(\$)|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;

function groupText(matcher: Re2Matcher, compiled: RE2JS, name: string): string {
  if (/^[0-9]+$/.test(name)) {
    const index = Number(name);
    return index <= matcher.groupCount() ? (matcher.group(index) ?? '') : '';
  }
  return Object.hasOwn(compiled.namedGroups(), name) ? (matcher.group(name) ?? '') : '';
}
