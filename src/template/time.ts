/**
 * Times and durations in templates, printed and formatted as Go's package time does ("Mon Jan 2 15:04:05 MST
 * 2006" layouts). Zones come from the platform's IANA database through Intl.
 */
import { TemplateValueError } from './errors.ts';
import { type Methods, stringArg, templateFunction } from './value.ts';

const nsPerSecond = 1_000_000_000n;
/** Durations are 64-bit integers. */
const nsMax = 2n ** 63n - 1n;

/** A span of time; nanoseconds. */
export class TemplateDuration {
  readonly typeName: string = 'time.Duration';
  readonly ns: bigint;

  constructor(ns: bigint) {
    this.ns = ns;
  }

  /** Beyond 292 years either way the longest duration, as Go's Time.Sub gives it. `seconds` is no NaN. */
  static ofSeconds(seconds: number): TemplateDuration {
    const ns = Math.round(seconds * 1e9);
    if (Math.abs(ns) >= 2 ** 63) return new TemplateDuration(ns > 0 ? nsMax : -nsMax - 1n);
    return new TemplateDuration(BigInt(ns));
  }

  get seconds(): number {
    return Number(this.ns) / 1e9;
  }

  get methods(): Methods {
    return {
      Seconds: templateFunction(0, 0, () => this.seconds),
      Minutes: templateFunction(0, 0, () => this.seconds / 60),
      Hours: templateFunction(0, 0, () => this.seconds / 3600),
      Milliseconds: templateFunction(0, 0, () => this.ns / 1_000_000n),
      String: templateFunction(0, 0, () => this.toString()),
    };
  }

  /** Go's Duration.String: `1h2m3.5s`, `1.5ms`, `0s`. */
  toString(): string {
    if (this.ns === 0n) return '0s';
    const sign = this.ns < 0n ? '-' : '';
    const ns = this.ns < 0n ? -this.ns : this.ns;
    if (ns < nsPerSecond) {
      if (ns < 1000n) return `${sign}${ns}ns`;
      if (ns < 1_000_000n) return `${sign}${fraction(ns, 1000n)}µs`;
      return `${sign}${fraction(ns, 1_000_000n)}ms`;
    }
    const minutes = ns / (60n * nsPerSecond);
    const seconds = `${fraction(ns % (60n * nsPerSecond), nsPerSecond)}s`;
    if (minutes === 0n) return sign + seconds;
    if (minutes < 60n) return `${sign}${minutes}m${seconds}`;
    return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
  }
}

function fraction(value: bigint, unit: bigint): string {
  const rest = value % unit;
  if (rest === 0n) return String(value / unit);
  const digits = String(rest).padStart(String(unit).length - 1, '0');
  return `${value / unit}.${digits.replace(/0+$/, '')}`;
}

interface Wall {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly weekday: number;
  readonly yearDay: number;
  readonly nanosecond: number;
  readonly offsetSeconds: number;
  readonly zoneName: string;
}

/** Milliseconds of Go's zero time, 0001-01-01T00:00:00Z. */
export const zeroTimeMs = -62_135_596_800_000;

/** A point in time, shown in a zone. */
export class TemplateTime {
  readonly typeName: string = 'time.Time';
  /** Milliseconds since the Unix epoch, fractions allowed. */
  readonly epochMs: number;
  readonly zone: string;

  constructor(epochMs: number, zone = 'UTC') {
    this.epochMs = epochMs;
    this.zone = zone;
  }

  /** Throws TemplateValueError for a zone that the platform doesn't know. */
  inZone(zone: string): TemplateTime {
    if (zone === '' || zone === 'UTC') return new TemplateTime(this.epochMs);
    try {
      new Intl.DateTimeFormat('en-US', { timeZone: zone });
    } catch (cause) {
      throw new TemplateValueError(`unknown time zone ${zone}`, { cause });
    }
    return new TemplateTime(this.epochMs, zone);
  }

