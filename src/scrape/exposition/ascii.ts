/**
 * Byte classes and texts shared by the exposition parsers. Everything works on offsets into the body; a
 * string is made only for what is new.
 */
import { decodeUtf8, quoteGo } from '../../model/index.ts';
import { ExpositionError } from '../errors.ts';

export const tab = 0x09;
export const lineFeed = 0x0a;
export const space = 0x20;
export const quote = 0x22;
export const hash = 0x23;
export const comma = 0x2c;
export const equals = 0x3d;
export const backslash = 0x5c;
export const braceOpen = 0x7b;
export const braceClose = 0x7d;

const nameStartBit = 1;
const labelStartBit = 2;
const digitBit = 4;

/** Per byte: may it start a metric name, may it start a label name, is it a digit. */
const classes: Uint8Array = (() => {
  const table = new Uint8Array(256);
  const mark = (from: string, to: string, bits: number): void => {
    for (let c = from.charCodeAt(0); c <= to.charCodeAt(0); c++) table[c] = (table[c] ?? 0) | bits;
  };
  mark('a', 'z', nameStartBit | labelStartBit);
  mark('A', 'Z', nameStartBit | labelStartBit);
  mark('_', '_', nameStartBit | labelStartBit);
  mark(':', ':', nameStartBit);
  mark('0', '9', digitBit);
  return table;
})();

export const isMetricStart = (byte: number | undefined): boolean =>
  byte !== undefined && ((classes[byte] as number) & nameStartBit) !== 0;

/** The offset after the run of metric name characters at `at`. */
export function metricNameEnd(body: Uint8Array, at: number): number {
  let end = at;
  while (end < body.length && ((classes[body[end] as number] as number) & (nameStartBit | digitBit)) !== 0)
    end++;
  return end;
}

/** The offset after the label name at `at`; `at` itself when there is none. */
export function labelNameEnd(body: Uint8Array, at: number): number {
  const first = body[at];
  if (first === undefined || ((classes[first] as number) & labelStartBit) === 0) return at;
  let end = at + 1;
  while (end < body.length && ((classes[body[end] as number] as number) & (labelStartBit | digitBit)) !== 0)
    end++;
  return end;
}

/** The offset of the first byte at or after `at` that is neither a space nor a tab. */
export function skipBlanks(body: Uint8Array, at: number): number {
  let end = at;
  while (body[end] === space || body[end] === tab) end++;
  return end;
}

/** The offset of the next line feed, or the body's end. */
export function lineEnd(body: Uint8Array, at: number): number {
  const found = body.indexOf(lineFeed, at);
  return found < 0 ? body.length : found;
}

/** `at` is an opening quote: the offset of the closing one, or -1. */
export function closingQuote(body: Uint8Array, at: number): number {
  for (let i = at + 1; i < body.length; i++) {
    const byte = body[i];
    if (byte === quote) return i;
    if (byte === backslash) i++;
  }
  return -1;
}

const escapedMeaning: Readonly<Record<string, string>> = { '\\"': '"', '\\\\': '\\', '\\n': '\n' };

/** Whether a byte range is UTF-8; cheap for ASCII. */
export function isUtf8(body: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if ((body[i] as number) >= 0x80) return decodeUtf8(body, i, end) !== undefined;
  }
  return true;
}

/** Label values (and OpenMetrics help): `\"`, `\\`, `\n`; any other backslash stands for itself. */
export function unescapeValue(text: string): string {
  return text.includes('\\') ? text.replace(/\\["\\n]/g, (pair) => escapedMeaning[pair] ?? pair) : text;
}

/** Help of the text format, in which a quote is not escaped. */
export function unescapeHelp(text: string): string {
  return text.includes('\\') ? text.replace(/\\[\\n]/g, (pair) => escapedMeaning[pair] ?? pair) : text;
}

const excerptBytesMax = 80;
const lenientUtf8 = new TextDecoder();

/** The error for what stands at `at`. */
export function expositionError(body: Uint8Array, at: number, reason: string): ExpositionError {
  const position = Math.min(at, body.length);
  const start = position === 0 ? 0 : body.lastIndexOf(lineFeed, position - 1) + 1;
  const end = Math.min(lineEnd(body, position), start + excerptBytesMax);
  const excerpt = lenientUtf8.decode(body.subarray(start, end));
  return new ExpositionError(`${reason} while parsing: ${quoteGo(excerpt)}`);
}
