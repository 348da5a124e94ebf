/** The names of --enable-feature: which change the query engine, which are what this program does anyway. */
import type { EngineFeatures } from '../promql/index.ts';
import { scrapeFeatureNames } from '../scrape/index.ts';

const engineFlags: Readonly<Record<string, keyof EngineFeatures>> = {
  'promql-experimental-functions': 'experimentalFunctions',
  'promql-extended-range-selectors': 'extendedRangeSelectors',
  'promql-binop-fill-modifiers': 'fillModifiers',
  'promql-delayed-name-removal': 'delayedNameRemoval',
  'use-start-timestamps': 'useStartTimestamps',
  'type-and-unit-labels': 'typeAndUnitLabels',
};

/** On without being asked for, or long since the rule in Prometheus 3. */
const alwaysOn: ReadonlySet<string> = new Set([
  'promql-at-modifier',
  'promql-negative-offset',
  'promql-duration-expr',
  'expand-external-labels',
  'utf8-names',
  'remote-write-receiver',
]);

/** Of what comes from other programs' senders. */
const remoteFeatures: ReadonlySet<string> = new Set([
  'created-timestamp-zero-ingestion',
  'otlp-native-delta-ingestion',
]);

const autoReloadConfig = 'auto-reload-config';

export const autoReloads = (names: readonly string[]): boolean => names.includes(autoReloadConfig);

const perStepStats = 'promql-per-step-stats';

export const countsSteps = (names: readonly string[]): boolean => names.includes(perStepStats);

export function engineFeatures(names: readonly string[]): EngineFeatures {
  const on = names.flatMap((name) => {
    const flag = Object.hasOwn(engineFlags, name) ? engineFlags[name] : undefined;
    return flag === undefined ? [] : [[flag, true] as const];
  });
  return Object.fromEntries(on);
}

/** Names that are accepted and do nothing. */
export function featuresWithoutEffect(names: readonly string[]): string[] {
  return names.filter(
    (name) =>
      !Object.hasOwn(engineFlags, name) &&
      !alwaysOn.has(name) &&
      !remoteFeatures.has(name) &&
      !scrapeFeatureNames.includes(name) &&
      name !== autoReloadConfig &&
      name !== perStepStats,
  );
}
