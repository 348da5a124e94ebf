/** Whether a moment lies in a configured time interval, on the calendar of the interval's zone. */
import type { TimeInterval } from './config.ts';

interface CalendarTime {
  readonly minute: number;
  readonly weekday: number;
  readonly day: number;
  readonly month: number;
  readonly year: number;
  readonly daysInMonth: number;
}

const weekdays: readonly string[] = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** Zones whose formatter is kept; making one takes longer than all else here by far. */
const formattersMax = 64;
const formatters = new Map<string, Intl.DateTimeFormat>();

/** The formatter of an IANA zone; '' is UTC. Throws RangeError for a zone that there is not. */
export function zoneFormatter(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone === '' ? 'UTC' : zone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const [oldest] = formatters.keys();
  if (formatters.size >= formattersMax && oldest !== undefined) formatters.delete(oldest);
  formatters.set(zone, made);
  return made;
}

/** Time on the wall in an IANA zone; '' is UTC. */
function calendarTime(nowMs: number, zone: string): CalendarTime {
  const parts = zoneFormatter(zone).formatToParts(nowMs);
  const part = new Map(parts.map(({ type, value }) => [type, value]));
  const numeric = (type: Intl.DateTimeFormatPartTypes): number => Number(part.get(type));
  const year = numeric('year');
  const month = numeric('month');
  return {
    minute: numeric('hour') * 60 + numeric('minute'),
    weekday: weekdays.indexOf(part.get('weekday') ?? ''),
    day: numeric('day'),
    month,
    year,
    daysInMonth: new Date(Date.UTC(year, month, 0)).getUTCDate(),
  };
}

type Range = { readonly begin: number; readonly end: number };

function within(ranges: readonly Range[] | undefined, value: number): boolean {
  return ranges === undefined || ranges.some(({ begin, end }) => value >= begin && value <= end);
}

/** Negative days count from the month's end; a range that lies outside the month holds no day of it. */
function withinDays(ranges: readonly Range[] | undefined, time: CalendarTime): boolean {
  if (ranges === undefined) return true;
  const place = (day: number): number => (day < 0 ? time.daysInMonth + day + 1 : day);
  return ranges.some(({ begin, end }) => {
    const first = place(begin);
    if (first > time.daysInMonth) return false;
    return time.day >= Math.max(1, first) && time.day <= Math.min(time.daysInMonth, place(end));
  });
}

export function inTimeInterval(interval: TimeInterval, nowMs: number): boolean {
  const time = calendarTime(nowMs, interval.location);
  const { times } = interval;
  const inTimes =
    times === undefined ||
    times.some(({ startMinute, endMinute }) => time.minute >= startMinute && time.minute < endMinute);
  return (
    inTimes &&
    withinDays(interval.daysOfMonth, time) &&
    within(interval.months, time.month) &&
    within(interval.weekdays, time.weekday) &&
    within(interval.years, time.year)
  );
}
