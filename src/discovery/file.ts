/**
 * Targets written in files that other programs keep: read again when the file system says that something
 * changed, and at an interval for those file systems that don't say. A file that can't be understood keeps the
 * groups that it last had; a file that is gone takes its groups with it.
 */
import { type FSWatcher, watch } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import { errorText } from '../base/index.ts';
import { Labels } from '../model/index.ts';
import type { FileSdConfig } from './config/static_types.ts';
import { BadTargetsError } from './errors.ts';
import { expandGlob, matchesWildcard } from './glob.ts';
import { parseGroupList } from './group_list.ts';
import { type DiscoveryDeps, runRefreshLoop } from './refresh.ts';
import type { Discovery, Publish, TargetGroup } from './target_group.ts';

const filePathLabel = '__meta_filepath';
const fileBytesMax = 64 * 1024 * 1024;

export function createFileDiscovery(config: FileSdConfig, deps: DiscoveryDeps): Discovery {
  return {
    async start(publish, signal) {
      const run = new FileDiscovery(config, deps);
      try {
        await run.loop(publish, signal);
      } finally {
        run.close();
      }
    },
  };
}

class FileDiscovery {
  readonly #config: FileSdConfig;
  readonly #deps: DiscoveryDeps;
  readonly #watchers = new Map<string, { readonly watcher: FSWatcher; readonly identity: string }>();
  #wake: () => void = () => undefined;
  /** The last good groups of each file that exists. */
  #groups = new Map<string, readonly TargetGroup[]>();

  constructor(config: FileSdConfig, deps: DiscoveryDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  loop(publish: Publish, signal: AbortSignal): Promise<void> {
    return runRefreshLoop(
      {
        mechanism: 'file',
        intervalMs: this.#config.refreshIntervalMs,
        refresh: () => this.#refresh(),
        onStart: (wake) => {
          this.#wake = wake;
        },
      },
      this.#deps,
      publish,
      signal,
    );
  }

  close(): void {
    for (const { watcher } of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  async #refresh(): Promise<TargetGroup[]> {
    const { clock, metrics } = this.#deps;
    const startedAtMs = clock.monotonicMs();
    // Before reading, so that no change falls between the reading and the watching.
    await this.#watchDirectories();
    const paths = new Set<string>();
    for (const pattern of this.#config.files) for (const path of await expandGlob(pattern)) paths.add(path);
    const groups = new Map<string, readonly TargetGroup[]>();
    for (const path of paths) {
      const found = await this.#read(path);
      if (found !== undefined) groups.set(path, found);
    }
    for (const path of this.#groups.keys())
      if (!groups.has(path)) metrics.fileMtime.remove({ filename: path });
    this.#groups = groups;
    metrics.fileScanDuration.observe((clock.monotonicMs() - startedAtMs) / 1000);
    return [...groups.values()].flat();
  }

  /** Undefined when the file doesn't exist, or was never good. */
  async #read(path: string): Promise<readonly TargetGroup[] | undefined> {
    const { log, metrics } = this.#deps;
    try {
      const { size, mtimeMs } = await stat(path);
      if (size > fileBytesMax) throw new BadTargetsError(`${size} bytes, at most ${fileBytesMax} are read`);
      const text = await readFile(path, 'utf8');
      const listed = parseGroupList(text, extname(path).toLowerCase() === '.json' ? 'json' : 'yaml');
      metrics.fileMtime.set({ filename: path }, mtimeMs / 1000);
      return listed.map(({ targets, labels }, index) => ({
        source: `${path}:${index}`,
        targets,
        labels: Labels.fromRecord({ ...labels, [filePathLabel]: path }),
      }));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      metrics.fileReadErrors.inc();
      log.error({ path, err: errorText(error) }, 'target file is bad, its last good targets stay');
      return this.#groups.get(path);
    }
  }

  /** Watches the directories, not the files: editors and deployments replace files by renaming. */
  async #watchDirectories(): Promise<void> {
    const namesByDirectory = new Map<string, string[]>();
    for (const pattern of this.#config.files) {
      for (const directory of await expandGlob(dirname(pattern))) {
        namesByDirectory.set(directory, [...(namesByDirectory.get(directory) ?? []), basename(pattern)]);
      }
    }
    for (const directory of this.#watchers.keys()) {
      if (!namesByDirectory.has(directory)) this.#unwatch(directory);
    }
    for (const [directory, names] of namesByDirectory) {
      try {
        // A directory that was made anew is another one, if with the same number; the old one tells nothing any more.
        const { ino, birthtimeMs } = await stat(directory);
        const identity = `${ino} ${birthtimeMs}`;
        if (this.#watchers.get(directory)?.identity === identity) continue;
        this.#unwatch(directory);
        const onChange = (_: string, name: string | null): void => {
          if (isOfInterest(name, names)) this.#wake();
        };
        const watcher = watch(directory, { persistent: false }, onChange);
        this.#watchers.set(directory, { watcher, identity });
        watcher.on('error', (error) => {
          this.#watchFailed(directory, error);
          this.#unwatch(directory);
        });
      } catch (error) {
        this.#unwatch(directory);
        this.#watchFailed(directory, error);
      }
    }
  }

  #unwatch(directory: string): void {
    this.#watchers.get(directory)?.watcher.close();
    this.#watchers.delete(directory);
  }

  #watchFailed(directory: string, error: unknown): void {
    this.#deps.metrics.fileWatcherErrors.inc();
    this.#deps.log.warn({ directory, err: errorText(error) }, 'directory of target files is not watched');
  }
}

/**
 * Whether a change in a directory may be one of its target files. Mounted volumes of Kubernetes change by a hidden link
 * that the visible files lead through.
 */
const isOfInterest = (name: string | null, patterns: readonly string[]): boolean =>
  name === null || name.startsWith('.') || patterns.some((pattern) => matchesWildcard(name, pattern));
