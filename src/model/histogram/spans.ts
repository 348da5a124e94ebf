/**
 * One side of a histogram (its positive or its negative buckets) in two forms: spans with counts, as it is
 * stored and sent, and sorted bucket indices with counts, in which merging two sides is a plain merge of two
 * sorted lists. Arithmetic goes spans → indices → spans; equal layouts skip that.
 */

import { targetIndex } from './bounds.ts';
import type { Span } from './fields.ts';

/** Ascending bucket indices, and a count for each. */
export interface Side {
  readonly indices: Int32Array;
  readonly counts: Float64Array;
}

export interface SpannedBuckets {
  readonly spans: readonly Span[];
  readonly buckets: Float64Array;
}

/** The most empty buckets that compact() may write out; wider gaps stay gaps whatever the caller allows. */
const filledMax = 65_536;

/** Bucket indices of the spans. Never more than there are buckets, however long a span claims to be. */
export function indicesOf(spans: readonly Span[], bucketCount: number): Int32Array {
  const indices = new Int32Array(bucketCount);
  let filled = 0;
  let index = 0;
  for (const span of spans) {
    index += span.offset;
    const take = Math.min(span.length, bucketCount - filled);
    for (let i = 0; i < take; i++) indices[filled++] = index + i;
    index += span.length;
  }
  return filled === bucketCount ? indices : indices.slice(0, filled);
}

export function sideOf(spans: readonly Span[], buckets: Float64Array): Side {
  const indices = indicesOf(spans, buckets.length);
  return { indices, counts: buckets.subarray(0, indices.length) };
}

/** The spans for ascending indices: neighbours share one. */
export function spansOf(indices: Int32Array): Span[] {
  const spans: { offset: number; length: number }[] = [];
  let next = 0;
  for (const index of indices) {
    const last = spans.at(-1);
    if (last !== undefined && index === next) last.length++;
    else spans.push({ offset: last === undefined ? index : index - next, length: 1 });
    next = index + 1;
  }
  return spans;
}

export function spanned(side: Side): SpannedBuckets {
  return { spans: spansOf(side.indices), buckets: side.counts };
}

/** Whether both describe the same buckets; spans of length 0 make no difference. */
export function sameLayout(a: readonly Span[], b: readonly Span[], bucketCount: number): boolean {
  if (a === b) return true;
  if (a.length === b.length && a.every((s, i) => s.offset === b[i]?.offset && s.length === b[i]?.length)) {
    return true;
  }
  const left = indicesOf(a, bucketCount);
  const right = indicesOf(b, bucketCount);
  return left.length === right.length && left.every((index, i) => index === right[i]);
}

/** Only the buckets for which `keep` says so, by position. */
export function filterSide(side: Side, keep: (position: number) => boolean): Side {
  const kept: number[] = [];
  for (let i = 0; i < side.indices.length; i++) if (keep(i)) kept.push(i);
  if (kept.length === side.indices.length) return side;
  return {
    indices: Int32Array.from(kept, (i) => side.indices[i] as number),
    counts: Float64Array.from(kept, (i) => side.counts[i] as number),
  };
}

/** The buckets that hold something, of a dense column of counts. */
export function populatedOf(counts: Float64Array): Side {
  const dense: Side = { indices: Int32Array.from(counts.keys()), counts };
  return filterSide(dense, (i) => counts[i] !== 0);
}

/** a + sign × b. */
export function mergeSides(a: Side, b: Side, sign: 1 | -1): Side {
  const size = a.indices.length + b.indices.length;
  const indices = new Int32Array(size);
  const counts = new Float64Array(size);
  let i = 0;
  let j = 0;
  let length = 0;
  while (i < a.indices.length || j < b.indices.length) {
    const left = a.indices[i] ?? Number.POSITIVE_INFINITY;
    const right = b.indices[j] ?? Number.POSITIVE_INFINITY;
    indices[length] = Math.min(left, right);
    if (left < right) counts[length] = a.counts[i] as number;
    else if (left > right) counts[length] = sign * (b.counts[j] as number);
    else counts[length] = (a.counts[i] as number) + sign * (b.counts[j] as number);
    if (left <= right) i++;
    if (right <= left) j++;
    length++;
  }
  return { indices: indices.slice(0, length), counts: counts.slice(0, length) };
}

/** Merges buckets until they are those of the lower exponential schema. */
export function reduceSide(side: Side, fromSchema: number, toSchema: number): Side {
  if (fromSchema === toSchema) return side;
  const indices = new Int32Array(side.indices.length);
  const counts = new Float64Array(side.indices.length);
  let length = 0;
  for (let i = 0; i < side.indices.length; i++) {
    const target = targetIndex(side.indices[i] as number, fromSchema, toSchema);
    if (length === 0 || indices[length - 1] !== target) indices[length++] = target;
    counts[length - 1] = (counts[length - 1] as number) + (side.counts[i] as number);
  }
  return { indices: indices.slice(0, length), counts: counts.slice(0, length) };
}

/** Drops empty buckets, except that up to emptyMax of them are written out where they join two others. */
export function compactSide(side: Side, emptyMax: number): Side {
  const populated = filterSide(side, (i) => side.counts[i] !== 0);
  if (emptyMax === 0 || populated.indices.length === 0) return populated;
  const indices: number[] = [];
  const counts: number[] = [];
  for (let i = 0; i < populated.indices.length; i++) {
    const index = populated.indices[i] as number;
    const next = i === 0 ? index : (populated.indices[i - 1] as number) + 1;
    const gap = index - next;
    if (gap <= emptyMax && indices.length + gap <= filledMax) {
      for (let empty = next; empty < index; empty++) {
        indices.push(empty);
        counts.push(0);
      }
    }
    indices.push(index);
    counts.push(populated.counts[i] as number);
  }
  return { indices: Int32Array.from(indices), counts: Float64Array.from(counts) };
}

/** Running sums: integer histograms are stored as differences between neighbouring buckets. */
export function countsFromDeltas(deltas: ArrayLike<number>): Float64Array {
  const counts = new Float64Array(deltas.length);
  let count = 0;
  for (let i = 0; i < deltas.length; i++) {
    count += deltas[i] as number;
    counts[i] = count;
  }
  return counts;
}

export function deltasFromCounts(counts: Float64Array): Float64Array {
  return counts.map((count, i) => count - (i === 0 ? 0 : (counts[i - 1] as number)));
}
