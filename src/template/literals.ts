/** Go's string, rune and number literals as they occur in templates. */
import type { TemplateValue } from './value.ts';

type Fail = (reason: string) => Error;

const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

function unescapeGo(body: string, fail: Fail): string {
  return body.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/gsu,
    (_, hex, short, long, octal, simple) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      const point = short ?? long;
      if (point !== undefined) {
        const code = Number.parseInt(point, 16);
        if (code > 0x10ffff) throw fail('invalid syntax');
        return String.fromCodePoint(code);
      }
      const char = simpleEscapes[simple];
      if (char === undefined) throw fail('invalid syntax');
      return char;
    },
  );
}

/** A double-quoted or raw string's value. */
export function unquote(text: string, fail: Fail): string {
  const body = text.slice(1, -1);
  return text.startsWith('`') ? body.replaceAll('\r', '') : unescapeGo(body, fail);
}

/** Integers become bigint, everything with a point or exponent a float; a rune its code point. */
export function parseNumber(text: string, fail: Fail): TemplateValue {
  if (text.startsWith("'")) {
    const points = [...unescapeGo(text.slice(1, -1), fail)];
    if (points.length !== 1) throw fail(`malformed character constant: ${text}`);
    return BigInt(points[0]?.codePointAt(0) ?? 0);
  }
  const plain = text.replaceAll('_', '');
  const negative = plain.startsWith('-');
  const digits = plain.replace(/^[+-]/, '');
  if (/^0[xXbBoO]/.test(digits) || /^[0-9]+$/.test(digits)) {
    const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
    if (/^0[0-9]+$/.test(digits) && octal === digits) throw fail(`bad number syntax: "${text}"`);
    const value = BigInt(octal.replace(/^0[XBO]/, (prefix) => prefix.toLowerCase()));
    if (value > 0x7fff_ffff_ffff_ffffn) throw fail(`integer overflow: "${text}"`);
    return negative ? -value : value;
  }
  const value = Number(plain);
  if (!Number.isFinite(value)) throw fail(`bad number syntax: "${text}"`);
  return value;
}
