/**
 * The order in which series are sealed, by metric name and then by labels, found in steps: a million series take
 * seconds to sort. Series are first put together by metric name, so that comparing names is done once for each of
 * them; a merge sort then orders each metric's series. (Bottom-up merge sort: Knuth, "The Art of Computer Programming",
 * 5.2.4, L.)
 */
import { compareBytes, metricNameLabel } from '../../model/index.ts';
import type { HeadIndex } from './head_index.ts';

/** Series looked at, or compared, between two pauses. */
const seriesPerStep = 1024;

/** References in the order of `compareMetricFirst`; starts anew if slots change hands meanwhile. Ends with the answer. */
export function* sortMetricFirst(
  index: HeadIndex,
  shard: number,
  refs: Uint32Array,
): Generator<undefined, Uint32Array> {
  for (;;) {
    const generation = index.table.find(shard)?.generation;
    const sorted = yield* trySort(index, refs, () => index.table.find(shard)?.generation === generation);
    if (sorted !== undefined) return sorted;
  }
}

function* trySort(
  index: HeadIndex,
  refs: Uint32Array,
  isValid: () => boolean,
): Generator<undefined, Uint32Array | undefined> {
  const groups = new Map<number, number[]>();
  for (let k = 0; k < refs.length; k++) {
    const slot = index.series.slotOf(refs[k] as number);
    if (slot < 0) continue;
    const name = index.pairOf(slot, metricNameLabel);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [slot]);
    else group.push(slot);
    if (k % seriesPerStep !== seriesPerStep - 1) continue;
    yield;
    if (!isValid()) return undefined;
  }
  const nameOf = (pair: number): string => (pair < 0 ? '' : index.pairs.value(pair));
  const names = [...groups.keys()].sort((a, b) => compareBytes(nameOf(a), nameOf(b)));
  const sorted = new Uint32Array(refs.length);
  let count = 0;
  let compared = 0;
  for (const name of names) {
    for (const slot of yield* sortGroup(groups.get(name) ?? [], index, isValid)) {
      if (slot < 0) return undefined;
      sorted[count++] = index.series.refOf(slot);
      if (++compared % seriesPerStep !== 0) continue;
      yield;
      if (!isValid()) return undefined;
    }
  }
  return sorted.subarray(0, count);
}

const interrupted: readonly number[] = [-1];

function* sortGroup(
  slots: readonly number[],
  index: HeadIndex,
  isValid: () => boolean,
): Generator<undefined, readonly number[]> {
  let from = Int32Array.from(slots);
  let into = new Int32Array(from.length);
  let compared = 0;
  for (let width = 1; width < from.length; width *= 2) {
    for (let start = 0; start < from.length; start += width * 2) {
      const middle = Math.min(start + width, from.length);
      const end = Math.min(start + width * 2, from.length);
      let left = start;
      let right = middle;
      for (let write = start; write < end; write++) {
        const takesLeft =
          left < middle &&
          (right >= end || compareLabels(index, from[left] as number, from[right] as number) <= 0);
        into[write] = from[takesLeft ? left++ : right++] as number;
        if (++compared % seriesPerStep !== 0) continue;
        yield;
        if (!isValid()) return interrupted;
      }
    }
    [from, into] = [into, from];
  }
  return Array.from(from);
}

/** As `Labels.compare`, without making label sets: most pairs of neighbours are the same number. */
export function compareLabels(index: HeadIndex, a: number, b: number): number {
  const { pairs } = index;
  const x = index.labelRun(a);
  const y = index.labelRun(b);
  const shared = Math.min(x.count, y.count);
  for (let k = 0; k < shared; k++) {
    const p = x.run[x.at + k] as number;
    const q = y.run[y.at + k] as number;
    if (p === q) continue;
    return compareBytes(pairs.name(p), pairs.name(q)) || compareBytes(pairs.value(p), pairs.value(q));
  }
  return x.count - y.count;
}
