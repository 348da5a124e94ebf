/**
 * Float text as Go writes and reads it. Prometheus' JSON shows values with strconv.FormatFloat(v, 'f', -1, 64):
 * the shortest decimal that reads back the same, never with an exponent; its string forms use %g instead.
 * JavaScript's own shortest form has the same digits, so only the layout differs.
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

/** Go's %g and %v: plain decimals while 1e-4 <= |value| < 1e6, otherwise an exponent of two digits or more. */
export function formatFloatG(value: number): string {
  const named = special(value);
  if (named !== undefined) return named;
  const magnitude = Math.abs(value);
  if (magnitude === 0 || (magnitude >= 1e-4 && magnitude < 1e6)) return formatFloat(value);
  const { digits, pointAt } = shortestDigits(magnitude);
  const exponent = pointAt - 1;
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  const shown = String(Math.abs(exponent)).padStart(2, '0');
  return `${value < 0 ? '-' : ''}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${shown}`;
}

const decimal = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
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
