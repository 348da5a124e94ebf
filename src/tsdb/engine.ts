/**
 * What a store directory asks of the ordered key-value engine under it. `classic-level` is the default; another
 * engine plugs in by giving its own `OpenEngine`. Keys sort by their bytes.
 */
export type KeyOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

/** Keys from `from` (inclusive) to `to` (exclusive). */
export interface KeyRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

export interface StoreEngine {
  /** All or nothing. With `sync` it and everything written before is on the disk when this resolves. */
  write(operations: readonly KeyOperation[], sync: boolean): Promise<void>;
  /** In key order, read in bounded batches. */
  entries(range: KeyRange): AsyncIterable<readonly [Uint8Array, Uint8Array]>;
  firstKey(range: KeyRange): Promise<Uint8Array | undefined>;
  clear(range: KeyRange): Promise<void>;
  close(): Promise<void>;
}

/** Opens, creating when absent, the engine's files in the folder `path`. */
export type OpenEngine = (path: string) => Promise<StoreEngine>;
