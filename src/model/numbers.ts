/**
 * Float text as Go writes and reads it, since Prometheus' answers, errors and label values are Go's. All forms
 * have the shortest digits that read back the same, which are JavaScript's too; what differs is when an exponent is used.
 */

/** Digits and the power of ten that follows them: value = 0.d1d2d3... × 10^pointAt. */
function shortestDigits(magnitude: number): { digits: string; pointAt: number } {
  const [mantissa = '', exponent = '0'] = magnitude.toExponential().split('e');
  return { digits: mantissa.replace('.', ''), pointAt: Number(exponent) + 1 };
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return undefined;
}

/** Plain decimals: "0.1", "-0", "100000000000000000000000", "NaN", "+Inf", "-Inf". */
export function formatFloat(value: number): string {
  if (Number.isSafeInteger(value)) return value === 0 && Object.is(value, -0) ? '-0' : String(value);
  const named = special(value);
  if (named !== undefined) return named;
  const magnitude = Math.abs(value);
  // Between these bounds JavaScript uses plain decimals too.
  if (magnitude >= 1e-6 && magnitude < 1e21) return String(value);
  const sign = value < 0 ? '-' : '';
  const { digits, pointAt } = shortestDigits(magnitude);
  if (pointAt <= 0) return `${sign}0.${'0'.repeat(-pointAt)}${digits}`;
  return sign + digits.padEnd(pointAt, '0');
}

/** Go's 'e': one digit, the others as a fraction, an exponent of two digits or more: "1.5e-07", "1e+00". */
export function formatFloatE(value: number): string {
  const named = special(value);
  if (named !== undefined) return named;
  const { digits, pointAt } = shortestDigits(Math.abs(value));
  const exponent = pointAt - 1;
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  const shown = String(Math.abs(exponent)).padStart(2, '0');
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${shown}`;
}

/** Go's %g and %v: plain decimals while 1e-4 <= |value| < 1e6 and for 0, otherwise with an exponent. */
export function formatFloatG(value: number): string {
  const magnitude = Math.abs(value);
  return magnitude === 0 || (magnitude >= 1e-4 && magnitude < 1e6) ? formatFloat(value) : formatFloatE(value);
}

/**
 * The text of a sample's value in a vector or matrix of the HTTP API: plain decimals while 1e-6 <= |value| < 1e21 and
 * for 0, otherwise with an exponent, as encoding/json does it. (Scalars there use formatFloat.)
 */
export function formatFloatJson(value: number): string {
  const magnitude = Math.abs(value);
  return magnitude === 0 || (magnitude >= 1e-6 && magnitude < 1e21)
    ? formatFloat(value)
    : formatFloatE(value);
}

// No two parts can take the same digits: a long run of them must not be divided in all ways before it is refused.
const decimal = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const infinity = /^[+-]?inf(?:inity)?$/i;
const notNumber = /^nan$/i;

/**
 * A float of an exposition format: decimals with an optional exponent, Inf or Infinity with an optional sign,
 * NaN, in any case. Undefined for anything else, also for what overflows, and for the hexadecimal and
 * underscored forms that newer Go knows and Prometheus refuses there.
 */
export function parseFloatText(text: string): number | undefined {
  if (decimal.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  if (infinity.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return notNumber.test(text) ? Number.NaN : undefined;
}
