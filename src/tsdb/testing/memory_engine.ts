/**
 * A store engine in memory that can do what disks do: lose what was not synced, fail a write, hold a damaged record.
 * For tests and for the simulator.
 */
import type {
  EngineCapabilities,
  KeyOperation,
  KeyRange,
  OpenEngine,
  ReadOptions,
  StoreEngine,
} from '../engine.ts';

/** What survives the engine. Keys are hexadecimal, which sorts as the bytes do. */
export class MemoryDisk {
  #current = new Map<string, Uint8Array>();
  #synced = new Map<string, Uint8Array>();
  /** When set, the next write fails with it. */
  nextWriteError: Error | undefined;
  /** The operations of every write, and whether it was synced. */
  readonly writes: { operations: readonly KeyOperation[]; sync: boolean }[] = [];

  readonly openEngine: OpenEngine = async () => new MemoryEngine(this);

  get keys(): string[] {
    return [...this.#current.keys()].sort();
  }

  /** The stored bytes themselves, so that a test can damage them. */
  value(key: string): Uint8Array | undefined {
    return this.#current.get(key);
  }

  set(key: string, value: Uint8Array): void {
    this.#current.set(key, value);
  }

  /** Everything since the last sync is gone. */
  cutPower(): void {
    this.#current = new Map(this.#synced);
  }

  apply(operations: readonly KeyOperation[], sync: boolean): void {
    const error = this.nextWriteError;
    this.nextWriteError = undefined;
    if (error !== undefined) throw error;
    this.writes.push({ operations, sync });
    for (const operation of operations) {
      const key = Buffer.from(operation.key).toString('hex');
      if (operation.type === 'put') this.#current.set(key, operation.value.slice());
      else this.#current.delete(key);
    }
    if (sync) this.#synced = new Map(this.#current);
  }

  keysIn(range: KeyRange): string[] {
    const from = Buffer.from(range.from).toString('hex');
    const to = Buffer.from(range.to).toString('hex');
    return this.keys.filter((key) => key >= from && key < to);
  }

  delete(key: string): void {
    this.#current.delete(key);
  }
}

class MemoryEngine implements StoreEngine {
  readonly capabilities: EngineCapabilities = { sizeFromIndex: true };
  readonly #disk: MemoryDisk;

  constructor(disk: MemoryDisk) {
    this.#disk = disk;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#disk.value(Buffer.from(key).toString('hex'))?.slice();
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return Promise.all(keys.map((key) => this.get(key)));
  }

  async *entries(
    range: KeyRange,
    { reverse = false, limit }: ReadOptions = {},
  ): AsyncIterable<readonly [Uint8Array, Uint8Array]> {
    const keys = this.#disk.keysIn(range);
    if (reverse) keys.reverse();
    const rows = keys.slice(0, limit).map((key) => [key, this.#disk.value(key)] as const);
    for (const [key, value] of rows) {
      if (value !== undefined) yield [new Uint8Array(Buffer.from(key, 'hex')), value.slice()];
    }
  }

  async firstKey(range: KeyRange): Promise<Uint8Array | undefined> {
    const [key] = this.#disk.keysIn(range);
    return key === undefined ? undefined : new Uint8Array(Buffer.from(key, 'hex'));
  }

  async write(operations: readonly KeyOperation[], sync: boolean): Promise<void> {
    this.#disk.apply(operations, sync);
  }

  async clear(range: KeyRange): Promise<void> {
    for (const key of this.#disk.keysIn(range)) this.#disk.delete(key);
  }

  async approximateSize(range: KeyRange): Promise<number> {
    const sizes = this.#disk
      .keysIn(range)
      .map((key) => key.length / 2 + (this.#disk.value(key)?.length ?? 0));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  async compact(): Promise<void> {}

  async close(): Promise<void> {}
}
