/**
 * The exemplars of all shards of a store: the last so many, in the order in which they came, each also in a list of its
 * series that is in order of time. A new one takes the place of the oldest, whosever that was. Duplicates and what is
 * out of order are refused by Prometheus' rules (tsdb/exemplar.go): a series' exemplars of one time must rise in value,
 * because a native histogram has one for each of several buckets; older ones are taken within the out-of-order window.
 */
import { type BatchExemplar, type Labels, type Matcher, matchesAll } from '../../model/index.ts';

/** Characters of all names and values of an exemplar's labels (OpenMetrics 1.0, "Exemplars"). */
const exemplarLabelCharactersMax = 128;

export type StoredExemplar = Omit<BatchExemplar, 'ref'>;

export interface SeriesExemplars {
  readonly labels: Labels;
  /** Ascending in time. */
  readonly exemplars: readonly StoredExemplar[];
}

/** What became of an exemplar. */
export const ExemplarVerdict = {
  ok: 0,
  /** There already: accepted silently. */
  duplicate: 1,
  outOfOrder: 2,
  /** Its labels exceed `exemplarLabelCharactersMax`. */
  tooLong: 3,
  /** The ring holds none. */
  disabled: 4,
} as const;
export type ExemplarVerdict = (typeof ExemplarVerdict)[keyof typeof ExemplarVerdict];

interface Series {
  readonly shard: number;
  readonly key: string;
  readonly labels: Labels;
  oldest: Entry | undefined;
  newest: Entry | undefined;
}

interface Entry {
  readonly series: Series;
  readonly exemplar: StoredExemplar;
  older: Entry | undefined;
  newer: Entry | undefined;
}

export class ExemplarRing {
  /** How much older than its series' newest an exemplar may be. */
  outOfOrderWindowMs = 0;
  #entriesMax: number;
  #entries: Entry[] = [];
  /** Where the next one goes once the ring is full: the place of the oldest. */
  #next = 0;
  readonly #shards = new Map<number, Map<string, Series>>();

  /** `entriesMax`: 0 turns exemplars off. */
  constructor(entriesMax: number) {
    this.#entriesMax = Math.max(0, entriesMax);
  }

  /** Exemplars of all shards. */
  get count(): number {
    return this.#entries.length;
  }

