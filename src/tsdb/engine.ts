/**
 * What a store directory asks of the ordered key-value engine under it, and nothing more: keys sort by their bytes,
 * batches are atomic, ranges can be read, sized and dropped. An engine plugs in by giving its own `OpenEngine`; what it
 * can't do well it says in its capabilities, so that nobody has to look at which engine it is.
 */
export type KeyOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

/** Keys from `from` (inclusive) to `to` (exclusive). */
export interface KeyRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

export interface ReadOptions {
  /** From the last key to the first. */
  readonly reverse?: boolean;
  /** At most so many entries. */
  readonly limit?: number;
}

export interface EngineCapabilities {
  /** Whether `approximateSize` looks at an index only; where false it reads the range, so it is not for every second. */
  readonly sizeFromIndex: boolean;
}

/** Keys and values that an engine hands out are the caller's own and plain `Uint8Array`s. */
export interface StoreEngine {
  readonly capabilities: EngineCapabilities;
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /** In the order of `keys`; undefined where there is no such key. */
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /** In key order, read in bounded batches, as everything was when the first entry was asked for. */
  entries(range: KeyRange, options?: ReadOptions): AsyncIterable<readonly [Uint8Array, Uint8Array]>;
  firstKey(range: KeyRange): Promise<Uint8Array | undefined>;
  /** All or nothing. With `sync` it and everything written before is on the disk when this resolves. */
  write(operations: readonly KeyOperation[], sync: boolean): Promise<void>;
  /** Not synced by itself. */
  clear(range: KeyRange): Promise<void>;
  /** Bytes that the range takes on disk; what was written a moment ago may be missing from it. */
  approximateSize(range: KeyRange): Promise<number>;
  /** Gives the space of what was deleted in the range back. An engine that does so by itself has nothing to do. */
  compact(range: KeyRange): Promise<void>;
  close(): Promise<void>;
}

/** Opens, creating when absent, the engine's files in the folder `path`. Rejects with StoreError `store_open`. */
export type OpenEngine = (path: string) => Promise<StoreEngine>;
