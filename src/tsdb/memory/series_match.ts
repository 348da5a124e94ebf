/**
 * Matchers against the index: the candidates come from the matcher with the fewest series, the other matchers look at
 * the pair numbers of each candidate. A value is tested once per call, not once per series, and no text is made.
 */
import type { Matcher } from '../../model/index.ts';
import { MatchType } from '../../model/index.ts';
import { offsetOf } from './label_runs.ts';
import type { PairTable } from './pair_table.ts';
import type { Postings, SlotRange } from './postings.ts';
import { pageMask } from './series_page.ts';
import type { SeriesTable } from './series_table.ts';

export interface SeriesIndex {
  readonly series: SeriesTable;
  readonly pairs: PairTable;
  readonly postings: Postings;
}

/** A test of a label run. */
type Check = (page: Uint32Array, at: number, count: number) => boolean;

/** The slots of a shard's series that pass all matchers, in no order. `all`: the shard's series. */
export function matchSeries(
  index: SeriesIndex,
  shard: number,
  all: SlotRange,
  matchers: readonly Matcher[],
): number[] {
  let candidates: SlotRange[] = [all];
  let source: Matcher | undefined;
  let fewest = all.to - all.from;
  for (const matcher of matchers) {
    if (matcher.matches('')) continue;
    const ranges = rangesOf(index, shard, matcher);
    let count = 0;
    for (const { from, to } of ranges) count += to - from;
    if (count === 0) return [];
    if (count > fewest) continue;
    candidates = ranges;
    source = matcher;
    fewest = count;
  }
  const checks = matchers.filter((matcher) => matcher !== source).map((matcher) => checkOf(index, matcher));
  const matched: number[] = [];
  for (const { slots, from, to } of candidates) {
    for (let k = from; k < to; k++) {
      const slot = slots[k] as number;
      if (passes(index, slot, checks)) matched.push(slot);
    }
  }
  return matched;
}

function passes(index: SeriesIndex, slot: number, checks: readonly Check[]): boolean {
  const page = index.series.page(slot);
  const i = slot & pageMask;
  // A series that was taken out may stand in lists for a while.
  if (page.live[i] === 0) return false;
  if (checks.length === 0) return true;
  const count = page.labelCount[i] as number;
  if (count === 0) return checks.every((check) => check(noPairs, 0, 0));
  const address = page.labelsAt[i] as number;
  const run = index.series.labelRuns.page(address);
  const at = offsetOf(address);
  for (const check of checks) if (!check(run, at, count)) return false;
  return true;
}

const noPairs = new Uint32Array(0);

/** The series of every pair that a matcher accepts; pairs of one name share no series. */
function rangesOf(index: SeriesIndex, shard: number, matcher: Matcher): SlotRange[] {
  const { pairs, postings } = index;
  const ranges: SlotRange[] = [];
  const take = (pair: number): void => {
    if (pair < 0) return;
    const range = postings.range(pair, shard);
    if (range.to > range.from) ranges.push(range);
  };
  if (matcher.setMatches !== undefined) {
    for (const value of new Set(matcher.setMatches)) take(pairs.find(matcher.name, value));
  } else {
    for (const pair of pairs.ofName(matcher.name)) if (matcher.matches(pairs.value(pair))) take(pair);
  }
  return ranges;
}

function checkOf(index: SeriesIndex, matcher: Matcher): Check {
  const { pairs } = index;
  if (matcher.type === MatchType.Equal && matcher.value !== '') {
    const wanted = pairs.find(matcher.name, matcher.value);
    return (page, at, count) => {
      for (let k = at; k < at + count; k++) if (page[k] === wanted) return true;
      return false;
    };
  }
  const symbol = pairs.symbols.find(matcher.name);
  const whenAbsent = matcher.matches('');
  const verdicts = new Map<number, boolean>();
  return (page, at, count) => {
    for (let k = at; k < at + count; k++) {
      const pair = page[k] as number;
      if (pairs.nameSymbol(pair) !== symbol) continue;
      let verdict = verdicts.get(pair);
      if (verdict === undefined) {
        verdict = matcher.matches(pairs.value(pair));
        verdicts.set(pair, verdict);
      }
      return verdict;
    }
    return whenAbsent;
  };
}
