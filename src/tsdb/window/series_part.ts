/**
 * A series' samples from one window, and how those of several become one. Where two windows have a sample for the same
 * instant, that of the higher epoch stands, and within one epoch that of the window that came first.
 */
import { assert } from '../../base/index.ts';
import type { FloatHistogram, Labels } from '../../model/index.ts';
import type { ColumnArena } from './column_arena.ts';

/** Columns of equal length, ascending in time; moved by whole ranges or by bits, never through arithmetic. */
export interface SeriesPart {
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly histograms?: readonly (FloatHistogram | null)[] | undefined;
  /** In ms, 0 where unknown; absent where none is known. */
  readonly startTimes?: Float64Array | undefined;
}

/** What decides between two samples for one instant. */
export interface Precedence {
  readonly epoch: number;
  readonly sequence: number;
}

/** Negative when `a` stands before `b`. */
export function comparePrecedence(a: Precedence, b: Precedence): number {
  return b.epoch - a.epoch || a.sequence - b.sequence;
}

/** Parts of one series, the first of which stands where several have a sample. */
export function mergeParts(parts: readonly SeriesPart[], arena: ColumnArena): SeriesPart {
  const [first] = parts;
  assert(first !== undefined, 'there is something to merge');
  if (parts.length === 1) return first;
  const [, second] = parts;
  if (parts.length === 2 && second !== undefined) {
    if (endOf(first) < startOf(second)) return concatParts(parts, arena);
    return endOf(second) < startOf(first)
      ? concatParts([second, first], arena)
      : mergeTwo(first, second, arena);
  }
  const byTime = [...parts.entries()].sort(([, a], [, b]) => startOf(a) - startOf(b));
  const clusters: SeriesPart[] = [];
  let cluster: (readonly [rank: number, part: SeriesPart])[] = [];
  let endMs = Number.NEGATIVE_INFINITY;
  // Only what overlaps is merged sample by sample, so that a late value costs no more than its window.
  for (const entry of byTime) {
    const [, part] = entry;
    if (cluster.length > 0 && endMs < startOf(part)) {
      clusters.push(mergeOverlapping(cluster, arena));
      cluster = [];
    }
    cluster.push(entry);
    endMs = Math.max(endMs, endOf(part));
  }
  clusters.push(mergeOverlapping(cluster, arena));
  return concatParts(clusters, arena);
}

function startOf({ times }: SeriesPart): number {
  return times[0] as number;
}

function endOf({ times }: SeriesPart): number {
  return times[times.length - 1] as number;
}

function mergeOverlapping(
  cluster: (readonly [rank: number, part: SeriesPart])[],
  arena: ColumnArena,
): SeriesPart {
  return cluster
    .sort(([a], [b]) => a - b)
    .map(([, part]) => part)
    .reduce((a, b) => mergeTwo(a, b, arena));
}

/** Joins parts that follow each other in time. */
export function concatParts(parts: readonly SeriesPart[], arena: ColumnArena): SeriesPart {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const count = parts.reduce((sum, { times }) => sum + times.length, 0);
  const times = arena.joined(parts.map((part) => part.times));
  const values = arena.take(count);
  const startTimes = parts.some((part) => part.startTimes !== undefined)
    ? new Float64Array(count)
    : undefined;
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    if (part.startTimes !== undefined) startTimes?.set(part.startTimes, at);
    at += part.times.length;
  }
  const histograms = parts.some((part) => part.histograms !== undefined)
    ? parts.flatMap(histogramsOf)
    : undefined;
  return withOptional({ labels: (parts[0] as SeriesPart).labels, times, values }, histograms, startTimes);
}

/** The part without the samples between the two times, both included; undefined when none is left. */
export function cutOut(
  part: SeriesPart,
  fromMs: number,
  toMs: number,
  arena: ColumnArena,
): SeriesPart | undefined {
  const from = lowerBound(part.times, 0, part.times.length, fromMs);
  const to = lowerBound(part.times, from, part.times.length, toMs + 1);
  if (from === to) return part;
  const kept = [range(part, 0, from), range(part, to, part.times.length)].filter(
    ({ times }) => times.length > 0,
  );
  return kept.length === 0 ? undefined : concatParts(kept, arena);
}

/** The first position in `[from, to)` at or behind `timeMs`. */
export function lowerBound(times: Float64Array, from: number, to: number, timeMs: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Columns that say nothing are left out. */
export function withOptional(
  part: SeriesPart,
  histograms: readonly (FloatHistogram | null)[] | undefined,
  startTimes: Float64Array | undefined,
): SeriesPart {
  const { labels, times, values } = part;
  const isMixed = histograms?.some((one) => one !== null) === true;
  const areKnown = startTimes?.some((time) => time !== 0) === true;
  if (isMixed && areKnown) return { labels, times, values, histograms, startTimes };
  if (isMixed) return { labels, times, values, histograms };
  return areKnown ? { labels, times, values, startTimes } : { labels, times, values };
}

function range(part: SeriesPart, from: number, to: number): SeriesPart {
  const { labels, times, values, histograms, startTimes } = part;
  const columns = { labels, times: times.subarray(from, to), values: values.subarray(from, to) };
  return withOptional(columns, histograms?.slice(from, to), startTimes?.subarray(from, to));
}

function histogramsOf(part: SeriesPart): readonly (FloatHistogram | null)[] {
  return part.histograms ?? new Array<null>(part.times.length).fill(null);
}

function mergeTwo(a: SeriesPart, b: SeriesPart, arena: ColumnArena): SeriesPart {
  const times = arena.take(a.times.length + b.times.length);
  const values = arena.take(times.length);
  const out = words(values);
  const aWords = words(a.values);
  const bWords = words(b.values);
  const hasHistograms = a.histograms !== undefined || b.histograms !== undefined;
  const histograms: (FloatHistogram | null)[] = [];
  const hasStarts = a.startTimes !== undefined || b.startTimes !== undefined;
  const startTimes = new Float64Array(hasStarts ? times.length : 0);
  let count = 0;
  let i = 0;
  let j = 0;
  while (i < a.times.length || j < b.times.length) {
    const x = i < a.times.length ? (a.times[i] as number) : Number.POSITIVE_INFINITY;
    const y = j < b.times.length ? (b.times[j] as number) : Number.POSITIVE_INFINITY;
    const takesA = x <= y;
    const from = takesA ? aWords : bWords;
    const at = takesA ? i : j;
    times[count] = takesA ? x : y;
    out[count * 2] = from[at * 2] as number;
    out[count * 2 + 1] = from[at * 2 + 1] as number;
    if (hasHistograms) histograms.push((takesA ? a : b).histograms?.[at] ?? null);
    if (hasStarts) startTimes[count] = (takesA ? a : b).startTimes?.[at] ?? 0;
    if (x <= y) i++;
    if (y <= x) j++;
    count++;
  }
  const columns = { labels: a.labels, times: times.subarray(0, count), values: values.subarray(0, count) };
  return withOptional(
    columns,
    hasHistograms ? histograms : undefined,
    hasStarts ? startTimes.subarray(0, count) : undefined,
  );
}

/** Values as pairs of words, so that a NaN's bits are never touched. */
function words(values: Float64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
}
