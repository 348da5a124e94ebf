/**
 * File name patterns as Go's filepath.Match reads them: `*` stands for any characters of one element of a path, `?` for
 * one, `[a-z]` and `[^a-z]` for one of a class, and a backslash takes the meaning of the character after it.
 */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BadTargetsError } from './errors.ts';

/** What one character may be; 'any number' is the star. */
type Token = ((char: string) => boolean) | 'any number';

/** Whether the whole name matches; in time of name × pattern at worst. Throws BadTargetsError for a bad pattern. */
export function matchesWildcard(name: string, pattern: string): boolean {
  const chars = [...name];
  const tokens = readPattern(pattern);
  let at = 0;
  let tokenAt = 0;
  let starAt = -1;
  let retryAt = 0;
  while (at < chars.length) {
    const token = tokens[tokenAt];
    if (token === 'any number') {
      starAt = tokenAt++;
      retryAt = at;
    } else if (token?.(chars[at] as string) === true) {
      tokenAt++;
      at++;
    } else if (starAt >= 0) {
      tokenAt = starAt + 1;
      at = ++retryAt;
    } else return false;
  }
  while (tokens[tokenAt] === 'any number') tokenAt++;
  return tokenAt === tokens.length;
}

function readPattern(pattern: string): Token[] {
  const chars = [...pattern];
  const tokens: Token[] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] as string;
    if (char === '*') tokens.push('any number');
    else if (char === '?') tokens.push(() => true);
    else if (char === '[') {
      const { isIn, end } = readClass(chars, at + 1, pattern);
      tokens.push(isIn);
      at = end;
    } else {
      const wanted = char === '\\' ? chars[++at] : char;
      if (wanted === undefined) throw badPattern(pattern);
      tokens.push((other) => other === wanted);
    }
  }
  return tokens;
}

/** From after the opening bracket; `end` is the place of the closing one. */
function readClass(
  chars: readonly string[],
  start: number,
  pattern: string,
): { isIn: (char: string) => boolean; end: number } {
  const isNegated = chars[start] === '^';
  const ranges: (readonly [from: string, to: string])[] = [];
  let at = isNegated ? start + 1 : start;
  const one = (): string => {
    const char = chars[at] === '\\' ? chars[++at] : chars[at];
    if (char === undefined || (chars[at - 1] !== '\\' && (char === '-' || char === ']')))
      throw badPattern(pattern);
    at++;
    return char;
  };
  do {
    const from = one();
    if (chars[at] === '-') at++;
    else {
      ranges.push([from, from]);
      continue;
    }
    ranges.push([from, one()]);
  } while (chars[at] !== ']');
  const isListed = (char: string): boolean => ranges.some(([from, to]) => from <= char && char <= to);
  return { isIn: (char) => isListed(char) !== isNegated, end: at };
}

const badPattern = (pattern: string): BadTargetsError =>
  new BadTargetsError(`syntax error in pattern ${JSON.stringify(pattern)}`);

const hasWildcard = (path: string): boolean => /[*?[\\]/.test(path);

/** The existing files that a path with wildcards names, sorted within each directory; one without stands for itself. */
export async function expandGlob(path: string): Promise<string[]> {
  if (!hasWildcard(path)) return [path];
  const pattern = basename(path);
  const found: string[] = [];
  for (const directory of await expandGlob(dirname(path))) {
    const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
      throw error;
    });
    const matching = names.filter((name) => matchesWildcard(name, pattern)).sort();
    found.push(...matching.map((name) => join(directory, name)));
  }
  return found;
}
