/**
 * Prometheus durations: integers with units from years to milliseconds, biggest first ("1h30m", "2w"), as
 * configuration files, PromQL and the API write them. Years have 365 days. Held in milliseconds here; the
 * upper bound is that of Prometheus, which counts nanoseconds in 63 bits (about 292 years).
 */
import { DurationError } from './errors.ts';
import { quoteGo } from './quote.ts';

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const weekMs = 7 * dayMs;
const yearMs = 365 * dayMs;

/** The largest whole millisecond below 2^63 nanoseconds. */
export const durationMaxMs = 9_223_372_036_854;

/** From the biggest to the smallest, the order in which they must be written. */
const units: readonly (readonly [unit: string, ms: number])[] = [
  ['y', yearMs],
  ['w', weekMs],
  ['d', dayMs],
  ['h', hourMs],
  ['m', minuteMs],
  ['s', secondMs],
  ['ms', 1],
];

const part = /([0-9]+)([^0-9]+)/y;
const uint64Max = 18_446_744_073_709_551_615n;

/** Milliseconds of "0" or a duration such as "1h30m". Throws DurationError. */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  if (text === '') throw new DurationError('empty duration string');
  let totalMs = 0;
  let lastUnit = -1;
  part.lastIndex = 0;
  for (let at = 0; at < text.length; at = part.lastIndex) {
    const found = part.exec(text);
    const [, digits = '', unit = ''] = found ?? [];
    if (found === null || (digits.length > 19 && BigInt(digits) > uint64Max)) {
      throw new DurationError(`not a valid duration string: ${quoteGo(text)}`);
    }
    const index = units.findIndex(([name]) => name === unit);
    if (index < 0) throw new DurationError(`unknown unit ${quoteGo(unit)} in duration ${quoteGo(text)}`);
    if (index <= lastUnit) throw new DurationError(`not a valid duration string: ${quoteGo(text)}`);
    lastUnit = index;
    totalMs += Number(digits) * (units[index]?.[1] ?? 0);
    if (totalMs > durationMaxMs) throw new DurationError('duration out of range');
  }
  return totalMs;
}

/** Like parseDuration, with a leading minus allowed (offsets). */
export function parseSignedDuration(text: string): number {
  if (!text.startsWith('-')) return parseDuration(text);
  const durationMs = parseDuration(text.slice(1));
  return durationMs === 0 ? 0 : -durationMs;
}

/**
 * The shortest usual form: "0s", "1h30m", "90d". Years and weeks are used only where nothing is left over,
 * since 90d reads better than 12w6d. Fractions of a millisecond are cut off.
 */
export function formatDuration(durationMs: number): string {
  let rest = Math.trunc(Math.abs(durationMs));
  if (rest === 0) return '0s';
  let text = durationMs < 0 ? '-' : '';
  for (const [unit, ms] of units) {
    if ((unit === 'y' || unit === 'w') && rest % ms !== 0) continue;
    const count = Math.floor(rest / ms);
    if (count === 0) continue;
    text += `${count}${unit}`;
    rest -= count * ms;
  }
  return text;
}
