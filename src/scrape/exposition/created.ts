/**
 * Start times of an OpenMetrics family: a `_created` line tells since when the samples of the same labels count, and it
 * stands after them. So the lines of a family are looked through for such ones before its samples are read.
 */
import { hash, isUtf8, lineEnd, metricNameEnd } from './ascii.ts';
import { parseFloatBytes } from './number.ts';
import { parseSeries, type SeriesDialect, seriesEnd } from './series.ts';
import type { TextSource } from './sink.ts';

const suffix = '_created';
const suffixBytes = new TextEncoder().encode(suffix);
/** The label by which the series of one histogram or summary differ. */
const ownLabel: Readonly<Record<string, string>> = { counter: '', histogram: 'le', summary: 'quantile' };
/** Endings of the names of a family's samples. */
const sampleSuffix = /(_total|_bucket|_count|_sum)$/;

/** Whether families of this type have start times. */
export const hasStartTimes = (type: string): boolean => Object.hasOwn(ownLabel, type);

/** Whether `name` is that of a start time in a family of this type. */
export const isCreatedName = (name: string, type: string): boolean =>
  hasStartTimes(type) && name.endsWith(suffix);

export class CreatedTimes {
  readonly #timeOf = new Map<string, number>();
  readonly #dialect: SeriesDialect;
  readonly #texts: TextSource;
  readonly #number = new Float64Array(1);

  constructor(dialect: SeriesDialect, texts: TextSource) {
    this.#dialect = dialect;
    this.#texts = texts;
  }

  get size(): number {
    return this.#timeOf.size;
  }

  /** Takes the start times of the family whose lines begin at `at`, and forgets those of the one before. */
  collect(body: Uint8Array, at: number, type: string): void {
    this.#timeOf.clear();
    if (!hasStartTimes(type)) return;
    for (let start = at; start < body.length; ) {
      if (body[start] === hash) return;
      const end = lineEnd(body, start);
      if (mayBeCreated(body, start, end)) this.#note(body, start, end, type);
      start = end + 1;
    }
  }

  /** In milliseconds; 0 when it was not told. */
  of(name: string, labels: readonly string[], type: string): number {
    return this.#timeOf.get(keyOf(name.replace(sampleSuffix, ''), labels, type)) ?? 0;
  }

  #note(body: Uint8Array, start: number, end: number, type: string): void {
    const nameEnd = seriesEnd(body, start, this.#dialect);
    // What can't be read is complained of where the line is read for itself.
    if (nameEnd >= end || !isUtf8(body, start, end)) return;
    let valueEnd = nameEnd + 1;
    while (valueEnd < end && body[valueEnd] !== 0x20) valueEnd++;
    if (!parseFloatBytes(body, nameEnd + 1, valueEnd, this.#number)) return;
    const { name, labels } = parseSeries(body, start, this.#dialect, this.#texts);
    if (!name.endsWith(suffix)) return;
    const family = name.slice(0, -suffix.length);
    this.#timeOf.set(keyOf(family, labels, type), Math.trunc((this.#number[0] as number) * 1000));
  }
}

/** A cheap look before anything is decoded: the suffix where the plain name ends, or a quoted name. */
function mayBeCreated(body: Uint8Array, start: number, end: number): boolean {
  const nameEnd = metricNameEnd(body, start);
  if (nameEnd === start) return end > start;
  const from = nameEnd - suffixBytes.length;
  return from >= start && suffixBytes.every((byte, i) => body[from + i] === byte);
}

function keyOf(family: string, labels: readonly string[], type: string): string {
  const own = ownLabel[type];
  const pairs: string[] = [];
  for (let i = 0; i < labels.length; i += 2) {
    if (labels[i] !== own) pairs.push(`${labels[i]}\xff${labels[i + 1]}`);
  }
  return `${family}\xff${pairs.sort().join('\xff')}`;
}
