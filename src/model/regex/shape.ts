/**
 * What a regular expression amounts to when it uses no more than literals, alternation, `?`, `.*` and `.+`: a
 * set of texts and a few wildcards ("prefix.*", ".*part.*"). Most patterns in selectors and relabeling do, and these are
 * tested by string search instead of the regex engine. The reading is careful: whatever is not surely
 * understood gives undefined, and the engine decides.
 */

/** Literals with a gap between each two, and possibly at either end. `minimum` 1 is `.+`. */
export interface Wildcard {
  /** At least one; `''` where a gap stands at the end. */
  readonly literals: readonly string[];
  /** One fewer than literals. */
  readonly minimums: readonly (0 | 1)[];
}

export interface Shape {
  /** Texts that match as they are. */
  readonly texts: readonly string[];
  readonly wildcards: readonly Wildcard[];
}

/** Alternatives that the reading may expand to; larger patterns go to the engine. */
const alternativesMax = 4096;
/** Each wildcard costs a search, so that many of them are the engine's business. */
const wildcardsMax = 16;
const depthMax = 32;
/** Steps of reading; a pattern of many alternatives followed by a long tail would otherwise be quadratic. */
const workMax = 100_000;

/** A gap in a sequence; a string is a literal. */
type Part = string | 0 | 1;
type Sequence = readonly Part[];

/** Undefined when the pattern uses anything else. The pattern must be one that the engine accepts. */
export function shapeOf(pattern: string): Shape | undefined {
  // Lone surrogates may match differently in an engine that works on code points.
  if (!pattern.isWellFormed()) return undefined;
  const reader = new ShapeReader(pattern);
  const alternatives = reader.read();
  if (alternatives === undefined) return undefined;
  const texts = new Set<string>();
  const wildcards = new Map<string, Wildcard>();
  for (const sequence of alternatives) {
    const wildcard = wildcardOf(sequence);
    if (wildcard.minimums.length === 0) texts.add(wildcard.literals[0] ?? '');
    else wildcards.set(JSON.stringify(wildcard), wildcard);
  }
  if (wildcards.size > wildcardsMax) return undefined;
  return { texts: [...texts], wildcards: [...wildcards.values()] };
}

/** Joins literals, and gaps where one of two neighbours is `.*`; `.+.+` stays two gaps with an empty literal between. */
function wildcardOf(sequence: Sequence): Wildcard {
  const literals: string[] = [''];
  const minimums: (0 | 1)[] = [];
  for (const part of sequence) {
    const last = literals.length - 1;
    if (typeof part === 'string') literals[last] += part;
    else if (last > 0 && literals[last] === '' && (part === 0 || minimums[last - 1] === 0)) {
      minimums[last - 1] = part === 1 || minimums[last - 1] === 1 ? 1 : 0;
    } else {
      minimums.push(part);
      literals.push('');
    }
  }
  return { literals, minimums };
}

