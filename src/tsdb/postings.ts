/**
 * The inverted index of the head: label name → value → ids of the series that carry the pair, ascending because ids
 * only grow. A lookup starts from the shortest list and narrows; matchers that an absent label satisfies
 * (`a!="x"`, `a=""`) can't use the index and only filter.
 */
import type { Labels, Matcher } from '../model/index.ts';
import { MatchType } from '../model/index.ts';

type Ids = readonly number[];
const noIds: Ids = [];

export class Postings {
  readonly #byName = new Map<string, Map<string, number[]>>();

  /** `id` must be larger than every id before it. */
  add(id: number, labels: Labels): void {
    for (const [name, value] of labels) {
      let values = this.#byName.get(name);
      if (values === undefined) {
        values = new Map();
        this.#byName.set(name, values);
      }
      const ids = values.get(value);
      if (ids === undefined) values.set(value, [id]);
      else ids.push(id);
    }
  }

  /** Takes series out; one pass per touched list, however many go. */
  remove(series: readonly { readonly id: number; readonly labels: Labels }[]): void {
    const gone = new Set(series.map(({ id }) => id));
    const touched = new Map<string, Set<string>>();
    for (const { labels } of series) {
      for (const [name, value] of labels) {
        const values = touched.get(name);
        if (values === undefined) touched.set(name, new Set([value]));
        else values.add(value);
      }
    }
    for (const [name, touchedValues] of touched) {
      const values = this.#byName.get(name);
      for (const value of touchedValues) {
        const kept = values?.get(value)?.filter((id) => !gone.has(id)) ?? [];
        if (kept.length === 0) values?.delete(value);
        else values?.set(value, kept);
      }
      if (values?.size === 0) this.#byName.delete(name);
    }
  }

  clear(): void {
    this.#byName.clear();
  }

  /**
   * The ids that satisfy all matchers which need a label to be present, ascending; undefined when no matcher does,
   * that is, when every series is a candidate. `filters` are the matchers still to be checked by label.
   */
  lookup(matchers: readonly Matcher[]): { ids: Ids | undefined; filters: readonly Matcher[] } {
    const filters = matchers.filter((matcher) => matcher.matches(''));
    const needed = matchers.filter((matcher) => !filters.includes(matcher));
    if (needed.length === 0) return { ids: undefined, filters };
    const lists: Ids[] = [];
    for (const matcher of needed) {
      const ids = this.#idsOf(matcher);
      if (ids.length === 0) return { ids: noIds, filters };
      lists.push(ids);
    }
    lists.sort((a, b) => a.length - b.length);
    return { ids: lists.reduce(intersect), filters };
  }

  #idsOf(matcher: Matcher): Ids {
    const values = this.#byName.get(matcher.name);
    if (values === undefined) return noIds;
    if (matcher.type === MatchType.Equal) return values.get(matcher.value) ?? noIds;
    const lists: Ids[] = [];
    if (matcher.type === MatchType.Regexp && matcher.setMatches !== undefined) {
      for (const value of new Set(matcher.setMatches)) lists.push(values.get(value) ?? noIds);
    } else {
      for (const [value, ids] of values) if (matcher.matches(value)) lists.push(ids);
    }
    return union(lists);
  }
}

/** Lists of one name never share an id, so that joining and sorting is enough. */
function union(lists: readonly Ids[]): Ids {
  const [only] = lists;
  if (lists.length === 1 && only !== undefined) return only;
  return lists.flat().sort((a, b) => a - b);
}

function intersect(a: Ids, b: Ids): Ids {
  const shared: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const x = a[i] as number;
    const y = b[j] as number;
    if (x === y) {
      shared.push(x);
      i++;
      j++;
    } else if (x < y) i++;
    else j++;
  }
  return shared;
}
