// The whole of prometheus.yml, composed from the rooms' own sections, and the loading of the files it names.
import {
  checkStaticTargets,
  type DiscoveryConfig,
  discoverySections,
  ignoredMechanisms as ignoredOf,
  type MechanismName,
} from '../discovery/index.ts';
import {
  ConfigError,
  type ConfigProblem,
  type DecodeOptions,
  decode,
  decodeYaml,
  type ObjectDecoder,
  type Report,
} from '../model/index.ts';
import {
  type RemoteReadConfig,
  type RemoteWriteConfig,
  remoteReadConfig,
  remoteWriteConfig,
} from '../remote/index.ts';
import { parseRuleFile, type RuleFileChecks, type RuleGroupConfig } from '../rules/index.ts';
import {
  type GlobalConfig,
  globalConfig,
  type PendingScrapeConfig,
  type ScrapeConfig,
  scrapeConfig,
} from '../scrape/index.ts';
import { alertingConfig, otlpConfig, storageConfig, tracingConfig } from './config_sections.ts';
import type { JobPlace, PrometheusConfig } from './config_types.ts';

export type {
  AlertingConfig,
  AlertmanagerEndpointConfig,
  OtlpConfig,
  PrometheusConfig,
  StorageConfig,
  TracingConfig,
} from './config_types.ts';

/** Access to files, given from outside. */
export interface FileReader {
  /** The text of a file. Rejects when there is none. */
  readText(path: string): Promise<string>;
  /** Existing files that match the pattern (`*`, `?` and classes in the last element), sorted. */
  glob(pattern: string): Promise<readonly string[]>;
}

type Pending = PendingScrapeConfig<DiscoveryConfig>;

const { field, list } = decode;
const scrapeEntry = scrapeConfig(discoverySections, checkStaticTargets);
const scrapeEntries = list(scrapeEntry, { nullItem: 'empty or null scrape config section' });
const runtime = decode.object<{ readonly gogc: number }>({ gogc: field('gogc', decode.int) });
const gogcDefault = 75;

/** A `*` may stand only in the last element of a path. */
const pathPattern = /^[^*]*(\*[^/]*)?$/;

interface RawConfig
  extends Omit<PrometheusConfig, 'scrapeConfigs' | 'jobPlaces' | 'runtimeGogc' | 'shownYaml' | 'tracing'> {
  readonly runtime: { readonly gogc: number };
  readonly scrapeConfigs: readonly Pending[];
  readonly tracing: PrometheusConfig['tracing'];
}

type Main = Omit<PrometheusConfig, 'shownYaml' | 'jobPlaces'>;

const mainConfig: ObjectDecoder<Main> = decode.section<RawConfig, Main>(
  {
    global: field('global', globalConfig, globalConfig.initial()),
    runtime: field('runtime', runtime),
    alerting: field('alerting', alertingConfig, alertingConfig.initial()),
    ruleFiles: field('rule_files', list(decode.filePath)),
    scrapeConfigFiles: field('scrape_config_files', list(decode.filePath)),
    scrapeConfigs: field('scrape_configs', scrapeEntries),
    storage: field('storage', storageConfig, storageConfig.initial()),
    tracing: field('tracing', decode.optional(tracingConfig)),
    remoteWrite: field('remote_write', list(remoteWriteConfig, { nullItem: empty('remote write') })),
    remoteRead: field('remote_read', list(remoteReadConfig, { nullItem: empty('remote read') })),
    otlp: field('otlp', otlpConfig, otlpConfig.initial()),
  },
  ({ runtime: { gogc }, scrapeConfigs, ...rest }, report) => {
    checkPatterns(rest.ruleFiles, 'rule', 'rule_files', report);
    checkPatterns(rest.scrapeConfigFiles, 'scrape config', 'scrape_config_files', report);
    checkNames(rest.remoteWrite, 'remote write', 'remote_write', report);
    checkNames(rest.remoteRead, 'remote read', 'remote_read', report);
    const translated = !rest.otlp.translationStrategy.startsWith('Underscore');
    if (translated && rest.global.metricNameValidationScheme === 'legacy') {
      report(
        `OTLP translation strategy "${rest.otlp.translationStrategy}" is not allowed when UTF8 is disabled`,
        'otlp',
      );
    }
    return {
      ...rest,
      runtimeGogc: gogc === 0 ? gogcDefault : gogc,
      scrapeConfigs: resolveJobs(scrapeConfigs, rest.global),
    };
  },
);

function empty(what: string): string {
  return `empty or null ${what} config section`;
}

function resolveJobs(
  entries: readonly Pending[],
  global: GlobalConfig,
): readonly ScrapeConfig<DiscoveryConfig>[] {
  const seen = new Set<string>();
  return entries.map(({ jobName, report, resolve }) => {
    if (seen.has(jobName)) {
      report(`found multiple scrape configs with job name "${jobName}"`, 'job_name');
    }
    seen.add(jobName);
    return resolve(global);
  });
}

