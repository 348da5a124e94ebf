/**
 * What was read from the disk lately, parsed: one cache for all windows of a store, bounded by an estimate of its
 * bytes, the longest unused going first. Readers that want the same entry at once share one read.
 */

import type { WindowMetrics } from './metrics.ts';

interface Entry {
  readonly value: unknown;
  readonly bytes: number;
}

/** A value and what it takes in memory. */
export interface Sized<T> {
  readonly value: T;
  readonly bytes: number;
}

export class ByteCache {
  readonly #bytesMax: number;
  /** In the order of last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #reading = new Map<string, Promise<Sized<unknown>>>();
  #bytes = 0;
  #hits = 0;
  #misses = 0;
  #reported = { bytes: 0, hits: 0, misses: 0 };

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get hits(): number {
    return this.#hits;
  }

  get misses(): number {
    return this.#misses;
  }

  /** Adds what happened since the last time to the metrics. */
  report(metrics: WindowMetrics): void {
    const was = this.#reported;
    this.#reported = { bytes: this.#bytes, hits: this.#hits, misses: this.#misses };
    metrics.cacheBytes.inc(this.#bytes - was.bytes);
    metrics.cacheHits.inc(this.#hits - was.hits);
    metrics.cacheMisses.inc(this.#misses - was.misses);
  }

  /** The entry if it is here. A key names one type of value, for ever. */
  find<T>(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#hits++;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value as T;
  }

  /** The entry, read with `read` when it is not here; a failed read leaves nothing behind. */
  async get<T>(key: string, read: () => Promise<Sized<T>>): Promise<T> {
    const found = this.find<T>(key);
    if (found !== undefined) return found;
    this.#misses++;
    let reading = this.#reading.get(key) as Promise<Sized<T>> | undefined;
    if (reading === undefined) {
      reading = this.#read(key, read);
      this.#reading.set(key, reading);
    }
    return (await reading).value;
  }

  /**
   * The entries, in the order of their keys; `read` gives those at the positions in `missing`, each a value or the error
   * that its readers are to have.
   */
  async getMany<T>(
    keys: readonly string[],
    read: (missing: readonly number[]) => Promise<readonly (Sized<T> | Error)[]>,
  ): Promise<T[]> {
    const missing: number[] = [];
    const entries = keys.map((key, i): T | Promise<Sized<T>> | undefined => {
      const found = this.find<T>(key);
      if (found !== undefined) return found;
      this.#misses++;
      const reading = this.#reading.get(key) as Promise<Sized<T>> | undefined;
      if (reading === undefined) missing.push(i);
      return reading;
    });
    if (missing.length > 0) {
      const batch = read(missing);
      for (const [at, i] of missing.entries()) {
        const key = keys[i] as string;
        const reading = this.#read(key, async () => {
          const one = (await batch)[at];
          if (one === undefined || one instanceof Error)
            throw one ?? new Error(`nothing was read for ${key}`);
          return one;
        });
        this.#reading.set(key, reading);
        entries[i] = reading;
      }
    }
    return Promise.all(
      entries.map(async (entry) => (entry instanceof Promise ? (await entry).value : (entry as T))),
    );
  }

  async #read<T>(key: string, read: () => Promise<Sized<T>>): Promise<Sized<T>> {
    try {
      const sized = await read();
      this.#put(key, sized);
      return sized;
    } finally {
      this.#reading.delete(key);
    }
  }

  #put(key: string, entry: Entry): void {
    if (entry.bytes > this.#bytesMax) return;
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    for (const [oldest, { bytes }] of this.#entries) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#entries.delete(oldest);
      this.#bytes -= bytes;
    }
  }
}
