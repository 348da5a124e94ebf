/**
 * Literals of the language: strings with Go's escapes ("Rune literals" and "String literals" of the Go
 * specification, as PromQL takes them), numbers, and durations written as numbers of seconds.
 */
import { isUtf8 } from 'node:buffer';
import { isGoEscape, parseDuration, quoteGo, unescapeGo } from '../../model/index.ts';

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

/** Why a quoted literal is malformed. */
export function unquoteError(literal: string): string {
  for (const [, escaped = ''] of literal.slice(1, -1).matchAll(/\\([\s\S])/g)) {
    if (isGoEscape(escaped)) continue;
    const code = (escaped.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return `unknown escape sequence U+${code} '${escaped}'`;
  }
  return `error unquoting string ${JSON.stringify(literal)}: invalid syntax`;
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

/** A number or duration literal without sign; undefined when malformed. Durations are in seconds. */
export function parseNumberLiteral(text: string): { value: number; isDuration: boolean } | undefined {
  const plain = text.replaceAll('_', '').toLowerCase();
  if (plain === 'inf') return { value: Number.POSITIVE_INFINITY, isDuration: false };
  if (plain === 'nan') return { value: Number.NaN, isDuration: false };
  if (/^0x[0-9a-f]+$/.test(plain)) return { value: Number(plain), isDuration: false };
  if (/^0[0-7]+$/.test(plain)) return { value: Number.parseInt(plain, 8), isDuration: false };
  if (/^(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/.test(plain))
    return { value: Number(plain), isDuration: false };
  try {
    return { value: parseDuration(text) / 1000, isDuration: true };
  } catch {
    return undefined;
  }
}
