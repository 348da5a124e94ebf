/**
 * The Gregorian calendar for all times that fit into 64 bits of seconds, in UTC. What is no such time counts as the
 * least one, which is taken for one behind the greatest: so does Go on the processors that most people have.
 */
export interface CivilTime {
  /** Since the epoch. */
  readonly days: number;
  readonly secondOfDay: number;
  readonly year: number;
  /** From 1 on, as are days. */
  readonly month: number;
  readonly day: number;
}

const dayLength = 86_400;
const wholeMax = 2 ** 63;
/** Go's calendar begins in the year -292277022399; what lies before it goes round. */
const leastSeconds = -9_223_372_028_741_760_000n;
const roundSeconds = 1n << 64n;

/** 400 years. */
const eraDays = 146_097;
/** From March 1st of the year 0, with which an era begins, to the epoch. */
const epochDays = 719_468;

export function civilTime(seconds: number): CivilTime {
  const whole = Math.trunc(seconds);
  if (Number.isSafeInteger(whole)) {
    const days = Math.floor(whole / dayLength);
    return { days, secondOfDay: whole - days * dayLength, ...dateOf(days) };
  }
  const given = Math.abs(whole) < wholeMax ? BigInt(whole) : -(1n << 63n);
  const exact = given < leastSeconds ? given + roundSeconds : given;
  const length = BigInt(dayLength);
  const secondOfDay = Number(((exact % length) + length) % length);
  const days = Number((exact - BigInt(secondOfDay)) / length);
  return { days, secondOfDay, ...dateOf(days) };
}

/** Years begin in March here, so that a leap day is the last of its year. */
function dateOf(days: number): Pick<CivilTime, 'year' | 'month' | 'day'> {
  const since = days + epochDays;
  const era = Math.floor(since / eraDays);
  const dayOfEra = since - era * eraDays;
  const leaps = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

const monthLengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function daysInMonth({ year, month }: CivilTime): number {
  return month === 2 && isLeapYear(year) ? 29 : (monthLengths[month - 1] as number);
}

export function dayOfYear(time: CivilTime): number {
  let total = time.day;
  for (let month = 1; month < time.month; month++) total += daysInMonth({ ...time, month });
  return total;
}

/** Sunday is 0. */
export function dayOfWeek({ days }: CivilTime): number {
  return (((days + 4) % 7) + 7) % 7;
}
