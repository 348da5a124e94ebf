/**
 * The series that senders have named before, found by the raw bytes of their labels, so that a series that comes again
 * costs one comparison, or else one hash and one comparison, and no text. Several spellings may mean one label set.
 */
import { ByteTable, type KnownRefs, type Labels } from '../model/index.ts';

const columnSizeMin = 256;

export class KnownSeries implements KnownRefs {
  readonly #keys: ByteTable;
  /** Per spelling: its series. */
  #seriesOf: Int32Array = new Int32Array(columnSizeMin);
  readonly #labels: Labels[] = [];
  /** By a 32-bit hash of the labels: the newest series of that hash; #sameHash leads to older ones. */
  readonly #byHash = new Map<number, number>();
  readonly #sameHash: number[] = [];
  #storeRef: Int32Array = new Int32Array(columnSizeMin);
  /** Per series: its place in the batch of the request noted beside it. */
  #place: Int32Array = new Int32Array(columnSizeMin);
  #placeRequest: Int32Array = new Int32Array(columnSizeMin);
  #request = 0;
  /** The spelling found last. */
  #last = -1;

  constructor(seed: number) {
    this.#keys = new ByteTable(seed);
  }

  /** Of series or of spellings, whichever there are more. */
  get size(): number {
    return Math.max(this.#keys.size, this.#labels.length);
  }

  get keyBytes(): number {
    return this.#keys.keyBytes;
  }

  labels(series: number): Labels {
    return this.#labels[series] as Labels;
  }

  get(series: number): number {
    return this.#storeRef[series] as number;
  }

  set(series: number, storeRef: number): void {
    this.#storeRef[series] = storeRef;
  }

  beginRequest(): void {
    this.#request++;
  }

  /** Where the running request's batch holds the series: `next` when it comes for the first time. */
  placeIn(series: number, next: number): number {
    if (this.#placeRequest[series] === this.#request) return this.#place[series] as number;
    this.#placeRequest[series] = this.#request;
    this.#place[series] = next;
    return next;
  }

  /**
   * Guesses the spelling at `at`: where it ends if it is the one that was first seen after the one found last, since
   * senders keep their order, otherwise -1. `take` says that the guess was right.
   */
  guessEnd(body: DataView, at: number): number {
    return this.#keys.size === 0 ? -1 : this.#keys.matchEndIn(this.#next(), body, at);
  }

  take(): number {
    this.#last = this.#next();
    return this.#seriesOf[this.#last] as number;
  }

  #next(): number {
    return this.#last + 1 < this.#keys.size ? this.#last + 1 : 0;
  }

  /** The series spelled `body[start, end)`, or -1. */
  find(body: Uint8Array, start: number, end: number): number {
    const key = this.#keys.find(body, start, end);
    if (key < 0) return -1;
    this.#last = key;
    return this.#seriesOf[key] as number;
  }

  /** Adds a spelling that is not there; returns its series. */
  add(body: Uint8Array, start: number, end: number, labels: Labels): number {
    const key = this.#keys.add(body, start, end);
    if (key === this.#seriesOf.length) this.#seriesOf = doubled(this.#seriesOf);
    const series = this.intern(labels);
    this.#seriesOf[key] = series;
    this.#last = key;
    return series;
  }

  /** The series of these labels, under whatever spelling. */
  intern(labels: Labels): number {
    const hash = hashText(labels.flat);
    const newest = this.#byHash.get(hash) ?? -1;
    for (let series = newest; series >= 0; series = this.#sameHash[series] as number) {
      if (this.labels(series).compare(labels) === 0) return series;
    }
    const series = this.#labels.push(labels) - 1;
    this.#sameHash.push(newest);
    this.#byHash.set(hash, series);
    if (series === this.#storeRef.length) {
      this.#storeRef = doubled(this.#storeRef);
      this.#place = doubled(this.#place);
      this.#placeRequest = doubled(this.#placeRequest);
    }
    this.#storeRef[series] = -1;
    return series;
  }
}

/** FNV-1a over UTF-16 units: only finds candidates, which are then compared. */
function hashText(flat: readonly string[]): number {
  let hash = 0x811c9dc5 | 0;
  for (const text of flat) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ 0xffff, 0x01000193);
  }
  return hash;
}

function doubled(column: Int32Array): Int32Array {
  const larger = new Int32Array(column.length * 2);
  larger.set(column);
  return larger;
}
