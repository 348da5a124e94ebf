/** Numbers for human readers: Prometheus' humanize family, from its template reference. */
import { TemplateValueError } from './errors.ts';
import { formatGeneral } from './go_float.ts';
import { TemplateDuration, TemplateTime } from './time.ts';
import { type TemplateValue, typeName } from './value.ts';

const largeUnits: readonly string[] = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const binaryUnits: readonly string[] = ['ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'];
const smallUnits: readonly string[] = ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y'];

const short = (value: number): string => formatGeneral(value, 4);

/** A number from a float, an int, a duration (seconds) or a text. Throws TemplateValueError. */
export function toFloat(value: TemplateValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof TemplateDuration) return value.seconds;
  if (typeof value === 'string') return parseFloatGo(value);
  throw new TemplateValueError(`can't convert ${typeName(value)} to float`);
}

function parseFloatGo(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const rest = text.replace(/^[+-]/, '').toLowerCase();
  if (rest === 'nan') return Number.NaN;
  if (rest === 'inf' || rest === 'infinity') return sign * Number.POSITIVE_INFINITY;
  if (!/^(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/.test(rest)) {
    throw new TemplateValueError(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return sign * Number(rest);
}

function scaleDown(value: number, factor: number, units: readonly string[]): string {
  let scaled = value;
  let prefix = '';
  for (const unit of units) {
    if (Math.abs(scaled) < factor) break;
    prefix = unit;
    scaled /= factor;
  }
  return short(scaled) + prefix;
}

function scaleUp(value: number): string {
  let scaled = value;
  let prefix = '';
  for (const unit of smallUnits) {
    if (Math.abs(scaled) >= 1) break;
    prefix = unit;
    scaled *= 1000;
  }
  return short(scaled) + prefix;
}

export function humanize(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return short(value);
  return Math.abs(value) >= 1 ? scaleDown(value, 1000, largeUnits) : scaleUp(value);
}

export function humanize1024(value: number): string {
  if (Math.abs(value) <= 1 || !Number.isFinite(value)) return short(value);
  return scaleDown(value, 1024, binaryUnits);
}

/** Seconds as `1d 2h 3m 4s`, or with an SI prefix below one second. */
export function humanizeDuration(value: number): string {
  if (!Number.isFinite(value)) return short(value);
  if (value === 0) return '0s';
  const magnitude = Math.abs(value);
  if (magnitude < 1) return `${scaleUp(value)}s`;
  const sign = value < 0 ? '-' : '';
  const total = Math.trunc(magnitude);
  const seconds = total % 60;
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600) % 24;
  const days = Math.floor(total / 86_400);
  if (days !== 0) return `${sign}${days}d ${hours}h ${minutes}m ${seconds}s`;
  if (hours !== 0) return `${sign}${hours}h ${minutes}m ${seconds}s`;
  if (minutes !== 0) return `${sign}${minutes}m ${seconds}s`;
  return `${sign}${short(magnitude)}s`;
}

export function humanizePercentage(value: number): string {
  return `${short(value * 100)}%`;
}

/** A point in time from seconds; undefined for NaN and infinities. Throws TemplateValueError when out of range. */
export function floatToTime(seconds: number): TemplateTime | undefined {
  if (!Number.isFinite(seconds)) return undefined;
  if (Math.abs(seconds * 1e9) > 2 ** 63) {
    throw new TemplateValueError(
      `${seconds} cannot be represented as a nanoseconds timestamp since it overflows int64`,
    );
  }
  return new TemplateTime(Math.trunc(seconds * 1000));
}

export function humanizeTimestamp(seconds: number): string {
  return floatToTime(seconds)?.toString() ?? short(seconds);
}
