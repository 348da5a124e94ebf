// Decoders of `time_intervals`: ranges written as text, such as `monday:friday` or `-3:-1`.
import { type Decoder, decode } from '../model/index.ts';
import type { IntegerRange, MinuteRange, NamedTimeInterval, TimeInterval } from './config_types.ts';

const { field, string, list } = decode;

const weekdayNames = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const monthNames = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];

/** A whole number as Go's Atoi takes it. */
function wholeNumber(text: string): number {
  if (!/^[-+]?[0-9]+$/.test(text)) throw new Error(`"${text}" is not a whole number`);
  return Number(text);
}

function weekday(text: string): number {
  const index = weekdayNames.indexOf(text);
  if (index < 0) throw new Error(`${text} is not a valid weekday`);
  return index;
}

function month(text: string): number {
  const index = monthNames.indexOf(text);
  if (index >= 0) return index + 1;
  if (!/^[-+]?[0-9]+$/.test(text)) throw new Error(`${text} is not a valid month`);
  return Number(text);
}

const noRange: IntegerRange = { begin: 0, end: 0 };

/** One member, or two with a colon between them. `check` says what is wrong with the range. */
function range(
  member: (text: string) => number,
  check: (range: IntegerRange) => string | undefined,
): Decoder<IntegerRange> {
  return decode.fromText(noRange, (text) => {
    const parts = text.toLowerCase().split(':');
    if (parts.length > 2) throw new Error(`couldn't parse range ${text}, invalid format`);
    const [first = '', last = first] = parts;
    const found = { begin: member(first), end: member(last) };
    const problem = check(found);
    if (problem !== undefined) throw new Error(problem);
    return found;
  });
}

const weekdays = range(weekday, ({ begin, end }) =>
  begin > end ? 'start day cannot be before end day' : undefined,
);

const monthDayMax = 31;
/** The shortest month: a range that is empty in it may be empty for good. */
const shortestMonth = 28;

const daysOfMonth = range(wholeNumber, ({ begin, end }) => {
  for (const day of [begin, end]) {
    if (day === 0 || Math.abs(day) > monthDayMax) {
      return `${day} is not a valid day of the month: out of range`;
    }
  }
  if (begin < 0 && end > 0) return 'end day must be negative if start day is negative';
  const first = begin < 0 ? shortestMonth + begin : begin;
  const last = end < 0 ? shortestMonth + end : end;
  return first > last ? `end day ${end} is always before start day ${begin}` : undefined;
});

const months = range(month, ({ begin, end }) =>
  begin > end ? `end month ${end} is before start month ${begin}` : undefined,
);

const years = range(wholeNumber, ({ begin, end }) =>
  begin > end ? `end year ${end} is before start year ${begin}` : undefined,
);

function minuteOfDay(text: string): number {
  if (!/^((([01][0-9])|(2[0-3])):[0-5][0-9])$|^24:00$/.test(text)) {
    throw new Error(`couldn't parse timestamp ${text}, invalid format`);
  }
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
}

const times: Decoder<MinuteRange> = decode.section<
  { readonly startTime: string; readonly endTime: string },
  MinuteRange
>(
  { startTime: field('start_time', string), endTime: field('end_time', string) },
  ({ startTime, endTime }, report) => {
    if (startTime === '' || endTime === '') {
      report('both start and end times must be provided');
      return { startMinute: 0, endMinute: 0 };
    }
    const startMinute = attemptMinute(startTime, (message) => report(message, 'start_time'));
    const endMinute = attemptMinute(endTime, (message) => report(message, 'end_time'));
    if (startMinute !== undefined && endMinute !== undefined && startMinute >= endMinute) {
      report('start time cannot be equal or greater than end time', 'start_time');
    }
    return { startMinute: startMinute ?? 0, endMinute: endMinute ?? 0 };
  },
);

function attemptMinute(text: string, report: (message: string) => void): number | undefined {
  try {
    return minuteOfDay(text);
  } catch (error) {
    report(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** A time zone's name in the IANA database, `UTC`, or `Local`. */
const location: Decoder<string> = decode.fromText('UTC', (text) => {
  if (text === '' || text === 'Local') return text === '' ? 'UTC' : text;
  // The platform takes offsets such as +01:00 as names; Alertmanager does not.
  if (!/^[A-Za-z]/.test(text)) throw new Error(`unknown time zone ${text}`);
  let resolved: string;
  try {
    resolved = new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    throw new Error(`unknown time zone ${text}`);
  }
  // The platform does not mind the case of names; the database that Alertmanager reads does.
  if (resolved !== text && resolved.toLowerCase() === text.toLowerCase()) {
    throw new Error(`unknown time zone ${text}; is ${resolved} meant?`);
  }
  return text;
});

const interval = decode.object<TimeInterval>({
  times: field('times', decode.optionalList(times)),
  weekdays: field('weekdays', decode.optionalList(weekdays)),
  daysOfMonth: field('days_of_month', decode.optionalList(daysOfMonth)),
  months: field('months', decode.optionalList(months)),
  years: field('years', decode.optionalList(years)),
  location: field('location', location),
});

/** `time_intervals`, or with another word in its message the older `mute_time_intervals`. */
export function namedIntervals(what: string): Decoder<readonly NamedTimeInterval[]> {
  return list(
    decode.object<NamedTimeInterval>(
      { name: field('name', string), timeIntervals: field('time_intervals', list(interval)) },
      ({ name }, report) => {
        if (name === '') report(`missing name in ${what}`, 'name');
      },
    ),
    { nullItem: `missing name in ${what}` },
  );
}
