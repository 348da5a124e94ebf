// `torchring check`: says of configuration files whether they are good, in promtool's manner, naming file, line
// and field of everything that is not.
import { type LoadedAlertmanagerConfig, parseAlertmanagerConfig } from '../alertmanager/index.ts';
import { errorText } from '../base/index.ts';
import { ConfigError, findPlace } from '../model/index.ts';
import { parseRuleFile } from '../rules/index.ts';
import { type FileProblem, missingFiles } from './check_files.ts';
import { checkTargets } from './check_targets.ts';
import type { CheckKind, CheckOptions, CliOutput } from './cli.ts';
import {
  directoryOf,
  findRuleFiles,
  ignoredMechanisms,
  loadPrometheusConfig,
  type PrometheusConfig,
  parsePrometheusConfig,
} from './config.ts';
import { checkTemplates, diskFiles, ruleFileChecks, validateNotificationTemplate } from './config_files.ts';
import { loadWebConfig } from './web_config.ts';

const failedExitCode = 1;

/** What is said of a good file, and the rule files that it names. */
interface Verdict {
  readonly lines: readonly string[];
  readonly ruleFiles?: readonly string[];
}

/** Rejects with ConfigError, or an Error for a file that cannot be read. */
type Check = (file: string, options: CheckOptions) => Promise<Verdict>;

/**
 * Checks every file, and after it the rule files that it names, and prints a verdict for each. Resolves with 0 when all
 * are good, else 1.
 */
export async function runCheck(
  kind: CheckKind,
  files: readonly string[],
  options: CheckOptions,
  output: CliOutput,
): Promise<number> {
  let exitCode = 0;
  for (const file of files) {
    output.out(`Checking ${file}\n`);
    let ruleFiles: readonly string[] = [];
    try {
      const verdict = await checks[kind](file, options);
      for (const line of verdict.lines) output.out(`  ${line}\n`);
      ruleFiles = verdict.ruleFiles ?? [];
    } catch (error) {
      exitCode = failedExitCode;
      const lines = error instanceof ConfigError ? error.message : `${file}: ${errorText(error)}`;
      output.error(`  FAILED: ${lines.replaceAll('\n', '\n  ')}\n`);
    }
    output.out('\n');
    exitCode = Math.max(exitCode, await runCheck('rules', ruleFiles, options, output));
  }
  return exitCode;
}

const checks: Readonly<Record<CheckKind, Check>> = {
  config: checkConfig,
  rules: async (file, { enabledFeatures }) => {
    const groups = parseRuleFile(await diskFiles.readText(file), file, ruleFileChecks(enabledFeatures));
    return { lines: [`SUCCESS: ${groups.reduce((sum, { rules }) => sum + rules.length, 0)} rules found`] };
  },
  alertmanager: checkAlertmanager,
  'web-config': async (file) => {
    loadWebConfig(file);
    return { lines: [`SUCCESS: ${file} is a valid web configuration`] };
  },
};

async function checkConfig(file: string, options: CheckOptions): Promise<Verdict> {
  const { syntaxOnly, compatibility } = options;
  const shared = { environment: process.env, compatibility };
  const config = syntaxOnly
    ? parsePrometheusConfig(await diskFiles.readText(file), { ...shared, file, directory: directoryOf(file) })
    : await loadPrometheusConfig(file, diskFiles, shared);
  const missing = syntaxOnly ? [] : await missingFiles(config);
  const targets = await checkTargets(config, syntaxOnly);
  const problems = [...missing, ...targets.problems];
  if (problems.length > 0) throw await placed(problems, config, file);
  const ruleFiles = syntaxOnly ? [] : await findRuleFiles(config, diskFiles);
  const lines = [...targets.warnings];
  if (ruleFiles.length > 0) lines.push(`SUCCESS: ${ruleFiles.length} rule files found`);
  lines.push(`SUCCESS: ${file} is valid prometheus config file syntax`);
  const ignored = ignoredMechanisms(config);
  if (ignored.length > 0) lines.push(`NOTE: not served yet and ignored: ${ignored.join(', ')} discovery`);
  return { lines, ruleFiles };
}

/** The problems of one file, the first that has any: of the configuration, or of one that it takes jobs from. */
async function placed(
  problems: readonly FileProblem[],
  config: PrometheusConfig,
  mainFile: string,
): Promise<ConfigError> {
  const all = problems.map(({ path, message }) => {
    const [section, index, ...rest] = path;
    const job = section === 'scrape_configs' ? config.scrapeConfigs[Number(index)]?.jobName : undefined;
    const place = config.jobPlaces.get(job ?? '');
    return place === undefined
      ? { file: mainFile, path, message }
      : { file: place.file, path: ['scrape_configs', place.index, ...rest], message };
  });
  const file = all[0]?.file ?? mainFile;
  const text = await diskFiles.readText(file);
  const here = all.filter((problem) => problem.file === file);
  return new ConfigError(
    file,
    here.map(({ path, message }) => ({ ...findPlace(text, path), field: fieldOf(path), message })),
  );
}

function fieldOf(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (field, step) =>
      typeof step === 'number' ? `${field}[${step}]` : field === '' ? step : `${field}.${step}`,
    '',
  );
}

async function checkAlertmanager(file: string, options: CheckOptions): Promise<Verdict> {
  const config = parseAlertmanagerConfig(await diskFiles.readText(file), {
    file,
    directory: directoryOf(file),
    environment: process.env,
    compatibility: options.compatibility,
    validateTemplate: validateNotificationTemplate,
  });
  const lines = ['SUCCESS', ...found(config)];
  if (!options.syntaxOnly) await checkTemplates(config.templates);
  return { lines };
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
