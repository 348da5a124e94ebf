/** Everything that a node reads at start and at reload, read whole before any of it is applied. */
import { createHash } from 'node:crypto';
import {
  type AlertmanagerConfig,
  parseAlertmanagerConfig,
  unsupportedIntegrations,
} from '../alertmanager/index.ts';
import type { RuleGroupConfig } from '../rules/index.ts';
import {
  type AlertmanagerEndpointConfig,
  type FileReader,
  ignoredMechanisms,
  loadPrometheusConfig,
  loadRuleGroups,
  type PrometheusConfig,
} from './config.ts';
import { ruleFileChecks } from './config_files.ts';

export interface ConfigPaths {
  readonly prometheus: string;
  /** Empty: none. */
  readonly alertmanager: string;
}

export interface LoadedConfig {
  readonly prometheus: PrometheusConfig;
  readonly ruleGroups: readonly RuleGroupConfig[];
  readonly alertmanager: (AlertmanagerConfig & { readonly shownYaml: string }) | undefined;
  /** Equal on nodes that were given the same files. */
  readonly hash: string;
  /** What is configured and not done yet, a sentence each. */
  readonly notYetEffective: readonly string[];
}

/**
 * Reads all files that `paths` name or lead to. `enabledFeatures` are names of --enable-feature, by which rules
 * are judged; `environment` is what external labels may name. Rejects with ConfigError, or with what the reader says about a file.
 */
export async function loadConfig(
  paths: ConfigPaths,
  files: FileReader,
  enabledFeatures: readonly string[] = [],
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<LoadedConfig> {
  const prometheus = await loadPrometheusConfig(paths.prometheus, files, { environment });
  const ruleGroups = await loadRuleGroups(prometheus, files, ruleFileChecks(enabledFeatures));
  const alertmanager =
    paths.alertmanager === ''
      ? undefined
      : parseAlertmanagerConfig(await files.readText(paths.alertmanager), { file: paths.alertmanager });
  const texts = [prometheus.shownYaml, JSON.stringify(ruleGroups), alertmanager?.shownYaml ?? ''];
  const hash = createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 16);
  return {
    prometheus,
    ruleGroups,
    alertmanager,
    hash,
    notYetEffective: notYetEffective(prometheus, alertmanager),
  };
}

function notYetEffective(
  prometheus: PrometheusConfig,
  alertmanager: AlertmanagerConfig | undefined,
): string[] {
  const sentences = [...ignoredMechanisms(prometheus)].map(
    (name) => `service discovery ${name} is ignored: it is not supported yet`,
  );
  const section = (isUsed: boolean, name: string): void => {
    if (isUsed) sentences.push(`section ${name} has no effect yet`);
  };
  section(prometheus.remoteWrite.length > 0, 'remote_write');
  section(prometheus.remoteRead.length > 0, 'remote_read');
  section(prometheus.alerting.alertmanagers.some(hasTargets), 'alerting.alertmanagers');
  section(prometheus.tracing !== undefined, 'tracing');
  const { retention, staleSeriesCompactionThreshold, floatChunkEncoding } = prometheus.storage;
  section(retention.percentage > 0, 'storage.tsdb.retention.percentage');
  section(staleSeriesCompactionThreshold > 0, 'storage.tsdb.stale_series_compaction_threshold');
  section(floatChunkEncoding !== '', 'storage.tsdb.chunk_encoding');
  if (alertmanager !== undefined) {
    section(alertmanager.templates.length > 0, 'templates of the Alertmanager configuration');
    sentences.push(...unsupportedIntegrations(alertmanager));
  }
  return sentences;
}

/** The example of Prometheus' documentation has a section without any. */
const hasTargets = ({ serviceDiscoveryConfigs }: AlertmanagerEndpointConfig): boolean =>
  serviceDiscoveryConfigs.some(
    (section) => section.mechanism !== 'static' || section.groups.some(({ targets }) => targets.length > 0),
  );
