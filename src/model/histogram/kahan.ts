/**
 * Compensated addition (Kahan's, in Neumaier's form that also holds when the addend is the larger one) over columns: what
 * rounding loses at each step is kept beside the sums and added back at the end.
 */
import type { Side } from './spans.ts';

/** One side of a histogram with what rounding has lost so far, per bucket. */
export interface CompensatedSide extends Side {
  readonly lost: Float64Array;
}

export const emptySide: CompensatedSide = {
  indices: new Int32Array(0),
  counts: new Float64Array(0),
  lost: new Float64Array(0),
};

/** sums[at] += value, the rounding error into lost[at]. An infinite sum has no error worth keeping. */
export function addCompensated(sums: Float64Array, lost: Float64Array, at: number, value: number): void {
  const before = sums[at] as number;
  const after = before + value;
  sums[at] = after;
  if (Math.abs(after) === Number.POSITIVE_INFINITY) lost[at] = 0;
  else if (Math.abs(before) >= Math.abs(value)) lost[at] = (lost[at] as number) + (before - after + value);
  else lost[at] = (lost[at] as number) + (value - after + before);
}

/** a + b, bucket by bucket, in place where the buckets are the same. */
export function addSide(a: CompensatedSide, b: Side): CompensatedSide {
  const target = contains(a.indices, b.indices) ? a : spread(a, union(a.indices, b.indices));
  let at = 0;
  for (let j = 0; j < b.indices.length; j++) {
    while (target.indices[at] !== b.indices[j]) at++;
    addCompensated(target.counts, target.lost, at, b.counts[j] as number);
  }
  return target;
}

/** a + b where b, too, is a sum: in place where the buckets are the same. */
export function mergeSide(a: CompensatedSide, b: CompensatedSide): CompensatedSide {
  const target = addSide(a, b);
  let at = 0;
  for (let j = 0; j < b.indices.length; j++) {
    while (target.indices[at] !== b.indices[j]) at++;
    target.lost[at] = (target.lost[at] as number) + (b.lost[j] as number);
  }
  return target;
}

function contains(all: Int32Array, some: Int32Array): boolean {
  let at = 0;
  for (const index of some) {
    while (at < all.length && (all[at] as number) < index) at++;
    if (all[at] !== index) return false;
  }
  return true;
}

function union(a: Int32Array, b: Int32Array): Int32Array {
  const merged = new Int32Array(a.length + b.length);
  let i = 0;
  let j = 0;
  let length = 0;
  while (i < a.length || j < b.length) {
    const left = a[i] ?? Number.POSITIVE_INFINITY;
    const right = b[j] ?? Number.POSITIVE_INFINITY;
    merged[length++] = Math.min(left, right);
    if (left <= right) i++;
    if (right <= left) j++;
  }
  return merged.slice(0, length);
}

/** The same side over more buckets. */
function spread(side: CompensatedSide, indices: Int32Array): CompensatedSide {
  const counts = new Float64Array(indices.length);
  const lost = new Float64Array(indices.length);
  let from = 0;
  for (let at = 0; at < indices.length && from < side.indices.length; at++) {
    if (indices[at] !== side.indices[from]) continue;
    counts[at] = side.counts[from] as number;
    lost[at] = side.lost[from] as number;
    from++;
  }
  return { indices, counts, lost };
}

/** Merged into other buckets: `targets` has the new index of each, ascending. */
export function regroup(side: CompensatedSide, targets: Int32Array): CompensatedSide {
  const indices = targets.filter((target, i) => i === 0 || target !== targets[i - 1]);
  const counts = new Float64Array(indices.length);
  const lost = new Float64Array(indices.length);
  let at = 0;
  for (let i = 0; i < targets.length; i++) {
    while (indices[at] !== targets[i]) at++;
    addCompensated(counts, lost, at, side.counts[i] as number);
    addCompensated(counts, lost, at, side.lost[i] as number);
  }
  return { indices, counts, lost };
}
