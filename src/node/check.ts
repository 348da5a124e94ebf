// `torchring check`: says of configuration files whether they are good, in promtool's manner, naming file, line
// and field of everything that is not.
import { type LoadedAlertmanagerConfig, parseAlertmanagerConfig } from '../alertmanager/index.ts';
import { errorText } from '../base/index.ts';
import type { DiscoveryConfig } from '../discovery/index.ts';
import { ConfigError, findPlace, Labels } from '../model/index.ts';
import { parseRuleFile } from '../rules/index.ts';
import { populateTarget, relabel } from '../scrape/index.ts';
import { type FileProblem, missingFiles } from './check_files.ts';
import type { CheckKind, CheckOptions, CliOutput } from './cli.ts';
import {
  directoryOf,
  ignoredMechanisms,
  loadPrometheusConfig,
  loadRuleGroups,
  type PrometheusConfig,
  parsePrometheusConfig,
} from './config.ts';
import { checkTemplates, diskFiles, ruleFileChecks, validateNotificationTemplate } from './config_files.ts';

const failedExitCode = 1;

/** What is said of a good file. Rejects with ConfigError, or an Error for a file that cannot be read. */
type Check = (file: string, options: CheckOptions) => Promise<readonly string[]>;

/** Checks every file and prints a verdict for each. Resolves with 0 when all are good, else 1. */
export async function runCheck(
  kind: CheckKind,
  files: readonly string[],
  options: CheckOptions,
  output: CliOutput,
): Promise<number> {
  let exitCode = 0;
  for (const file of files) {
    output.out(`Checking ${file}\n`);
    try {
      for (const line of await checks[kind](file, options)) output.out(`  ${line}\n`);
    } catch (error) {
      exitCode = failedExitCode;
      const lines = error instanceof ConfigError ? error.message : `${file}: ${errorText(error)}`;
      output.error(`  FAILED: ${lines.replaceAll('\n', '\n  ')}\n`);
    }
    output.out('\n');
  }
  return exitCode;
}

const checks: Readonly<Record<CheckKind, Check>> = {
  config: checkConfig,
  rules: async (file, { enabledFeatures }) => {
    const groups = parseRuleFile(await diskFiles.readText(file), file, ruleFileChecks(enabledFeatures));
    return [`SUCCESS: ${groups.reduce((sum, { rules }) => sum + rules.length, 0)} rules found`];
  },
  alertmanager: checkAlertmanager,
};

async function checkConfig(file: string, options: CheckOptions): Promise<readonly string[]> {
  const shared = { environment: process.env, compatibility: options.compatibility };
  const text = await diskFiles.readText(file);
  const config = options.syntaxOnly
    ? parsePrometheusConfig(text, { ...shared, file, directory: directoryOf(file) })
    : await loadPrometheusConfig(file, diskFiles, shared);
  const missing = options.syntaxOnly ? [] : await missingFiles(config);
  const problems = [...missing, ...jobProblems(config), ...endpointProblems(config)];
  if (problems.length > 0) {
    throw new ConfigError(
      file,
      problems.map(({ path, message }) => ({ ...findPlace(text, path), field: fieldOf(path), message })),
    );
  }
  const lines = [`SUCCESS: ${file} is valid prometheus config file syntax`];
  const ignored = ignoredMechanisms(config);
  if (ignored.length > 0) lines.push(`NOTE: not served yet and ignored: ${ignored.join(', ')} discovery`);
  if (!options.syntaxOnly) lines.push(await checkRuleFiles(config, options));
  return lines;
}

async function checkRuleFiles(config: PrometheusConfig, { enabledFeatures }: CheckOptions): Promise<string> {
  const groups = await loadRuleGroups(config, diskFiles, ruleFileChecks(enabledFeatures));
  return `SUCCESS: ${new Set(groups.map((group) => group.file)).size} rule files found`;
}

/** Label sets of the targets that are written in the configuration itself. */
function* staticTargets(configs: readonly DiscoveryConfig[]): Generator<Labels> {
  for (const config of configs) {
    if (config.mechanism !== 'static') continue;
    for (const { targets, labels } of config.groups) {
      for (const address of targets) {
        yield Labels.fromRecord({ ...labels, __address__: address });
      }
    }
  }
}

function fieldOf(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (field, step) =>
      typeof step === 'number' ? `${field}[${step}]` : field === '' ? step : `${field}.${step}`,
    '',
  );
}

function* jobProblems(config: PrometheusConfig): Generator<FileProblem> {
  for (const [index, job] of config.scrapeConfigs.entries()) {
    for (const labels of staticTargets(job.serviceDiscoveryConfigs)) {
      const target = populateTarget(labels, job);
      if (target.kind !== 'invalid') continue;
      yield { path: ['scrape_configs', index, 'static_configs'], message: target.error.message };
    }
  }
}

function* endpointProblems(config: PrometheusConfig): Generator<FileProblem> {
  for (const [index, endpoint] of config.alerting.alertmanagers.entries()) {
    for (const labels of staticTargets(endpoint.serviceDiscoveryConfigs)) {
      const address = relabel(labels, endpoint.relabelConfigs)?.get('__address__') ?? '';
      if (!address.includes('/')) continue;
      yield {
        path: ['alerting', 'alertmanagers', index, 'static_configs'],
        message: `"${address}" is not a valid hostname`,
      };
    }
  }
}

async function checkAlertmanager(file: string, options: CheckOptions): Promise<readonly string[]> {
  const config = parseAlertmanagerConfig(await diskFiles.readText(file), {
    file,
    directory: directoryOf(file),
    environment: process.env,
    compatibility: options.compatibility,
    validateTemplate: validateNotificationTemplate,
  });
  const lines = ['SUCCESS', ...found(config)];
  if (!options.syntaxOnly) await checkTemplates(config.templates);
  return lines;
}

function found(config: LoadedAlertmanagerConfig): readonly string[] {
  return [
    'Found:',
    ' - global config',
    ' - route',
    ` - ${config.inhibitRules.length} inhibit rules`,
    ` - ${config.receivers.length} receivers`,
    ` - ${config.templates.length} templates`,
  ];
}
