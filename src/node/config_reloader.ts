/**
 * Reads the configuration again when a signal or a request asks for it, or, where that is switched on, when a file has
 * changed. A configuration that can't be read or applied changes nothing: the old one goes on, and the log, the metrics
 * and whoever asked are told why.
 */
import { type Clock, CodedError, errorText, type Logger, type Timer } from '../base/index.ts';
import { ConfigError, quoteGo } from '../model/index.ts';
import type { ConfigSource } from './config_source.ts';
import type { LoadedConfig } from './load_config.ts';
import type { ConfigStatus } from './own_metrics.ts';

/** The shortest pause between two looks at the files. */
const lookIntervalMsMin = 1_000;

interface Deps {
  readonly source: ConfigSource;
  /** Rejects when a part of the node refuses it; the old one is in force everywhere then. */
  readonly apply: (config: LoadedConfig) => Promise<void>;
  /** How a reload ended. */
  readonly onReload?: (isGood: boolean) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export class ConfigReloader {
  readonly #deps: Deps;
  #isLastReloadGood = false;
  #lastConfigMs = 0;
  /** Settled once the first configuration is in force, or never will be. */
  readonly #started = Promise.withResolvers<void>();
  #reloading: Promise<void> = this.#started.promise;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  get status(): ConfigStatus {
    return { isLastReloadGood: this.#isLastReloadGood, lastConfigMs: this.#lastConfigMs };
  }

  /** The first configuration. */
  async start(config: LoadedConfig): Promise<void> {
    await this.#apply(config);
    this.#started.resolve();
  }

  /** One reload after the other, the first when the node has started. Rejects with CodedError. */
  reload(): Promise<void> {
    const done = this.#reloading.then(() => this.#reload());
    // A failure is the caller's; the next reload is tried all the same.
    this.#reloading = done.catch(() => undefined);
    return done;
  }

  async #reload(): Promise<void> {
    const { source, log, onReload } = this.#deps;
    const file = source.paths.prometheus;
    if (this.#isStopped) throw new CodedError('unavailable', 'the node is stopping');
    log.info({ file }, 'loading the configuration');
    try {
      await this.#apply(await this.#load());
      log.info({ file }, 'configuration loaded');
      onReload?.(true);
    } catch (error) {
      this.#isLastReloadGood = false;
      onReload?.(false);
      log.error({ file, err: errorText(error) }, 'the configuration was not loaded, the old one goes on');
      throw error;
    }
  }

  async #load(): Promise<LoadedConfig> {
    const { source } = this.#deps;
    try {
      return await source.load();
    } catch (cause) {
      throw new CodedError(
        'config_reload',
        `couldn't load configuration (--config.file=${quoteGo(source.paths.prometheus)}): ${reasonOf(cause)}`,
        { cause },
      );
    }
  }

  async #apply(config: LoadedConfig): Promise<void> {
    const { source, apply, clock, log } = this.#deps;
    for (const text of config.notYetEffective) log.warn({}, text);
    try {
      await apply(config);
    } catch (cause) {
      const file = quoteGo(source.paths.prometheus);
      throw new CodedError(
        'config_reload',
        `one or more errors occurred while applying the new configuration (--config.file=${file}): ${errorText(cause)}`,
        { cause },
      );
    }
    this.#isLastReloadGood = true;
    this.#lastConfigMs = clock.nowMs();
  }

  /** Reloads from now on whenever a file has changed, and as long as the last reload failed. 0: never. */
  watch(intervalMs: number): void {
    if (intervalMs <= 0 || this.#isStopped) return;
    this.#timer = this.#deps.clock.after(Math.max(lookIntervalMsMin, intervalMs), () => {
      this.#look()
        .catch((error: unknown) =>
          this.#deps.log.error(
            { err: errorText(error) },
            'the files of the configuration could not be looked at',
          ),
        )
        .finally(() => this.watch(intervalMs));
    });
  }

  async #look(): Promise<void> {
    const { source, log } = this.#deps;
    await this.#reloading;
    if (this.#isLastReloadGood && !(await source.hasChanged())) return;
    log.info({}, 'configuration file change detected, reloading the configuration');
    // What went wrong is logged already.
    await this.reload().catch(() => undefined);
  }

  /** Looks at nothing any more, and loads nothing. */
  stop(): void {
    this.#isStopped = true;
    this.#started.resolve();
    this.#timer?.cancel();
  }
}

/** In one line, as logs and answers have it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof ConfigError)) return errorText(error);
  const problems = error.problems.map(
    ({ line, field, message }) => `line ${line}: ${field === '' ? '' : `${field}: `}${message}`,
  );
  return `parsing YAML file ${error.file}: ${problems.join('; ')}`;
}
