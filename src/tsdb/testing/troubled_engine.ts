/**
 * A disk that fails after so many more writes or reads, whose owner can be killed, and that counts syncs, around any engine.
 * What a killed owner still tries to write does not land.
 */
import type {
  EngineCapabilities,
  KeyOperation,
  KeyRange,
  OpenEngine,
  ReadOptions,
  StoreEngine,
} from '../engine.ts';
import { diskError } from './faulty_disk.ts';

export class TroubledDisk {
  readonly #open: OpenEngine;
  #owner = 0;
  /** Writes that still succeed. */
  writesLeft: number = Number.POSITIVE_INFINITY;
  /** Reads that still succeed. */
  readsLeft: number = Number.POSITIVE_INFINITY;
  /** Writes that were synced, with everything before them. */
  syncs = 0;
  /** Writes, clears included, since the last sync. */
  unsynced = 0;

  constructor(open: OpenEngine) {
    this.#open = open;
  }

  /** For the next owner, which lives until `kill`. */
  ownedEngine(): OpenEngine {
    const owner = this.#owner;
    const assertAlive = (): void => {
      if (owner !== this.#owner) throw new Error('the process was killed');
    };
    return async (path) => {
      assertAlive();
      if (this.writesLeft <= 0) throw diskError('ENOSPC');
      this.spendRead();
      return new TroubledEngine(this, await this.#open(path), assertAlive);
    };
  }

  /** Nothing that was opened up to now writes any more. */
  kill(): void {
    this.#owner++;
  }

  repair(): void {
    this.writesLeft = Number.POSITIVE_INFINITY;
    this.readsLeft = Number.POSITIVE_INFINITY;
  }

  spendWrite(): void {
    if (this.writesLeft-- <= 0) throw diskError('ENOSPC');
  }

  spendRead(): void {
    if (this.readsLeft-- <= 0) throw diskError('EIO');
  }

  noteWrite(sync: boolean): void {
    this.syncs += sync ? 1 : 0;
    this.unsynced = sync ? 0 : this.unsynced + 1;
  }
}

class TroubledEngine implements StoreEngine {
  readonly capabilities: EngineCapabilities;
  readonly #disk: TroubledDisk;
  readonly #engine: StoreEngine;
  readonly #assertAlive: () => void;

  constructor(disk: TroubledDisk, engine: StoreEngine, assertAlive: () => void) {
    this.#disk = disk;
    this.#engine = engine;
    this.#assertAlive = assertAlive;
    this.capabilities = engine.capabilities;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#disk.spendRead();
    return this.#engine.get(key);
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.#disk.spendRead();
    return this.#engine.getMany(keys);
  }

  async *entries(range: KeyRange, options?: ReadOptions): AsyncIterable<readonly [Uint8Array, Uint8Array]> {
    this.#disk.spendRead();
    for await (const entry of this.#engine.entries(range, options)) {
      this.#disk.spendRead();
      yield entry;
    }
  }

  async firstKey(range: KeyRange): Promise<Uint8Array | undefined> {
    this.#disk.spendRead();
    return this.#engine.firstKey(range);
  }

  async write(operations: readonly KeyOperation[], sync: boolean): Promise<void> {
    this.#assertAlive();
    this.#disk.spendWrite();
    await this.#engine.write(operations, sync);
    this.#disk.noteWrite(sync);
  }

  async clear(range: KeyRange): Promise<void> {
    this.#assertAlive();
    this.#disk.spendWrite();
    await this.#engine.clear(range);
    this.#disk.noteWrite(false);
  }

  approximateSize(range: KeyRange): Promise<number> {
    return this.#engine.approximateSize(range);
  }

  compact(range: KeyRange): Promise<void> {
    return this.#engine.compact(range);
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}
