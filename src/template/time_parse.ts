/** Reads a time in one of Go's layouts made of numeric fields, month names and offsets. */
import { TemplateTime } from './time.ts';

const months: readonly string[] = [
  'jan',
  'feb',
  'mar',
  'apr',
  'may',
  'jun',
  'jul',
  'aug',
  'sep',
  'oct',
  'nov',
  'dec',
];

const fields: Readonly<Record<string, readonly [string, string]>> = {
  '2006': ['year', '(\\d{4})'],
  '01': ['month', '(\\d{2})'],
  '1': ['month', '(\\d{1,2})'],
  January: ['monthName', '([A-Za-z]+)'],
  Jan: ['monthName', '([A-Za-z]{3})'],
  '02': ['day', '(\\d{2})'],
  _2: ['day', '([ \\d]\\d)'],
  '2': ['day', '(\\d{1,2})'],
  '15': ['hour', '(\\d{2})'],
  '04': ['minute', '(\\d{2})'],
  '05': ['second', '(\\d{2}(?:\\.\\d{1,9})?)'],
  'Z07:00': ['offset', '(Z|[+-]\\d{2}:\\d{2})'],
  '-07:00': ['offset', '([+-]\\d{2}:\\d{2})'],
  '-0700': ['offset', '([+-]\\d{4})'],
  Monday: ['ignored', '([A-Za-z]+)'],
  Mon: ['ignored', '([A-Za-z]{3})'],
  MST: ['ignored', '([A-Z]{3,5})'],
};

const chunk = /January|Jan|Monday|Mon|MST|2006|01|02|_2|04|05|15|Z07:00|-07:00|-0700|1|2|\.0+|\.9+/g;

function offsetMs(text: string): number {
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(text);
  if (match === null) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return (match[1] === '-' ? -minutes : minutes) * 60_000;
}

/** undefined when the text does not have the layout, or names no real day or time. */
export function parseTimeLayout(layout: string, text: string): TemplateTime | undefined {
  const names: string[] = [];
  let pattern = '';
  let at = 0;
  const literal = (part: string): string => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  for (const match of layout.matchAll(chunk)) {
    pattern += literal(layout.slice(at, match.index));
    at = match.index + match[0].length;
    const field = fields[match[0]];
    // Fractions are read with the seconds before them.
    if (field === undefined) continue;
    names.push(field[0]);
    pattern += field[1];
  }
  const found = new RegExp(`^${pattern}${literal(layout.slice(at))}$`).exec(text);
  if (found === null) return undefined;
  const part = new Map(names.map((name, i) => [name, found[i + 1] ?? '']));
  const monthName = part.get('monthName')?.slice(0, 3).toLowerCase();
  const month = monthName === undefined ? Number(part.get('month') ?? 1) : months.indexOf(monthName) + 1;
  const day = Number(part.get('day') ?? 1);
  const date = new Date(0);
  date.setUTCFullYear(Number(part.get('year') ?? 0), month - 1, day);
  if (month < 1 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const [hour, minute, second] = [part.get('hour'), part.get('minute'), part.get('second')].map((v) =>
    Number(v ?? 0),
  );
  if ((hour ?? 0) > 23 || (minute ?? 0) > 59 || (second ?? 0) >= 60) return undefined;
  const clockMs = ((hour ?? 0) * 60 + (minute ?? 0)) * 60_000 + (second ?? 0) * 1000;
  return new TemplateTime(date.getTime() + clockMs - offsetMs(part.get('offset') ?? ''));
}
