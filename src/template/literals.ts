/** Go's string, rune and number literals as they occur in templates. */
import { unescapeGo } from '../model/index.ts';
import type { TemplateValue } from './value.ts';

type Fail = (reason: string) => Error;

function unescaped(body: string, quote: '"' | "'", fail: Fail): Buffer {
  const bytes = unescapeGo(body, quote);
  if (bytes === undefined) throw fail('invalid syntax');
  return Buffer.from(bytes);
}

/** A double-quoted or raw string's value. Bytes that are no UTF-8 become U+FFFD: a text here can't hold them. */
export function unquote(text: string, fail: Fail): string {
  const body = text.slice(1, -1);
  return text.startsWith('`') ? body.replaceAll('\r', '') : unescaped(body, '"', fail).toString('utf8');
}

/** Integers become bigint, everything with a point or exponent a float; a rune its code point. */
export function parseNumber(text: string, fail: Fail): TemplateValue {
  if (text.startsWith("'")) return runeValue(text, fail);
  const plain = text.replaceAll('_', '');
  const negative = plain.startsWith('-');
  const digits = plain.replace(/^[+-]/, '');
  if (/^0[xXbBoO]/.test(digits) || /^[0-9]+$/.test(digits)) {
    const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
    if (/^0[0-9]+$/.test(digits) && octal === digits) throw fail(`bad number syntax: "${text}"`);
    if (!/^(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|[0-9]+)$/.test(octal)) {
      throw fail(`bad number syntax: "${text}"`);
    }
    const value = BigInt(octal.replace(/^0[XBO]/, (prefix) => prefix.toLowerCase()));
    if (value > 0x7fff_ffff_ffff_ffffn) throw fail(`integer overflow: "${text}"`);
    return negative ? -value : value;
  }
  const value = Number(plain);
  if (!Number.isFinite(value)) throw fail(`bad number syntax: "${text}"`);
  return value;
}

/** A single byte, as escapes may give it, stands for itself. */
function runeValue(text: string, fail: Fail): bigint {
  const bytes = unescaped(text.slice(1, -1), "'", fail);
  const [point, ...more] =
    bytes.length === 1 ? bytes : [...bytes.toString('utf8')].map((char) => char.codePointAt(0));
  if (point === undefined || more.length > 0) throw fail(`malformed character constant: ${text}`);
  return BigInt(point);
}
