/**
 * Literals of the language: strings with Go's escapes ("Rune literals" and "String literals" of the Go
 * specification, as PromQL takes them) and numbers.
 */
import { isUtf8 } from 'node:buffer';
import { quoteGo, unescapeGo } from '../../model/index.ts';

/** The value of a quoted literal (double, single or back quotes), or undefined when it is malformed. */
export function unquote(literal: string): string | undefined {
  const quote = literal[0];
  if (literal.length < 2 || quote === undefined || literal.at(-1) !== quote) return undefined;
  const body = literal.slice(1, -1);
  if (quote === '`') return body;
  if (quote !== '"' && quote !== "'") return undefined;
  if (!body.includes('\\')) return body.includes('\n') ? undefined : body;
  const bytes = unescapeGo(body, quote);
  return bytes === undefined ? undefined : decodeBytes(Buffer.from(bytes));
}

/**
 * Text from bytes that escapes may have made no UTF-8: a stray byte is held as the lone surrogate U+DC00 + byte
 * (as Python's surrogateescape does), which no valid name or value contains.
 */
function decodeBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const length = [1, 2, 3, 4].find(
      (size) => at + size <= bytes.length && isUtf8(bytes.subarray(at, at + size)),
    );
    text +=
      length === undefined
        ? String.fromCharCode(0xdc00 + (bytes[at] as number))
        : bytes.toString('utf8', at, at + length);
    at += length ?? 1;
  }
  return text;
}

/** Quotes as Go's strconv.Quote does, held bytes as `\x` escapes. */
export function quote(text: string): string {
  if (text.isWellFormed()) return quoteGo(text);
  const pieces = text.split(/([\udc80-\udcff])/u);
  const inside = pieces.map((piece, i) =>
    i % 2 === 0 ? quoteGo(piece).slice(1, -1) : `\\x${(piece.charCodeAt(0) - 0xdc00).toString(16)}`,
  );
  return `"${inside.join('')}"`;
}

/** A number without sign as the lexer lets it pass; `reason` says what is wrong with one all the same. */
export function parseNumber(text: string): number | { readonly reason: string } {
  const lower = text.toLowerCase();
  if (lower === 'inf') return Number.POSITIVE_INFINITY;
  if (lower === 'nan') return Number.NaN;
  const failed = (why: string): { reason: string } => {
    return { reason: `strconv.ParseFloat: parsing ${quoteGo(text)}: ${why}` };
  };
  const plain = lower.replaceAll('_', '');
  const isHex = plain.startsWith('0x');
  const isSeparated = isHex ? !/_(?:_|$)/.test(lower) : !/(?<!\d)_|_(?!\d)/.test(lower);
  if (!isSeparated) return failed('invalid syntax');
  if (isHex) {
    const isWhole = /^0x[0-9a-f]+$/.test(plain) && BigInt(plain) < 1n << 63n;
    return isWhole ? Number(plain) : failed('invalid syntax');
  }
  if (/^0[0-7]+$/.test(plain) && BigInt(`0o${plain}`) < 1n << 63n) return Number(`0o${plain}`);
  if (!/^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/.test(plain)) return failed('invalid syntax');
  const value = Number(plain);
  return Number.isFinite(value) ? value : failed('value out of range');
}
