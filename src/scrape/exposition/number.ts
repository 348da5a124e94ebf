/**
 * Sample values from bytes. The common case (up to 15 significant digits, small exponent) is computed
 * exactly without a string: Clinger, "How to Read Floating Point Numbers Accurately" (1990), section on the
 * fast path; everything else goes through the platform's correctly rounding parser.
 */
import { formatFloatG, parseFloatText } from '../../model/index.ts';

const digitsExactMax = 15;
const powersOfTen = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
const zero = 0x30;
const nine = 0x39;
const dot = 0x2e;
const minus = 0x2d;
const plus = 0x2b;
const lowerE = 0x65;
const upperE = 0x45;

/** Writes the float in `body[start, end)` to `into[0]`; false when it is none. */
export function parseFloatBytes(body: Uint8Array, start: number, end: number, into: Float64Array): boolean {
  let at = start;
  const negative = body[at] === minus;
  if (negative || body[at] === plus) at++;
  let mantissa = 0;
  let digits = 0;
  let scale = 0;
  let byte = at < end ? (body[at] as number) : 0;
  while (byte >= zero && byte <= nine) {
    mantissa = mantissa * 10 + (byte - zero);
    digits++;
    byte = ++at < end ? (body[at] as number) : 0;
  }
  if (byte === dot) {
    byte = ++at < end ? (body[at] as number) : 0;
    while (byte >= zero && byte <= nine) {
      mantissa = mantissa * 10 + (byte - zero);
      digits++;
      scale--;
      byte = ++at < end ? (body[at] as number) : 0;
    }
  }
  if (digits === 0 || digits > digitsExactMax) return parseSlowly(body, start, end, into);
  if ((byte === lowerE || byte === upperE) && at < end) {
    const signAt = at + 1;
    const exponentNegative = body[signAt] === minus;
    at = exponentNegative || body[signAt] === plus ? signAt + 1 : signAt;
    const exponentStart = at;
    let exponent = 0;
    while (at < end && (body[at] as number) >= zero && (body[at] as number) <= nine && exponent < 1000) {
      exponent = exponent * 10 + ((body[at++] as number) - zero);
    }
    if (at === exponentStart) return false;
    scale += exponentNegative ? -exponent : exponent;
  }
  if (at !== end || scale > 22 || scale < -22) return parseSlowly(body, start, end, into);
  const magnitude =
    scale < 0 ? mantissa / (powersOfTen[-scale] as number) : mantissa * (powersOfTen[scale] as number);
  into[0] = negative ? -magnitude : magnitude;
  return true;
}

const ascii = new TextDecoder('latin1');

function parseSlowly(body: Uint8Array, start: number, end: number, into: Float64Array): boolean {
  const value = parseFloatText(ascii.decode(body.subarray(start, end)));
  if (value === undefined) return false;
  into[0] = value;
  return true;
}

/** A float as OpenMetrics writes it in `le` and `quantile`: shortest, and always with a dot or an exponent. */
export function formatOpenMetricsFloat(value: number): string {
  const text = formatFloatG(value);
  return Number.isFinite(value) && !/[.e]/.test(text) ? `${text}.0` : text;
}
