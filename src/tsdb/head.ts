/**
 * All series of one shard in memory. Answers are copies, never views: what a query holds can be transferred to another
 * thread and isn't disturbed by later appends.
 */
import { compareBytes, type Labels, type Matcher, type SeriesColumns } from '../model/index.ts';
import { HeadSeries } from './head_series.ts';
import { Postings } from './postings.ts';

export class Head {
  readonly #byKey = new Map<string, HeadSeries>();
  readonly #byId = new Map<number, HeadSeries>();
  readonly #postings = new Postings();
  #nextId = 1;
  #samples = 0;

  get seriesCount(): number {
    return this.#byKey.size;
  }

  get sampleCount(): number {
    return this.#samples;
  }

  /** To be called for every sample that was added to a series of this head. */
  countSample(): void {
    this.#samples++;
  }

  find(labels: Labels): HeadSeries | undefined {
    return this.#byKey.get(labels.key());
  }

  create(labels: Labels): HeadSeries {
    const series = new HeadSeries(this.#nextId++, labels);
    this.#byKey.set(labels.key(), series);
    this.#byId.set(series.id, series);
    this.#postings.add(series.id, labels);
    return series;
  }

  allSeries(): IterableIterator<HeadSeries> {
    return this.#byKey.values();
  }

  /** Series with all `matchers` satisfied and a sample in the range, in no order. */
  *matching(matchers: readonly Matcher[], fromMs: number, toMs: number): Generator<HeadSeries> {
    const { ids, filters } = this.#postings.lookup(matchers);
    const checks = filters.map(memoised);
    for (const id of ids ?? this.#byId.keys()) {
      const series = this.#byId.get(id);
      if (series === undefined || !checks.every((check) => check(series.labels))) continue;
      if (series.hasSampleIn(fromMs, toMs)) yield series;
    }
  }

  /** Sorted by labels. */
  select(matchers: readonly Matcher[], fromMs: number, toMs: number): SeriesColumns[] {
    const columns: SeriesColumns[] = [];
    for (const series of this.matching(matchers, fromMs, toMs)) {
      const slice = series.slice(fromMs, toMs);
      if (slice !== undefined) columns.push(slice);
    }
    return columns.sort((a, b) => a.labels.compare(b.labels));
  }

  labelSets(matchers: readonly Matcher[], fromMs: number, toMs: number): Labels[] {
    const sets = Array.from(this.matching(matchers, fromMs, toMs), (series) => series.labels);
    return sets.sort((a, b) => a.compare(b));
  }

  labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number): string[] {
    const names = new Set<string>();
    for (const { labels } of this.matching(matchers, fromMs, toMs))
      for (const [name] of labels) names.add(name);
    return [...names].sort(compareBytes);
  }

  labelValues(name: string, matchers: readonly Matcher[], fromMs: number, toMs: number): string[] {
    const values = new Set<string>();
    for (const { labels } of this.matching(matchers, fromMs, toMs)) {
      const value = labels.get(name);
      if (value !== '') values.add(value);
    }
    return [...values].sort(compareBytes);
  }

  /** Oldest and newest sample; Infinity and -Infinity when there are none. */
  timeRange(): { minTimeMs: number; maxTimeMs: number } {
    let minTimeMs = Number.POSITIVE_INFINITY;
    let maxTimeMs = Number.NEGATIVE_INFINITY;
    for (const series of this.#byKey.values()) {
      minTimeMs = Math.min(minTimeMs, series.oldestMs);
      maxTimeMs = Math.max(maxTimeMs, series.newestMs);
    }
    return { minTimeMs, maxTimeMs };
  }

  /** Forgets samples older than `floorMs`, and series that then have none. */
  dropBefore(floorMs: number): void {
    const emptied: HeadSeries[] = [];
    for (const series of this.#byKey.values()) {
      this.#samples -= series.dropBefore(floorMs);
      if (series.count === 0) emptied.push(series);
    }
    for (const series of emptied) {
      this.#byKey.delete(series.labels.key());
      this.#byId.delete(series.id);
    }
    if (emptied.length > 0) this.#postings.remove(emptied);
  }

  clear(): void {
    this.#byKey.clear();
    this.#byId.clear();
    this.#postings.clear();
    this.#samples = 0;
  }
}

/** Checks a matcher against label sets, once per distinct value. */
function memoised(matcher: Matcher): (labels: Labels) => boolean {
  const verdicts = new Map<string, boolean>();
  return (labels) => {
    const value = labels.get(matcher.name);
    const known = verdicts.get(value);
    if (known !== undefined) return known;
    const verdict = matcher.matches(value);
    verdicts.set(value, verdict);
    return verdict;
  };
}
