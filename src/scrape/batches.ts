/**
 * The batches of one target, one after the other. A scrape that exposes what the last one did gets the same series array
 * with the store's references beside it, and the columns of a batch that is stored serve the next one: the steady state
 * makes nothing anew.
 */
import {
  BatchColumns,
  type BatchExemplar,
  type BatchRoster,
  type FloatHistogram,
  type KnownRefs,
  type Labels,
  noteStoreRefs,
  RosterBuilder,
  type WriteBatch,
} from '../model/index.ts';
import type { SeriesCache } from './series_cache.ts';

/** Report series are numbered from here downwards, the series of the cache from 0 upwards. */
const firstReportId = -1;
/** A target's next scrape begins when the batch of the last one is stored: more are out only in trouble. */
const lentBatchesMax = 1;

export class ScrapeBatches {
  readonly #cache: SeriesCache;
  readonly #columns = new BatchColumns(lentBatchesMax);
  readonly #known: KnownRefs;
  readonly #roster: RosterBuilder;
  #last: BatchRoster | undefined;
  #numbering = 0;

  constructor(cache: SeriesCache) {
    this.#cache = cache;
    const ofReport: number[] = [];
    this.#known = {
      get: (id) => (id < 0 ? (ofReport[firstReportId - id] ?? -1) : cache.storeRef(id)),
      set: (id, storeRef) => {
        if (id < 0) ofReport[firstReportId - id] = storeRef;
        else cache.setStoreRef(id, storeRef);
      },
    };
    this.#roster = new RosterBuilder(this.#known);
  }

  /** Starts the batch of a scrape. */
  begin(): void {
    if (this.#cache.isOvergrown) {
      // The cache numbers its series anew.
      if (this.#last !== undefined) noteStoreRefs(this.#last, this.#known);
      this.#last = undefined;
      this.#cache.compact();
      this.#numbering++;
    }
    this.#cache.begin();
    this.restart();
  }

  /** Changes whenever the cache numbers its spellings anew. */
  get numbering(): number {
    return this.#numbering;
  }

  /** Forgets what the batch holds. */
  restart(): void {
    this.#roster.begin(this.#last);
    this.#columns.begin();
  }

  /** The place in the batch of a series of the cache. */
  placeOf(series: number): number {
    const next = this.#roster.count;
    const place = this.#cache.placeIn(series, next);
    if (place === next) this.#roster.add(series, this.#cache.labels(series));
    return place;
  }

  /** The place of the report series `index`. */
  placeOfReport(index: number, labels: Labels): number {
    return this.#roster.add(firstReportId - index, labels);
  }

  /** Adds a sample without its value; returns where the value belongs in `values`. */
  add(place: number, timestampMs: number): number {
    return this.#columns.add(place, timestampMs);
  }

  /** Adds a native histogram. */
  addHistogram(place: number, timestampMs: number, histogram: FloatHistogram): void {
    this.#columns.setHistogram(this.#columns.add(place, timestampMs), histogram);
  }

  /** How many samples there are so far. */
  get sampleCount(): number {
    return this.#columns.count;
  }

  get values(): Float64Array {
    return this.#columns.values;
  }

  finish(exemplars: readonly BatchExemplar[]): WriteBatch {
    const roster = this.#roster.finish();
    this.#last = roster;
    const columns = this.#columns.finish();
    const batch = { series: roster.series, storeRefs: roster.storeRefs, ...columns };
    return exemplars.length === 0 ? batch : { ...batch, exemplars };
  }

  /** Nobody reads that batch's columns any more. */
  release(batch: WriteBatch): void {
    this.#columns.release(batch);
  }
}
