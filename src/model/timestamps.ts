/**
 * Times as the HTTP API reads and writes them: seconds since the epoch with a fraction, or RFC 3339. Inside,
 * times are milliseconds. The API's own extreme times, which clients send to mean "all", lie outside four-digit years.
 */
import { CodedError } from '../base/index.ts';
import { durationMaxMs, parseDuration } from './durations.ts';
import { DurationError } from './errors.ts';
import { parseFloatText } from './numbers.ts';
import { quoteGo } from './quote.ts';

export class TimestampError extends CodedError {
  override readonly name = 'TimestampError';
  constructor(text: string) {
    super('bad_timestamp', `cannot parse ${quoteGo(text)} to a valid timestamp`);
  }
}

/** The largest date of JavaScript; beyond it a time means "no bound". */
const timeMaxMs = 8_640_000_000_000_000;

const rfc3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/;
const extremes: ReadonlyMap<string, number> = new Map([
  ['-292273086-05-16T16:47:06Z', -timeMaxMs],
  ['292277025-08-18T07:12:54.999999999Z', timeMaxMs],
]);

/** Milliseconds of unix seconds ("1700000000.5") or an RFC 3339 time. Throws TimestampError. */
export function parseTimestamp(text: string): number {
  const seconds = parseFloatText(text);
  if (seconds !== undefined) {
    if (Number.isNaN(seconds)) throw new TimestampError(text);
    // To whole milliseconds first: 1.001 seconds are 1000.9999999999999 times 0.001.
    return Math.max(-timeMaxMs, Math.min(timeMaxMs, Math.round(seconds * 1000)));
  }
  const extreme = extremes.get(text);
  if (extreme !== undefined) return extreme;
  const timeMs = parseRfc3339(text);
  if (timeMs === undefined) throw new TimestampError(text);
  return timeMs;
}

/** Milliseconds of an RFC 3339 time, further digits cut off; undefined when it is none. */
export function parseRfc3339(text: string): number | undefined {
  const [, whole, fraction = '', zone = ''] = rfc3339.exec(text) ?? [];
  const timeMs = whole === undefined ? Number.NaN : Date.parse(whole + zone);
  // Date.parse lets February 30th roll over into March.
  if (Number.isNaN(timeMs) || new Date(Date.parse(`${whole}Z`)).toISOString().slice(0, 19) !== whole) {
    return undefined;
  }
  return timeMs + Math.floor(Number(`0.${fraction || '0'}`) * 1000);
}

/** Seconds with three decimals, or none where they would be zero: "1700000000.050", "-3". A JSON number. */
export function formatTimestamp(timestampMs: number): string {
  const magnitudeMs = Math.abs(timestampMs);
  const fraction = magnitudeMs % 1000;
  const sign = timestampMs < 0 ? '-' : '';
  const decimals = fraction === 0 ? '' : `.${String(fraction).padStart(3, '0')}`;
  return `${sign}${(magnitudeMs - fraction) / 1000}${decimals}`;
}

/** Go's zero time, which stands for "never" and "no end". */
const goZeroTime = '0001-01-01T00:00:00Z';

/** RFC 3339 in UTC with only the fractional digits that are needed, as Go prints and marshals times. Undefined: Go's zero time. */
export function formatGoTime(timeMs: number | undefined): string {
  return timeMs === undefined ? goZeroTime : new Date(timeMs).toISOString().replace(/\.?0+Z$/, 'Z');
}

/** Milliseconds of seconds ("15", "0.5") or of a duration ("1m"), as the API's step and timeout. Throws DurationError. */
export function parseSecondsOrDuration(text: string): number {
  const seconds = parseFloatText(text);
  const message = `cannot parse ${quoteGo(text)} to a valid duration`;
  if (seconds !== undefined) {
    const durationMs = Math.trunc(seconds * 1000);
    if (Math.abs(durationMs) <= durationMaxMs) return durationMs;
    throw new DurationError(Number.isNaN(seconds) ? message : `${message}. It overflows int64`);
  }
  try {
    return parseDuration(text);
  } catch (cause) {
    throw new DurationError(message, { cause });
  }
}
