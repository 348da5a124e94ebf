/**
 * Literals of the language: strings with Go's escapes ("Rune literals" and "String literals" of the Go
 * specification, as PromQL takes them), numbers, and durations written as numbers of seconds.
 */
import { isUtf8 } from 'node:buffer';
import { parseDuration } from '../../model/index.ts';

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

const numericEscape = /^(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3})/;

/** The value of a quoted literal (double, single or back quotes), or undefined when it is malformed. */
export function unquote(literal: string): string | undefined {
  const quote = literal[0];
  if (literal.length < 2 || quote === undefined || literal.at(-1) !== quote) return undefined;
  const body = literal.slice(1, -1);
  if (quote === '`') return body;
  if (!body.includes('\\')) return body.includes('\n') ? undefined : body;
  const bytes: Buffer[] = [];
  let at = 0;
  while (at < body.length) {
    const next = body.indexOf('\\', at);
    if (next < 0) {
      bytes.push(Buffer.from(body.slice(at)));
      break;
    }
    bytes.push(Buffer.from(body.slice(at, next)));
    const escaped = body[next + 1] ?? '';
    const simple = simpleEscapes[escaped];
    if (simple !== undefined && (escaped !== "'" || quote === "'") && (escaped !== '"' || quote === '"')) {
      bytes.push(Buffer.from(simple));
      at = next + 2;
      continue;
    }
    const numeric = numericEscape.exec(body.slice(next + 1));
    if (numeric === null) return undefined;
    const decoded = decodeNumericEscape(numeric[0]);
    if (decoded === undefined) return undefined;
    bytes.push(decoded);
    at = next + 1 + numeric[0].length;
  }
  return decodeBytes(Buffer.concat(bytes));
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
    if (simpleEscapes[escaped] !== undefined || /[xuU0-7]/.test(escaped)) continue;
    const code = (escaped.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return `unknown escape sequence U+${code} '${escaped}'`;
  }
  return `error unquoting string ${JSON.stringify(literal)}: invalid syntax`;
}

/** `\x` and octal escapes give bytes, `\u` and `\U` code points. */
function decodeNumericEscape(escaped: string): Buffer | undefined {
  const kind = escaped[0];
  if (kind === 'u' || kind === 'U') {
    const codePoint = Number.parseInt(escaped.slice(1), 16);
    if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) return undefined;
    return Buffer.from(String.fromCodePoint(codePoint));
  }
  const byte = kind === 'x' ? Number.parseInt(escaped.slice(1), 16) : Number.parseInt(escaped, 8);
  return byte > 0xff ? undefined : Buffer.from([byte]);
}

/** Quotes as Go's strconv.Quote does for what occurs in queries: control characters escaped. */
export function quote(text: string): string {
  let quoted = '"';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const named = namedEscapes[char];
    if (named !== undefined) quoted += named;
    else if (code >= 0xdc80 && code <= 0xdcff) quoted += `\\x${(code - 0xdc00).toString(16)}`;
    else if (code < 0x20 || code === 0x7f) quoted += `\\x${code.toString(16).padStart(2, '0')}`;
    else quoted += char;
  }
  return `${quoted}"`;
}

const namedEscapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** A number or duration literal without sign; undefined when malformed. Durations are in seconds. */
export function parseNumberLiteral(text: string): { value: number; isDuration: boolean } | undefined {
  const plain = text.replaceAll('_', '').toLowerCase();
  if (plain === 'inf') return { value: Number.POSITIVE_INFINITY, isDuration: false };
  if (plain === 'nan') return { value: Number.NaN, isDuration: false };
  if (/^0x[0-9a-f]+$/.test(plain)) return { value: Number(plain), isDuration: false };
  if (/^0[0-7]+$/.test(plain)) return { value: Number.parseInt(plain, 8), isDuration: false };
  if (/^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/.test(plain)) return { value: Number(plain), isDuration: false };
  try {
    return { value: parseDuration(text) / 1000, isDuration: true };
  } catch {
    return undefined;
  }
}
