/**
 * The files that a node's configuration comes from: read whole at start and at each reload, and looked at again to see
 * whether any of them has changed, the files that they name included.
 */
import { createHash, type Hash } from 'node:crypto';
import type { FileReader } from './config.ts';
import { type ConfigPaths, type LoadedConfig, loadConfig } from './load_config.ts';

type Access = { readonly kind: 'text' | 'glob'; readonly what: string };

export class ConfigSource {
  readonly #paths: ConfigPaths;
  readonly #files: FileReader;
  readonly #enabledFeatures: readonly string[];
  readonly #environment: Readonly<Record<string, string | undefined>>;
  /** What the last reading looked at, in its order, and what it saw. */
  #accesses: readonly Access[] = [];
  #seen = '';

  constructor(
    paths: ConfigPaths,
    files: FileReader,
    enabledFeatures: readonly string[],
    environment: Readonly<Record<string, string | undefined>>,
  ) {
    this.#paths = paths;
    this.#files = files;
    this.#enabledFeatures = enabledFeatures;
    this.#environment = environment;
  }

  get paths(): ConfigPaths {
    return this.#paths;
  }

  /** Rejects with ConfigError, or an Error that names a file which can't be read. */
  async load(): Promise<LoadedConfig> {
    const reader = new WatchedReader(this.#files);
    try {
      return await loadConfig(this.#paths, reader, this.#enabledFeatures, this.#environment);
    } finally {
      this.#accesses = reader.accesses;
      this.#seen = reader.digest();
    }
  }

  /** Whether reading anew would see anything else than the last reading did. */
  async hasChanged(): Promise<boolean> {
    const reader = new WatchedReader(this.#files);
    for (const { kind, what } of this.#accesses) {
      // What can't be read is seen as such.
      if (kind === 'text') await reader.readText(what).catch(() => undefined);
      else await reader.glob(what).catch(() => undefined);
    }
    return reader.digest() !== this.#seen;
  }
}

/** Remembers what was asked for and, as a digest, what the answers were. */
class WatchedReader implements FileReader {
  readonly #files: FileReader;
  readonly #hash: Hash = createHash('sha256');
  readonly accesses: Access[] = [];

  constructor(files: FileReader) {
    this.#files = files;
  }

  async readText(path: string): Promise<string> {
    this.accesses.push({ kind: 'text', what: path });
    return this.#watch(path, this.#files.readText(path));
  }

  async glob(pattern: string): Promise<readonly string[]> {
    this.accesses.push({ kind: 'glob', what: pattern });
    return this.#watch(pattern, this.#files.glob(pattern));
  }

  async #watch<T>(what: string, answer: Promise<T>): Promise<T> {
    try {
      const value = await answer;
      this.#hash.update(JSON.stringify([what, value]));
      return value;
    } catch (error) {
      this.#hash.update(JSON.stringify([what, null]));
      throw error;
    }
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}
