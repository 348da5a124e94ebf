/**
 * An engine that can be opened anew in place. LevelDB and RocksDB stop writing for good after some failures, and after
 * the others the end of their log may be torn; opening again is what makes them sound.
 */
import type {
  EngineCapabilities,
  KeyOperation,
  KeyRange,
  OpenEngine,
  ReadOptions,
  StoreEngine,
} from './engine.ts';
import { StoreError, storeErrorCodes } from './errors.ts';

export class ReopenableEngine implements StoreEngine {
  readonly capabilities: EngineCapabilities;
  readonly #path: string;
  readonly #open: OpenEngine;
  #current: StoreEngine | undefined;
  /** Called before each synced write, whoever asks for it; what it returns is called when that has succeeded. */
  beforeSync: (() => () => void) | undefined;

  private constructor(path: string, open: OpenEngine, current: StoreEngine) {
    this.#path = path;
    this.#open = open;
    this.#current = current;
    this.capabilities = current.capabilities;
  }

  /** Rejects with StoreError (`store_open`). */
  static async open(path: string, open: OpenEngine): Promise<ReopenableEngine> {
    return new ReopenableEngine(path, open, await open(path));
  }

  /** Closes the engine, unless a failed attempt did, and opens it. Reads under way fail. */
  async reopen(): Promise<void> {
    await this.close();
    this.#current = await this.#open(this.#path);
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#use((engine) => engine.get(key));
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#use((engine) => engine.getMany(keys));
  }

  async *entries(range: KeyRange, options?: ReadOptions): AsyncIterable<readonly [Uint8Array, Uint8Array]> {
    yield* await this.#use(async (engine) => engine.entries(range, options));
  }

  firstKey(range: KeyRange): Promise<Uint8Array | undefined> {
    return this.#use((engine) => engine.firstKey(range));
  }

  async write(operations: readonly KeyOperation[], sync: boolean): Promise<void> {
    const synced = sync ? this.beforeSync?.() : undefined;
    await this.#use((engine) => engine.write(operations, sync));
    synced?.();
  }

  clear(range: KeyRange): Promise<void> {
    return this.#use((engine) => engine.clear(range));
  }

  approximateSize(range: KeyRange): Promise<number> {
    return this.#use((engine) => engine.approximateSize(range));
  }

  compact(range: KeyRange): Promise<void> {
    return this.#use((engine) => engine.compact(range));
  }

  async close(): Promise<void> {
    const engine = this.#current;
    this.#current = undefined;
    await engine?.close();
  }

  async #use<T>(run: (engine: StoreEngine) => Promise<T>): Promise<T> {
    if (this.#current !== undefined) return run(this.#current);
    throw new StoreError(storeErrorCodes.failed, `the store in ${this.#path} could not be opened again`);
  }
}
