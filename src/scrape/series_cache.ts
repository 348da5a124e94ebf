/**
 * What a target exposed before: bytes of a series → entry → stored label set. Several spellings (entries) may
 * mean one label set (series). It guesses the next series from the order of the last scrape, tells new from
 * known, and knows which series the last good scrape held, so that a vanished one gets its staleness marker.
 */
import { ByteTable, type Labels } from '../model/index.ts';

/** How many more entries than the last good scrape had are tolerated: this factor, and this many besides. */
const growthFactorMax = 2;
const growthCountMax = 1000;

const dropped = -1;
const never = -1;
const nothing = new Uint8Array(0);

export class SeriesCache {
  readonly #seed: number;
  #keys: ByteTable;
  /** Per entry: index of its series, or `dropped`. */
  #seriesOf = new Int32Array(64);
  /** Per entry: the scrape that saw it last. */
  #lastScrape = new Int32Array(64);
  /** Per entry: the one that came after it in the scrape that saw it last. */
  #follower = new Int32Array(64);
  /** Per entry: in which formats it was found to be well written, one bit each. */
  #dialects = new Uint8Array(64);
  #dialect = 1;
  #firstEntry = never;
  #cursor = never;
  #scrape = 1;
  #lastGoodScrape = 0;
  #lastGoodEntries = 0;

  #series: Labels[] = [];
  /** By a 32-bit hash of the labels: the newest series of that hash; #sameHash leads to older ones. */
  #seriesByHash = new Map<number, number>();
  #sameHash: number[] = [];
  /** Per series: 1 when the last good scrape held it and staleness applies to it. */
  #tracked = new Uint8Array(64);
  /** Per series: the scrape in which it was last seen with staleness applying. */
  #trackedScrape = new Int32Array(64);
  /** Per series: its place in the batch, valid in the scrape noted beside it. */
  #place = new Uint32Array(64);
  #placeScrape = new Int32Array(64);
  /** Per series: the store's reference, -1 when unknown. */
  #storeRef = new Int32Array(64);
  /** Per series: 1 when its last sample was a histogram, as its marker then has to be. */
  #isHistogram = new Uint8Array(64);
  /** Per series: the time of its newest sample, 0 before the first; kept where start times are asked for. */
  #newestMs: Float64Array = new Float64Array(0);
  #hasHistograms = false;
  /** What is being parsed, and how it is compared; kept no longer than the scrape runs. */
  #body: Uint8Array = nothing;
  #bodyView: DataView = new DataView(nothing.buffer);

  constructor(seed: number) {
    this.#seed = seed | 0;
    this.#keys = new ByteTable(this.#seed);
  }

  get entryCount(): number {
    return this.#keys.size;
  }

  labels(series: number): Labels {
    return this.#series[series] as Labels;
  }

  storeRef(series: number): number {
    return this.#storeRef[series] as number;
  }

  setStoreRef(series: number, storeRef: number): void {
    this.#storeRef[series] = storeRef;
  }

  isHistogram(series: number): boolean {
    return this.#isHistogram[series] === 1;
  }