  add(shard: number, seriesLabels: Labels, exemplar: StoredExemplar): ExemplarVerdict {
    if (this.#entriesMax === 0) return ExemplarVerdict.disabled;
    if (characters(exemplar.labels) > exemplarLabelCharactersMax) return ExemplarVerdict.tooLong;
    const key = seriesLabels.key();
    const known = this.#shards.get(shard)?.get(key);
    const verdict = known === undefined ? ExemplarVerdict.ok : this.#judge(known, exemplar);
    if (verdict !== ExemplarVerdict.ok) return verdict;
    const { labels, value, timestampMs } = exemplar;
    const isFull = this.#entries.length === this.#entriesMax;
    if (isFull) this.#unlink(this.#entries[this.#next] as Entry);
    const series = this.#open(shard, key, seriesLabels);
    const entry = { series, exemplar: { labels, value, timestampMs }, older: undefined, newer: undefined };
    link(entry);
    if (isFull) {
      this.#entries[this.#next] = entry;
      this.#next = (this.#next + 1) % this.#entriesMax;
    } else this.#entries.push(entry);
    return ExemplarVerdict.ok;
  }

  /** The exemplars in `[fromMs, toMs]` of the shard's series that pass all matchers of a set, sorted by labels. */
  select(
    shard: number,
    anyOf: readonly (readonly Matcher[])[],
    fromMs: number,
    toMs: number,
  ): SeriesExemplars[] {
    const answer: SeriesExemplars[] = [];
    for (const { labels, oldest } of this.#shards.get(shard)?.values() ?? []) {
      if (!anyOf.some((matchers) => matchesAll(matchers, labels))) continue;
      const exemplars: StoredExemplar[] = [];
      for (let entry = oldest; entry !== undefined; entry = entry.newer) {
        const { timestampMs } = entry.exemplar;
        if (timestampMs >= fromMs && timestampMs <= toMs) exemplars.push(entry.exemplar);
      }
      if (exemplars.length > 0) answer.push({ labels, exemplars });
    }
    return answer.sort((a, b) => a.labels.compare(b.labels));
  }

  /** Of what there is, the last that fit are kept. */
  resize(entriesMax: number): void {
    const inOrder = this.#inOrder();
    this.#entriesMax = Math.max(0, entriesMax);
    const gone = Math.max(0, inOrder.length - this.#entriesMax);
    for (const entry of inOrder.slice(0, gone)) this.#unlink(entry);
    this.#refill(inOrder.slice(gone));
  }

  dropShard(shard: number): void {
    if (!this.#shards.delete(shard)) return;
    this.#refill(this.#inOrder().filter(({ series }) => series.shard !== shard));
  }

  #judge({ oldest, newest }: Series, exemplar: StoredExemplar): ExemplarVerdict {
    if (oldest === undefined || newest === undefined) return ExemplarVerdict.ok;
    const { timestampMs } = exemplar;
    const newestMs = newest.exemplar.timestampMs;
    if (timestampMs === newestMs) {
      const order = compareAtOneTime(exemplar, newest.exemplar);
      if (order === 0) return ExemplarVerdict.duplicate;
      return order < 0 ? ExemplarVerdict.outOfOrder : ExemplarVerdict.ok;
    }
    if (timestampMs > newestMs) return ExemplarVerdict.ok;
    if (timestampMs <= newestMs - this.outOfOrderWindowMs) return ExemplarVerdict.outOfOrder;
    // Among older ones the time alone decides: looking at each would cost too much.
    const before = lastAtOrBefore(newest, timestampMs);
    return before?.exemplar.timestampMs === timestampMs ? ExemplarVerdict.duplicate : ExemplarVerdict.ok;
  }

  #open(shard: number, key: string, labels: Labels): Series {
    let ofShard = this.#shards.get(shard);
    if (ofShard === undefined) {
      ofShard = new Map();
      this.#shards.set(shard, ofShard);
    }
    let series = ofShard.get(key);
    if (series === undefined) {
      series = { shard, key, labels, oldest: undefined, newest: undefined };
      ofShard.set(key, series);
    }
    return series;
  }

  #unlink({ series, older, newer }: Entry): void {
    if (older === undefined) series.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) series.newest = older;
    else newer.older = older;
    if (series.oldest !== undefined) return;
    const ofShard = this.#shards.get(series.shard);
    ofShard?.delete(series.key);
    if (ofShard?.size === 0) this.#shards.delete(series.shard);
  }

  /** Entries in the order in which they came. */
  #inOrder(): Entry[] {
    return [...this.#entries.slice(this.#next), ...this.#entries.slice(0, this.#next)];
  }

  #refill(entries: Entry[]): void {
    this.#entries = entries;
    this.#next = 0;
  }
}

/** Puts an entry into its series' list, behind those that are not newer. */
function link(entry: Entry): void {
  const { series, exemplar } = entry;
  const older = lastAtOrBefore(series.newest, exemplar.timestampMs);
  const newer = older === undefined ? series.oldest : older.newer;
  entry.older = older;
  entry.newer = newer;
  if (older === undefined) series.oldest = entry;
  else older.newer = entry;
  if (newer === undefined) series.newest = entry;
  else newer.older = entry;
}

function lastAtOrBefore(newest: Entry | undefined, timestampMs: number): Entry | undefined {
  let entry = newest;
  while (entry !== undefined && entry.exemplar.timestampMs > timestampMs) entry = entry.older;
  return entry;
}

/** By value, then by labels; NaN after all others. */
function compareAtOneTime(a: StoredExemplar, b: StoredExemplar): number {
  if (Object.is(a.value, b.value) || a.value === b.value) return a.labels.compare(b.labels);
  return a.value < b.value || Number.isNaN(b.value) ? -1 : 1;
}

function characters(labels: Labels): number {
  let count = 0;
  for (const text of labels.flat)
    for (const _ of text) if (++count > exemplarLabelCharactersMax) return count;
  return count;
}
