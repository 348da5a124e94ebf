// Configuration files on disk, and the languages inside rule files: the outside world that reading a
// configuration needs.
import { glob, readFile, stat } from 'node:fs/promises';
import { errorText } from '../base/index.ts';
import { parseExpr } from '../promql/index.ts';
import type { RuleFileChecks } from '../rules/index.ts';
import {
  alertmanagerFunctions,
  prometheusFunctionsForCheck,
  TemplateLibrary,
  validateTemplate,
} from '../template/index.ts';
import type { FileReader } from './config.ts';
import { engineFeatures } from './features.ts';

/** A configuration file beyond this is refused; none is near. */
const fileBytesMax = 64 * 1024 * 1024;

/** What the system says of a file, without its code and call. */
export function fileProblem(error: unknown): string {
  const text = errorText(error);
  return /^E[A-Z]+: (.*?)(?:, [a-z]+(?: '.*')?)?$/s.exec(text)?.[1] ?? text;
}

/** Files of this machine. */
export const diskFiles: FileReader = {
  async readText(path: string): Promise<string> {
    try {
      const { size } = await stat(path);
      if (size > fileBytesMax) throw new Error(`larger than ${fileBytesMax} bytes`);
      return await readFile(path, 'utf8');
    } catch (cause) {
      throw new Error(`open ${path}: ${fileProblem(cause)}`, { cause });
    }
  },
  async glob(pattern: string): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const path of glob(pattern)) found.push(path);
    return found.toSorted();
  },
};

/** Variables that templates of alerting rules may use, as Prometheus defines them. */
const alertVariables =
  '{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}';

/** What a room's function throws, as a message. */
function problemOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

/**
 * PromQL and templates, checked by the rooms that run them. `enabledFeatures` are names of --enable-feature: what
 * an engine with them evaluates is good in a rule file, and nothing more.
 */
export function ruleFileChecks(enabledFeatures: readonly string[]): RuleFileChecks {
  const features = engineFeatures(enabledFeatures);
  return {
    validateExpr: (text) => problemOf(() => parseExpr(text, features)),
    validateTemplate: (text) =>
      problemOf(() => validateTemplate(alertVariables + text, prometheusFunctionsForCheck)),
  };
}

/** Templates in notification settings, as far as Alertmanager checks them when it reads its file. */
export function validateNotificationTemplate(text: string): string | undefined {
  return problemOf(() => validateTemplate(text, {}));
}

/** Reads the template files that match. Rejects with an Error that names the first bad one. */
export async function checkTemplates(patterns: readonly string[]): Promise<void> {
  const library = new TemplateLibrary(alertmanagerFunctions(() => 0));
  for (const pattern of patterns) {
    for (const path of await diskFiles.glob(pattern)) library.add(path, await diskFiles.readText(path));
  }
}