  setHistogram(series: number, isHistogram: boolean): void {
    if (isHistogram) this.#hasHistograms = true;
    if (this.#hasHistograms) this.#isHistogram[series] = isHistogram ? 1 : 0;
  }

  newestMs(series: number): number {
    return this.#newestMs[series] ?? 0;
  }

  setNewestMs(series: number, timestampMs: number): void {
    if (series >= this.#newestMs.length) {
      const longer = new Float64Array(this.#tracked.length);
      longer.set(this.#newestMs);
      this.#newestMs = longer;
    }
    this.#newestMs[series] = timestampMs;
  }

  /** Starts a scrape. */
  begin(): void {
    this.#cursor = never;
  }

  /** The running scrape's format, as a bit: what is well written in one may be a fault in another. */
  speak(dialect: number): void {
    this.#dialect = dialect;
  }

  /** See ExpositionSink; the guess is `expectedEntry`. */
  expectedEnd(body: Uint8Array, at: number): number {
    const entry = this.expectedEntry;
    if (entry < 0 || ((this.#dialects[entry] as number) & this.#dialect) === 0) return -1;
    if (body !== this.#body) {
      this.#body = body;
      this.#bodyView = new DataView(body.buffer, body.byteOffset, body.byteLength);
    }
    return this.#keys.matchEndIn(entry, this.#bodyView, at);
  }

  get expectedEntry(): number {
    return this.#cursor < 0 ? this.#firstEntry : (this.#follower[this.#cursor] as number);
  }

  find(body: Uint8Array, start: number, end: number): number {
    const entry = this.#keys.find(body, start, end);
    return entry >= 0 && ((this.#dialects[entry] as number) & this.#dialect) !== 0 ? entry : -1;
  }

  /** Adds a spelling of `labels`, or of a series that relabeling drops (undefined). Returns the entry. */
  add(body: Uint8Array, start: number, end: number, labels: Labels | undefined): number {
    const known = this.#keys.find(body, start, end);
    if (known >= 0) {
      // Known from another format, and as well written in this one.
      this.#dialects[known] = (this.#dialects[known] as number) | this.#dialect;
      return known;
    }
    const entry = this.#keys.add(body, start, end);
    if (entry === this.#seriesOf.length) this.#growEntries();
    this.#seriesOf[entry] = labels === undefined ? dropped : this.#seriesIndex(labels);
    this.#dialects[entry] = this.#dialect;
    this.#lastScrape[entry] = never;
    this.#follower[entry] = never;
    return entry;
  }

  /** The index of an entry's series; negative when relabeling drops it. */
  seriesOf(entry: number): number {
    return this.#seriesOf[entry] as number;
  }

  /** Notes that the running scrape holds the entry, and tells how it stood before. */
  touch(entry: number): 'new' | 'known' | 'repeated' {
    if (this.#cursor < 0) this.#firstEntry = entry;
    else this.#follower[this.#cursor] = entry;
    this.#cursor = entry;
    const last = this.#lastScrape[entry] as number;
    this.#lastScrape[entry] = this.#scrape;
    if (last === this.#scrape) return 'repeated';
    return last < this.#lastGoodScrape || last === never ? 'new' : 'known';
  }

  /** Staleness applies to the series in the running scrape. */
  track(series: number): void {
    this.#trackedScrape[series] = this.#scrape;
  }

  /**
   * Where the running scrape's batch holds the series: `next` when this is its first sample, which is thereby
   * noted. Two spellings of one series share a place.
   */
  placeIn(series: number, next: number): number {
    if (this.#placeScrape[series] === this.#scrape) return this.#place[series] as number;
    this.#placeScrape[series] = this.#scrape;
    this.#place[series] = next;
    return next;
  }

  /** The running scrape's batch starts anew: no series has a place in it. */
  replace(): void {
    this.#placeScrape.fill(never);
  }

  /** Takes over a series that another loop over the same target has left, so that its end gets a marker. */
  inherit(labels: Labels): void {
    this.#tracked[this.#seriesIndex(labels)] = 1;
  }

  /** Ends a good scrape; calls `stale` for each series that the one before held and this one doesn't. */
  commit(stale: (series: number) => void): void {
    for (let series = 0; series < this.#series.length; series++) {
      const isTracked = this.#trackedScrape[series] === this.#scrape;
      if (!isTracked && this.#tracked[series] === 1) stale(series);
      this.#tracked[series] = isTracked ? 1 : 0;
    }
    let seen = 0;
    for (let entry = 0; entry < this.#keys.size; entry++)
      if (this.#lastScrape[entry] === this.#scrape) seen++;
    this.#lastGoodScrape = this.#scrape;
    this.#lastGoodEntries = seen;
    this.#end();
  }

  /** Ends a failed scrape: everything that the last good one held is stale. */
  abandon(stale: (series: number) => void): void {
    for (let series = 0; series < this.#series.length; series++) {
      if (this.#tracked[series] === 1) stale(series);
      this.#tracked[series] = 0;
    }
    this.#end();
  }

  #end(): void {
    this.#scrape++;
    this.#body = nothing;
    this.#bodyView = new DataView(nothing.buffer);
  }

  /** The series that the last good scrape held and to which staleness applies. */
  *trackedSeries(): IterableIterator<Labels> {
    for (let series = 0; series < this.#series.length; series++) {
      if (this.#tracked[series] === 1) yield this.#series[series] as Labels;
    }
  }

  /** Whether there is so much that targets don't expose any more that `compact` is due. */
  get isOvergrown(): boolean {
    return this.#keys.size > this.#lastGoodEntries * growthFactorMax + growthCountMax;
  }

  /** Between scrapes: forgets spellings that the last one didn't hold, and series without any. Series get new numbers. */
  compact(): void {
    const old = {
      seriesOf: this.#seriesOf,
      lastScrape: this.#lastScrape,
      dialects: this.#dialects,
      series: this.#series,
      tracked: this.#tracked,
      storeRef: this.#storeRef,
      isHistogram: this.#isHistogram,
      newestMs: this.#newestMs,
    };
    const kept: number[] = [];
    this.#keys = this.#keys.retain((entry) => {
      const isKept = old.lastScrape[entry] === this.#scrape - 1;
      if (isKept) kept.push(entry);
      return isKept;
    });
    const entriesMax = Math.max(64, 2 ** Math.ceil(Math.log2(kept.length + 1)));
    this.#seriesOf = new Int32Array(entriesMax);
    this.#lastScrape = new Int32Array(entriesMax);
    this.#dialects = new Uint8Array(entriesMax);
    this.#follower = new Int32Array(entriesMax).fill(never);
    this.#firstEntry = never;
    this.#cursor = never;
    this.#series = [];
    this.#seriesByHash = new Map();
    this.#sameHash = [];
    this.#tracked = new Uint8Array(64);
    this.#trackedScrape = new Int32Array(64);
    this.#place = new Uint32Array(64);
    this.#placeScrape = new Int32Array(64);
    this.#storeRef = new Int32Array(64);
    this.#isHistogram = new Uint8Array(64);
    this.#newestMs = new Float64Array(0);
    for (const [entry, oldEntry] of kept.entries()) {
      const oldSeries = old.seriesOf[oldEntry] as number;
      this.#lastScrape[entry] = old.lastScrape[oldEntry] as number;
      this.#dialects[entry] = old.dialects[oldEntry] as number;
      const series = oldSeries < 0 ? dropped : this.#seriesIndex(old.series[oldSeries] as Labels);
      this.#seriesOf[entry] = series;
      if (series < 0) continue;
      this.#tracked[series] = old.tracked[oldSeries] as number;
      this.#storeRef[series] = old.storeRef[oldSeries] as number;
      this.#isHistogram[series] = old.isHistogram[oldSeries] as number;
      const newestMs = old.newestMs[oldSeries] ?? 0;
      if (newestMs > 0) this.setNewestMs(series, newestMs);
    }
  }

  #seriesIndex(labels: Labels): number {
    const hash = hashLabels(labels, this.#seed);
    const newest = this.#seriesByHash.get(hash) ?? never;
    for (let series = newest; series >= 0; series = this.#sameHash[series] as number) {
      if ((this.#series[series] as Labels).compare(labels) === 0) return series;
    }
    const series = this.#series.push(labels) - 1;
    this.#sameHash.push(newest);
    if (series >= this.#tracked.length) this.#growSeries();
    this.#trackedScrape[series] = never;
    this.#placeScrape[series] = never;
    this.#storeRef[series] = -1;
    this.#seriesByHash.set(hash, series);
    return series;
  }

  #growEntries(): void {
    const size = this.#seriesOf.length * 2;
    this.#seriesOf = enlarged(this.#seriesOf, size);
    this.#lastScrape = enlarged(this.#lastScrape, size);
    this.#follower = enlarged(this.#follower, size);
    const dialects = new Uint8Array(size);
    dialects.set(this.#dialects);
    this.#dialects = dialects;
  }

  #growSeries(): void {
    const tracked = new Uint8Array(this.#tracked.length * 2);
    tracked.set(this.#tracked);
    this.#tracked = tracked;
    this.#trackedScrape = enlarged(this.#trackedScrape, tracked.length);
    this.#placeScrape = enlarged(this.#placeScrape, tracked.length);
    this.#storeRef = enlarged(this.#storeRef, tracked.length);
    const isHistogram = new Uint8Array(tracked.length);
    isHistogram.set(this.#isHistogram);
    this.#isHistogram = isHistogram;
    const place = new Uint32Array(tracked.length);
    place.set(this.#place);
    this.#place = place;
  }
}

/** FNV-1a over UTF-16 units: only finds candidates, which are then compared. */
function hashLabels(labels: Labels, seed: number): number {
  let hash = seed;
  for (const text of labels.flat) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ 0xffff, 0x01000193);
  }
  return hash;
}

function enlarged(column: Int32Array<ArrayBuffer>, size: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(size);
  larger.set(column);
  return larger;
}