/** Characters that stand for themselves, up to one that a quantifier follows; or that one alone. */
const plain = /[^[\]{}()|\\^$.*+?]+(?![*+?{])|[^[\]{}()|\\^$.*+?]/uy;

class ShapeReader {
  readonly #pattern: string;
  #at = 0;
  #work = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  read(): readonly Sequence[] | undefined {
    const alternatives = this.#alternation(0);
    return this.#at === this.#pattern.length ? alternatives : undefined;
  }

  #alternation(depth: number): readonly Sequence[] | undefined {
    if (depth > depthMax) return undefined;
    const all: Sequence[] = [];
    for (;;) {
      const some = this.#concatenation(depth);
      if (some === undefined || all.length + some.length > alternativesMax) return undefined;
      for (const sequence of some) all.push(sequence);
      if (this.#pattern[this.#at] !== '|') return all;
      this.#at++;
    }
  }

  #concatenation(depth: number): readonly Sequence[] | undefined {
    let sequences: readonly Sequence[] = [[]];
    // Since the whole text must match anyway, ^ at the start and $ at the end of the pattern say nothing.
    if (depth === 0 && this.#pattern[this.#at] === '^') this.#at++;
    while (this.#at < this.#pattern.length) {
      const char = this.#pattern[this.#at];
      if (char === '|' || char === ')') break;
      if (char === '$' && depth === 0 && this.#endsAlternative(this.#at + 1)) {
        this.#at++;
        break;
      }
      const atom = this.#quantified(depth);
      if (atom === undefined || sequences.length * atom.length > alternativesMax) return undefined;
      for (const sequence of sequences) this.#work += atom.length * (sequence.length + 1);
      if (this.#work > workMax) return undefined;
      sequences = product(sequences, atom);
    }
    return sequences;
  }

  #endsAlternative(at: number): boolean {
    return at === this.#pattern.length || this.#pattern[at] === '|';
  }

  #quantified(depth: number): readonly Sequence[] | undefined {
    const isDot = this.#pattern[this.#at] === '.';
    const atom = isDot ? this.#gap() : this.#atom(depth);
    if (atom === undefined) return undefined;
    const optional = this.#pattern[this.#at] === '?';
    if (optional) this.#at++;
    if (this.#isQuantifier()) return undefined;
    // `.*?` prefers less, which makes no difference to whether the whole text matches.
    return optional && !isDot ? [...atom, []] : atom;
  }

  #isQuantifier(): boolean {
    const char = this.#pattern[this.#at];
    return char === '*' || char === '+' || char === '?' || char === '{';
  }

  #gap(): readonly Sequence[] | undefined {
    const quantifier = this.#pattern[this.#at + 1];
    if (quantifier !== '*' && quantifier !== '+') return undefined;
    this.#at += 2;
    return [[quantifier === '+' ? 1 : 0]];
  }

  #atom(depth: number): readonly Sequence[] | undefined {
    const char = this.#pattern[this.#at];
    if (char === '(') return this.#group(depth);
    if (char === '\\') return this.#escaped();
    plain.lastIndex = this.#at;
    const run = plain.exec(this.#pattern)?.[0];
    if (run === undefined) return undefined;
    this.#at += run.length;
    return [[run]];
  }

  #group(depth: number): readonly Sequence[] | undefined {
    this.#at++;
    if (this.#pattern[this.#at] === '?') {
      if (this.#pattern[this.#at + 1] !== ':') return undefined;
      this.#at += 2;
    }
    const inside = this.#alternation(depth + 1);
    if (inside === undefined || this.#pattern[this.#at] !== ')') return undefined;
    this.#at++;
    return inside;
  }

  /** Escaped punctuation is itself; escaped letters and digits mean something. */
  #escaped(): readonly Sequence[] | undefined {
    const char = this.#pattern[this.#at + 1];
    if (char === undefined || !/^[!-/:-@[-`{-~]$/.test(char)) return undefined;
    this.#at += 2;
    return [[char]];
  }
}

function product(left: readonly Sequence[], right: readonly Sequence[]): readonly Sequence[] {
  const only = right.length === 1 ? right[0] : undefined;
  if (left.length === 1 && left[0]?.length === 0) return right;
  if (only?.length === 0) return left;
  return left.flatMap((head) => right.map((tail) => joined(head, tail)));
}

function joined(head: Sequence, tail: Sequence): Sequence {
  const end = head.at(-1);
  const start = tail[0];
  if (typeof end !== 'string' || typeof start !== 'string') return [...head, ...tail];
  return [...head.slice(0, -1), end + start, ...tail.slice(1)];
}

/** Whether the whole text fits: literals are searched from the left, which finds a fit when there is one. */
export function wildcardMatches(wildcard: Wildcard, text: string): boolean {
  const { literals, minimums } = wildcard;
  const first = literals[0] as string;
  const last = literals[literals.length - 1] as string;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (let i = 1; i < literals.length - 1; i++) {
    const from = skip(text, at, minimums[i - 1] as 0 | 1);
    const found = from < 0 ? -1 : text.indexOf(literals[i] as string, from);
    if (found < 0) return false;
    at = found + (literals[i] as string).length;
  }
  const end = skip(text, at, minimums[minimums.length - 1] as 0 | 1);
  return end >= 0 && text.length - last.length >= end && text.endsWith(last);
}

/** Past one character when the gap must not be empty; -1 when the text ends before. */
function skip(text: string, at: number, minimum: 0 | 1): number {
  if (minimum === 0) return at;
  const code = text.codePointAt(at);
  return code === undefined ? -1 : at + (code > 0xffff ? 2 : 1);
}
