/**
 * A disk that misbehaves on demand, around any engine: full, read-only or broken for as long as a test wants, a write that
 * lands in part, values that come back damaged or not at all, and slowness that a test holds by a gate.
 */
import type {
  EngineCapabilities,
  KeyOperation,
  KeyRange,
  OpenEngine,
  ReadOptions,
  StoreEngine,
} from '../engine.ts';

/** An error as the system gives it. */
export function diskError(code: 'ENOSPC' | 'EROFS' | 'EIO'): Error {
  const texts = {
    ENOSPC: 'No space left on device',
    EROFS: 'Read-only file system',
    EIO: 'Input/output error',
  };
  return Object.assign(new Error(`IO error: 000005.log: ${texts[code]}`), { code });
}

export class FaultyDisk {
  readonly #open: OpenEngine;
  /** While set, every write and every opening fails with it. */
  refusal: Error | undefined;
  /** The next write fails with an error after so many of its operations have landed. */
  tearAfter: number | undefined;
  /** What a read gives in place of a stored value; undefined: nothing is there. */
  damage: ((key: Uint8Array, value: Uint8Array) => Uint8Array | undefined) | undefined;
  /** Writes wait for it. */
  gate: Promise<void> | undefined;
  /** Openings and writes that failed. */
  refused = 0;
  opened = 0;

  constructor(open: OpenEngine) {
    this.#open = open;
  }

  readonly openEngine: OpenEngine = async (path) => {
    this.#check();
    this.opened++;
    return new FaultyEngine(this, await this.#open(path));
  };

  async write(engine: StoreEngine, operations: readonly KeyOperation[], sync: boolean): Promise<void> {
    await this.gate;
    this.#check();
    const torn = this.tearAfter;
    this.tearAfter = undefined;
    if (torn === undefined) return engine.write(operations, sync);
    await engine.write(operations.slice(0, torn), false);
    this.refused++;
    throw diskError('EIO');
  }

  async clear(engine: StoreEngine, range: KeyRange): Promise<void> {
    await this.gate;
    this.#check();
    await engine.clear(range);
  }

  #check(): void {
    if (this.refusal === undefined) return;
    this.refused++;
    throw this.refusal;
  }
}

class FaultyEngine implements StoreEngine {
  readonly capabilities: EngineCapabilities;
  readonly #disk: FaultyDisk;
  readonly #engine: StoreEngine;

  constructor(disk: FaultyDisk, engine: StoreEngine) {
    this.#disk = disk;
    this.#engine = engine;
    this.capabilities = engine.capabilities;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const value = await this.#engine.get(key);
    return value === undefined ? undefined : this.#damaged(key, value);
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return Promise.all(keys.map((key) => this.get(key)));
  }

  async *entries(range: KeyRange, options?: ReadOptions): AsyncIterable<readonly [Uint8Array, Uint8Array]> {
    for await (const [key, value] of this.#engine.entries(range, options)) {
      const read = this.#damaged(key, value);
      if (read !== undefined) yield [key, read];
    }
  }

  firstKey(range: KeyRange): Promise<Uint8Array | undefined> {
    return this.#engine.firstKey(range);
  }

  write(operations: readonly KeyOperation[], sync: boolean): Promise<void> {
    return this.#disk.write(this.#engine, operations, sync);
  }

  clear(range: KeyRange): Promise<void> {
    return this.#disk.clear(this.#engine, range);
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

  #damaged(key: Uint8Array, value: Uint8Array): Uint8Array | undefined {
    return this.#disk.damage === undefined ? value : this.#disk.damage(key, value);
  }
}
