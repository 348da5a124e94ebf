/** Where a quoted string ends, and what is wrong with one that has no end or a bad escape ("String literals" of Go). */
import { quoteGo } from '../../model/index.ts';
import { ParseError } from '../errors.ts';

/** What a text that was no UTF-8 has in the place of its bad bytes. */
const replacement = '\ufffd';
const simpleEscapes = 'abfnrtv\\';
const codePointMax = 0x10ffff;

interface NumericEscape {
  readonly digits: number;
  readonly base: 8 | 16;
  readonly max: number;
}

const numericEscapes: Readonly<Record<string, NumericEscape>> = {
  x: { digits: 2, base: 16, max: 255 },
  u: { digits: 4, base: 16, max: codePointMax },
  U: { digits: 8, base: 16, max: codePointMax },
};

/** The length of the literal at `start`, quotes included. Throws ParseError at `start`. */
export function scanString(text: string, start: number): number {
  const quote = text[start];
  for (let at = start + 1; ; ) {
    const char = text[at];
    if (char === undefined || char === '\n') throw new ParseError(text, start, 'unterminated quoted string');
    if (isInvalid(text, at)) throw new ParseError(text, start, 'invalid UTF-8 rune');
    at += charAt(text, at).length;
    if (char === quote) return at - start;
    if (char === '\\') at = escapeEnd(text, start, at, quote);
  }
}

/** As scanString, for back quotes. */
export function scanRawString(text: string, start: number): number {
  const close = text.indexOf('`', start + 1);
  const inside = close < 0 ? text.slice(start) : text.slice(start, close);
  if (inside.includes(replacement) || !inside.isWellFormed()) {
    throw new ParseError(text, start, 'invalid UTF-8 rune');
  }
  if (close < 0) throw new ParseError(text, start, 'unterminated raw string');
  return close + 1 - start;
}

/** Half of a pair is no text either. */
function isInvalid(text: string, at: number): boolean {
  const code = text.codePointAt(at) ?? 0;
  return code === 0xfffd || (code >= 0xd800 && code < 0xe000);
}

/** `at` is behind the backslash. */
function escapeEnd(text: string, start: number, at: number, quote: string | undefined): number {
  const fail = (reason: string): never => {
    throw new ParseError(text, start, reason);
  };
  const char = charAt(text, at);
  if (char === '') return fail('escape sequence not terminated');
  if (simpleEscapes.includes(char) || char === quote) return at + 1;
  const isOctal = char >= '0' && char <= '7' && char.length === 1;
  const form: NumericEscape | undefined = isOctal
    ? { digits: 3, base: 8, max: 255 }
    : Object.hasOwn(numericEscapes, char)
      ? numericEscapes[char]
      : undefined;
  if (form === undefined) return fail(`unknown escape sequence ${codePointText(char)}`);
  const from = isOctal ? at : at + 1;
  let value = 0;
  for (let i = 0; i < form.digits; i++) {
    const digit = charAt(text, from + i);
    if (digit === '') return fail('escape sequence not terminated');
    const amount = /^[0-9a-fA-F]$/.test(digit) ? Number.parseInt(digit, 16) : 16;
    if (amount >= form.base) return fail(`illegal character ${codePointText(digit)} in escape sequence`);
    value = value * form.base + amount;
  }
  if (value > form.max || (value >= 0xd800 && value < 0xe000)) {
    return fail('escape sequence is an invalid Unicode code point');
  }
  return from + form.digits;
}

function charAt(text: string, at: number): string {
  const code = text.codePointAt(at);
  return code === undefined ? '' : String.fromCodePoint(code);
}

/** `U+0063 'c'`, without the character where it can't be printed. */
function codePointText(char: string): string {
  const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  const isPrintable = char === '"' || quoteGo(char) === `"${char}"` || char === '\\';
  return isPrintable ? `U+${code} '${char}'` : `U+${code}`;
}
