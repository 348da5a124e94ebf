/**
 * Label sets, names and values of what several windows hold, without reading a page. Where every series of the windows
 * counts, names and values come from the dictionaries and no series is looked at.
 */
import { compareBytes, type Labels, type Matcher } from '../../model/index.ts';
import { sortInSlices } from './order.ts';
import type { Pace } from './pace.ts';
import type { SealedWindow } from './sealed_window.ts';
import { covers, deletesAll, type Tombstone } from './tombstone.ts';

/** What is asked for, of which windows. */
export interface Listing {
  readonly windows: readonly SealedWindow[];
  readonly tombstones: readonly Tombstone[];
  readonly matchers: readonly Matcher[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly pace: Pace;
}

/** Steps between two looks at the clock. */
const stepsAtOnce = 256;

/** Sorted. */
export async function listSeries(listing: Listing): Promise<Labels[]> {
  const { matchers, fromMs, toMs, pace } = listing;
  const found = new Map<string, Labels>();
  for (const { index, header } of listing.windows) {
    const active = listing.tombstones.filter((tombstone) => covers(tombstone, header));
    const ordinals = await index.find(matchers, pace);
    let steps = 0;
    for (const series of await index.describe(ordinals, fromMs, toMs, pace)) {
      if (!deletesAll(series.labels, series, active)) found.set(series.labels.key(), series.labels);
      if (active.length > 0 || ++steps % stepsAtOnce === 0) await pace.pause();
    }
  }
  return sortedBy([...found.values()], (a, b) => a.compare(b), pace);
}

/** Sorted names of the labels of `listSeries(...)`. */
export async function listNames(listing: Listing): Promise<string[]> {
  const lists: (readonly string[])[] = [];
  if (isWhole(listing)) {
    for (const { index } of listing.windows) lists.push(await index.labelNames());
  } else {
    const names = new Set<string>();
    let steps = 0;
    for (const labels of await listSeries(listing)) {
      for (let i = 0; i < labels.flat.length; i += 2) names.add(labels.flat[i] as string);
      if (++steps % stepsAtOnce === 0) await listing.pace.pause();
    }
    lists.push([...names]);
  }
  return united(lists, listing.pace);
}

/** Sorted values that a label has in `listSeries(...)`. */
export async function listValues(name: string, listing: Listing): Promise<string[]> {
  const lists: (readonly string[])[] = [];
  if (isWhole(listing)) {
    for (const { index } of listing.windows) lists.push(await index.labelValues(name, listing.pace));
  } else {
    const values = new Set<string>();
    let steps = 0;
    for (const labels of await listSeries(listing)) {
      values.add(labels.get(name));
      if (++steps % stepsAtOnce === 0) await listing.pace.pause();
    }
    values.delete('');
    lists.push([...values]);
  }
  return united(lists, listing.pace);
}

function isWhole({ windows, tombstones, matchers, fromMs, toMs }: Listing): boolean {
  return (
    matchers.length === 0 &&
    tombstones.length === 0 &&
    windows.every(({ header }) => header.minTimeMs >= fromMs && header.maxTimeMs <= toMs)
  );
}

/** Sorted, each once. */
async function united(lists: readonly (readonly string[])[], pace: Pace): Promise<string[]> {
  const all = new Set<string>();
  for (const list of lists) {
    for (let at = 0; at < list.length; at += stepsAtOnce) {
      for (const text of list.slice(at, at + stepsAtOnce)) all.add(text);
      await pace.pause();
    }
  }
  return sortedBy([...all], compareBytes, pace);
}

/** Sorts in slices, unless nothing is to be done. */
export async function sortedBy<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
  pace: Pace,
): Promise<T[]> {
  for (let i = 1; i < items.length; i++) {
    if (compare(items[i - 1] as T, items[i] as T) > 0) return sortPaced(items, compare, pace);
    if (i % stepsAtOnce === 0) await pace.pause();
  }
  return [...items];
}

async function sortPaced<T>(items: readonly T[], compare: (a: T, b: T) => number, pace: Pace): Promise<T[]> {
  const sorting = sortInSlices(items, compare);
  let step = sorting.next();
  for (; step.done !== true; step = sorting.next()) await pace.pause();
  return step.value;
}
