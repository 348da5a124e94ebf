/**
 * Floats as text in the manner of Go's strconv.FormatFloat for 'e', 'f' and 'g'. JavaScript's own
 * formatting agrees except in how it writes exponents and that it rounds exact ties up, Go to even.
 */

/** Significant digits of a tie's exact expansion that are looked at; the platform's maximum. */
const exactDigitsMax = 100;

/** Go's precision bound for our purposes; beyond it the platform can't print. */
export const precisionMax = 100;

interface Decimal {
  /** Significant digits without the point, no sign. */
  readonly digits: string;
  /** Power of ten of the first digit. */
  readonly exponent: number;
}

function parseExponential(text: string): Decimal {
  const at = text.indexOf('e');
  return { digits: text.slice(0, at).replace('.', ''), exponent: Number(text.slice(at + 1)) };
}

function increment(decimal: Decimal): Decimal {
  const next = (BigInt(decimal.digits) + 1n).toString().padStart(decimal.digits.length, '0');
  if (next.length === decimal.digits.length) return { digits: next, exponent: decimal.exponent };
  return { digits: next.slice(0, -1), exponent: decimal.exponent + 1 };
}

/** Rounds a non-negative value to `count` significant digits, exact ties to even. */
function roundSignificant(value: number, count: number): Decimal {
  const exact = parseExponential(value.toExponential(exactDigitsMax));
  const kept: Decimal = { digits: exact.digits.slice(0, count), exponent: exact.exponent };
  const rest = exact.digits.slice(count);
  const first = rest.charAt(0);
  const tie = first === '5' && /^50*$/.test(rest);
  const last = Number(kept.digits.at(-1) ?? '0');
  const up = tie ? last % 2 === 1 : first >= '5' && first <= '9';
  return up ? increment(kept) : kept;
}

function exponentText(exponent: number, upper: boolean): string {
  const magnitude = Math.abs(exponent).toString().padStart(2, '0');
  return `${upper ? 'E' : 'e'}${exponent < 0 ? '-' : '+'}${magnitude}`;
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return undefined;
}

function withSign(value: number, text: string): string {
  return value < 0 || Object.is(value, -0) ? `-${text}` : text;
}

function placeExponential(decimal: Decimal): string {
  const { digits } = decimal;
  return digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
}

function placeFixed(decimal: Decimal): string {
  const { digits, exponent } = decimal;
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return digits.padEnd(exponent + 1, '0');
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** `%e` with `precision` digits after the point; -1: as many as needed. */
export function formatExponential(value: number, precision: number, upper = false): string {
  const known = special(value);
  if (known !== undefined) return known;
  const magnitude = Math.abs(value);
  const decimal =
    precision < 0 || magnitude === 0
      ? parseExponential(precision < 0 ? magnitude.toExponential() : magnitude.toExponential(precision))
      : roundSignificant(magnitude, precision + 1);
  return withSign(value, placeExponential(decimal) + exponentText(decimal.exponent, upper));
}

/** `%f` with `precision` digits after the point; -1: as many as needed. */
export function formatFixed(value: number, precision: number): string {
  const known = special(value);
  if (known !== undefined) return known;
  const magnitude = Math.abs(value);
  if (precision < 0) return withSign(value, placeFixed(parseExponential(magnitude.toExponential())));
  if (magnitude === 0) return withSign(value, magnitude.toFixed(precision));
  const significant = parseExponential(magnitude.toExponential()).exponent + precision + 1;
  if (significant > exactDigitsMax || magnitude >= 1e21) {
    const whole = BigInt(Math.trunc(magnitude)).toString();
    return withSign(value, precision > 0 ? `${whole}.${'0'.repeat(precision)}` : whole);
  }
  // Nothing of the value is left of the last place: only its size against half a unit counts.
  if (significant < 0) return withSign(value, (0).toFixed(precision));
  const decimal = significant === 0 ? roundToUnit(magnitude) : roundSignificant(magnitude, significant);
  const [whole = '0', fraction = ''] = placeFixed(decimal).split('.');
  return withSign(
    value,
    precision > 0 ? `${whole}.${fraction.padEnd(precision, '0').slice(0, precision)}` : whole,
  );
}

/** The value lies below the last place: above half of it rounds up, half and less to zero (even). */
function roundToUnit(value: number): Decimal {
  const exact = parseExponential(value.toExponential(exactDigitsMax));
  const up = exact.digits > `5${'0'.repeat(exactDigitsMax)}`;
  return { digits: up ? '1' : '0', exponent: exact.exponent + 1 };
}

/** Without a precision, Go writes an exponent from 10^6 on. */
const shortestExponentMin = 6;

/** `%g`: exponential when the exponent is below -4 or at least the precision; -1: shortest that reads back. */
export function formatGeneral(value: number, precision: number, upper = false): string {
  const known = special(value);
  if (known !== undefined) return known;
  const magnitude = Math.abs(value);
  if (magnitude === 0) return withSign(value, '0');
  const shortest = precision < 0;
  const wanted = precision === 0 ? 1 : precision;
  const rounded = shortest
    ? parseExponential(magnitude.toExponential())
    : roundSignificant(magnitude, wanted);
  const digits = rounded.digits.replace(/0+$/, '');
  const decimal: Decimal = { digits, exponent: rounded.exponent };
  const point = decimal.exponent + 1;
  let threshold = wanted;
  if (threshold > digits.length && digits.length >= point) threshold = digits.length;
  if (shortest) threshold = shortestExponentMin;
  if (decimal.exponent < -4 || decimal.exponent >= threshold) {
    return withSign(value, placeExponential(decimal) + exponentText(decimal.exponent, upper));
  }
  return withSign(value, placeFixed(decimal));
}