  get methods(): Methods {
    const part = (read: (wall: Wall) => bigint) => templateFunction(0, 0, () => read(this.#wall()));
    return {
      Unix: templateFunction(0, 0, () => BigInt(Math.floor(this.epochMs / 1000))),
      UnixMilli: templateFunction(0, 0, () => BigInt(Math.floor(this.epochMs))),
      UnixNano: templateFunction(0, 0, () => BigInt(Math.floor(this.epochMs * 1000)) * 1000n),
      Format: templateFunction(1, 1, (args) => this.format(stringArg(args, 0))),
      String: templateFunction(0, 0, () => this.toString()),
      UTC: templateFunction(0, 0, () => this.inZone('UTC')),
      IsZero: templateFunction(0, 0, () => this.epochMs === zeroTimeMs),
      Year: part((wall) => BigInt(wall.year)),
      Month: templateFunction(0, 0, () => monthNames[this.#wall().month - 1] ?? ''),
      Day: part((wall) => BigInt(wall.day)),
      Hour: part((wall) => BigInt(wall.hour)),
      Minute: part((wall) => BigInt(wall.minute)),
      Second: part((wall) => BigInt(wall.second)),
      YearDay: part((wall) => BigInt(wall.yearDay)),
      Weekday: templateFunction(0, 0, () => dayNames[this.#wall().weekday] ?? ''),
      Sub: templateFunction(1, 1, (args) => {
        const other = args[0];
        if (!(other instanceof TemplateTime)) throw new TemplateValueError('Sub expects a time');
        return TemplateDuration.ofSeconds((this.epochMs - other.epochMs) / 1000);
      }),
      Before: templateFunction(1, 1, (args) => this.epochMs < timeOf(args[0] ?? null)),
      After: templateFunction(1, 1, (args) => this.epochMs > timeOf(args[0] ?? null)),
      Equal: templateFunction(1, 1, (args) => this.epochMs === timeOf(args[0] ?? null)),
    };
  }

  /** Go's Time.String: `2006-01-02 15:04:05.999999999 -0700 MST`. */
  toString(): string {
    return this.format('2006-01-02 15:04:05.999999999 -0700 MST');
  }

  /** RFC 3339 with as many fractional digits as needed, as Go writes JSON. */
  toRfc3339(): string {
    return this.format('2006-01-02T15:04:05.999999999Z07:00');
  }

  format(layout: string): string {
    const wall = this.#wall();
    return layout.replace(layoutPattern, (chunk) => formatChunk(chunk, wall));
  }

  #wall(): Wall {
    const wholeMs = Math.floor(this.epochMs);
    const offsetSeconds = this.zone === 'UTC' ? 0 : zoneOffsetSeconds(wholeMs, this.zone);
    const shifted = new Date(wholeMs + offsetSeconds * 1000);
    const year = shifted.getUTCFullYear();
    const yearStart = new Date(0);
    yearStart.setUTCFullYear(year, 0, 1);
    const secondStartMs = Math.floor(this.epochMs / 1000) * 1000;
    return {
      year,
      month: shifted.getUTCMonth() + 1,
      day: shifted.getUTCDate(),
      hour: shifted.getUTCHours(),
      minute: shifted.getUTCMinutes(),
      second: shifted.getUTCSeconds(),
      weekday: shifted.getUTCDay(),
      yearDay: Math.floor((shifted.getTime() - yearStart.getTime()) / 86_400_000) + 1,
      nanosecond: Math.round((this.epochMs - secondStartMs) * 1e6),
      offsetSeconds,
      zoneName: this.zone === 'UTC' ? 'UTC' : zoneAbbreviation(wholeMs, this.zone),
    };
  }
}

function timeOf(value: unknown): number {
  if (value instanceof TemplateTime) return value.epochMs;
  throw new TemplateValueError('expected a time');
}

function zonePart(epochMs: number, zone: string, style: 'longOffset' | 'short'): string {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: style });
  return format.formatToParts(epochMs).find((part) => part.type === 'timeZoneName')?.value ?? '';
}

/** `GMT+05:30` to seconds east of UTC. */
function zoneOffsetSeconds(epochMs: number, zone: string): number {
  const match = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(zonePart(epochMs, zone, 'longOffset'));
  if (match === null) return 0;
  const seconds = Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0);
  return match[1] === '-' ? -seconds : seconds;
}

function zoneAbbreviation(epochMs: number, zone: string): string {
  const short = zonePart(epochMs, zone, 'short');
  // Zones without an English abbreviation read `GMT+3`; Go prints the offset alone.
  const match = /^GMT([+-])(\d+)(?::(\d+))?$/.exec(short);
  if (match === null) return short;
  return `${match[1]}${(match[2] ?? '').padStart(2, '0')}${match[3] ?? ''}`;
}

const monthNames: readonly string[] = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const dayNames: readonly string[] = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
];

/** Longest alternatives first: `January` before `Jan`, `02` before `2`, `002` before `02`. */
const layoutPattern =
  /January|Jan|Monday|Mon|MST|2006|002|01|02|03|04|05|06|15|__2|_2|PM|pm|Z070000|Z07:00:00|Z0700|Z07:00|Z07|-070000|-07:00:00|-0700|-07:00|-07|[.,]0+(?!\d)|[.,]9+(?!\d)|1|2|3|4|5/g;

const two = (value: number): string => String(value).padStart(2, '0');

function offsetText(chunk: string, offsetSeconds: number): string {
  if (chunk.startsWith('Z') && offsetSeconds === 0) return 'Z';
  const magnitude = Math.abs(offsetSeconds);
  const colon = chunk.includes(':') ? ':' : '';
  let text = (offsetSeconds < 0 ? '-' : '+') + two(Math.floor(magnitude / 3600));
  const digits = chunk.replace(/[^0-9]/g, '').length;
  if (digits >= 4) text += colon + two(Math.floor(magnitude / 60) % 60);
  if (digits >= 6) text += colon + two(magnitude % 60);
  return text;
}

function fractionText(chunk: string, nanosecond: number): string {
  const digits = String(nanosecond)
    .padStart(9, '0')
    .slice(0, chunk.length - 1)
    .padEnd(chunk.length - 1, '0');
  if (chunk.charAt(1) === '0') return chunk.charAt(0) + digits;
  const trimmed = digits.replace(/0+$/, '');
  return trimmed === '' ? '' : chunk.charAt(0) + trimmed;
}

const hour12 = (hour: number): number => (hour % 12 === 0 ? 12 : hour % 12);

const chunkWriters: Readonly<Record<string, (wall: Wall) => string>> = {
  January: (wall) => monthNames[wall.month - 1] ?? '',
  Jan: (wall) => (monthNames[wall.month - 1] ?? '').slice(0, 3),
  Monday: (wall) => dayNames[wall.weekday] ?? '',
  Mon: (wall) => (dayNames[wall.weekday] ?? '').slice(0, 3),
  MST: (wall) => wall.zoneName,
  '2006': (wall) => String(wall.year).padStart(4, '0'),
  '06': (wall) => two(wall.year % 100),
  '01': (wall) => two(wall.month),
  '1': (wall) => String(wall.month),
  '02': (wall) => two(wall.day),
  '2': (wall) => String(wall.day),
  _2: (wall) => String(wall.day).padStart(2, ' '),
  __2: (wall) => String(wall.yearDay).padStart(3, ' '),
  '002': (wall) => String(wall.yearDay).padStart(3, '0'),
  '15': (wall) => two(wall.hour),
  '03': (wall) => two(hour12(wall.hour)),
  '3': (wall) => String(hour12(wall.hour)),
  '04': (wall) => two(wall.minute),
  '4': (wall) => String(wall.minute),
  '05': (wall) => two(wall.second),
  '5': (wall) => String(wall.second),
  PM: (wall) => (wall.hour >= 12 ? 'PM' : 'AM'),
  pm: (wall) => (wall.hour >= 12 ? 'pm' : 'am'),
};

function formatChunk(chunk: string, wall: Wall): string {
  const write = chunkWriters[chunk];
  if (write !== undefined) return write(wall);
  if (chunk.startsWith('Z') || chunk.startsWith('-')) return offsetText(chunk, wall.offsetSeconds);
  return fractionText(chunk, wall.nanosecond);
}