function checkPatterns(paths: readonly string[], what: string, yamlField: string, report: Report): void {
  for (const path of paths) {
    if (!pathPattern.test(path)) report(`invalid ${what} file path "${path}"`, yamlField);
  }
}

function checkNames(
  configs: readonly (RemoteWriteConfig | RemoteReadConfig)[],
  what: string,
  yamlField: string,
  report: Report,
): void {
  const seen = new Set<string>();
  for (const { name } of configs) {
    if (name !== '' && seen.has(name)) {
      report(`found multiple ${what} configs with job name "${name}"`, yamlField);
    }
    seen.add(name);
  }
}

/** Reads the text of a prometheus.yml. Throws ConfigError with everything that is wrong. */
export function parsePrometheusConfig(text: string, options: DecodeOptions): PrometheusConfig {
  const { value, shownYaml } = decodeYaml(text, mainConfig, options, mainConfig.initial());
  return { ...value, shownYaml, jobPlaces: placesOf(value.scrapeConfigs, options.file) };
}

function placesOf(jobs: readonly { readonly jobName: string }[], file: string): Map<string, JobPlace> {
  return new Map(jobs.map(({ jobName }, index) => [jobName, { file, index }]));
}

/**
 * Reads prometheus.yml and the files of `scrape_config_files`; their jobs are appended to `scrapeConfigs`.
 * Throws ConfigError, or what the reader throws for the main file.
 */
export async function loadPrometheusConfig(
  path: string,
  files: FileReader,
  options: Omit<DecodeOptions, 'file' | 'directory'> = {},
): Promise<PrometheusConfig> {
  const text = await files.readText(path);
  const config = parsePrometheusConfig(text, { ...options, file: path, directory: directoryOf(path) });
  const jobs = [...config.scrapeConfigs];
  const places = new Map(config.jobPlaces);
  for (const pattern of config.scrapeConfigFiles) {
    for (const file of await files.glob(pattern)) {
      const more = await readExtraJobs(file, files, config.global, places, options);
      for (const [jobName, place] of placesOf(more, file)) places.set(jobName, place);
      jobs.push(...more);
    }
  }
  return { ...config, scrapeConfigs: jobs, jobPlaces: places };
}

async function readExtraJobs(
  file: string,
  files: FileReader,
  global: GlobalConfig,
  places: ReadonlyMap<string, JobPlace>,
  options: Omit<DecodeOptions, 'file' | 'directory'>,
): Promise<readonly ScrapeConfig<DiscoveryConfig>[]> {
  const text = await files.readText(file);
  const decoder = decode.section<
    { readonly scrapeConfigs: readonly Pending[] },
    readonly ScrapeConfig<DiscoveryConfig>[]
  >({ scrapeConfigs: field('scrape_configs', scrapeEntries) }, ({ scrapeConfigs }) => {
    const firstIn = new Map([...places].map(([jobName, place]) => [jobName, place.file]));
    for (const { jobName, report } of scrapeConfigs) {
      const first = firstIn.get(jobName);
      if (first !== undefined) {
        report(
          `found multiple scrape configs with job name "${jobName}", first found in ${first}`,
          'job_name',
        );
      }
      firstIn.set(jobName, first ?? file);
    }
    return scrapeConfigs.map(({ resolve }) => resolve(global));
  });
  return decodeYaml(text, decoder, { ...options, file, directory: directoryOf(file) }, []).value;
}

/** The rule files that the configuration names, in its order. A pattern without a wildcard must match a file. */
export async function findRuleFiles(
  config: Pick<PrometheusConfig, 'ruleFiles'>,
  files: FileReader,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pattern of config.ruleFiles) {
    const matched = await files.glob(pattern);
    if (matched.length === 0 && !pattern.includes('*')) throw missingFile(pattern);
    found.push(...matched);
  }
  return found;
}

/** Reads every rule file. Throws ConfigError. */
export async function loadRuleGroups(
  config: Pick<PrometheusConfig, 'ruleFiles'>,
  files: FileReader,
  checks: RuleFileChecks,
): Promise<readonly RuleGroupConfig[]> {
  const groups: RuleGroupConfig[] = [];
  for (const file of await findRuleFiles(config, files))
    groups.push(...parseRuleFile(await files.readText(file), file, checks));
  return groups;
}

function missingFile(path: string): ConfigError {
  const problem: ConfigProblem = {
    line: 1,
    column: 1,
    field: '',
    message: 'does not point to an existing file',
  };
  return new ConfigError(path, [problem]);
}

/** Names of the discovery mechanisms that the configuration asks for and that do nothing yet. */
export function ignoredMechanisms(
  config: Pick<PrometheusConfig, 'scrapeConfigs' | 'alerting'>,
): readonly MechanismName[] {
  return ignoredOf(
    [...config.scrapeConfigs, ...config.alerting.alertmanagers].flatMap(
      ({ serviceDiscoveryConfigs }) => serviceDiscoveryConfigs,
    ),
  );
}

/** The directory that relative paths of a file start at. */
export function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  if (slash < 0) return '.';
  return slash === 0 ? '/' : path.slice(0, slash);
}
