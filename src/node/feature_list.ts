/** What this node can do, by category, in the names of Prometheus' /api/v1/features: tools look here before they ask. */
import { functionSignatures } from '../promql/index.ts';
import { engineFeatures } from './features.ts';
import type { NodeFlags } from './flags.ts';

export type FeatureList = Readonly<Record<string, Readonly<Record<string, boolean>>>>;

const aggregations = ['avg', 'bottomk', 'count', 'count_values', 'group', 'max', 'min', 'quantile'].concat([
  'stddev',
  'stdvar',
  'sum',
  'topk',
]);
const experimentalAggregations = ['limit_ratio', 'limitk'];
const operators = ['!=', '!~', '%', '*', '+', '-', '/', '<', '<=', '==', '=~', '>', '>=', '@', '^'].concat([
  'and',
  'atan2',
  'or',
  'unless',
]);

const all = (names: readonly string[], isOn = true): Record<string, boolean> =>
  Object.fromEntries(names.map((name) => [name, isOn]));

export function featureList(flags: NodeFlags): FeatureList {
  const engine = engineFeatures(flags.enableFeatures);
  const isExperimental = engine.experimentalFunctions === true;
  const functions = Object.entries(functionSignatures).map(
    ([name, { experimental }]) => [name, !experimental || isExperimental] as const,
  );
  return {
    api: {
      admin: flags.webEnableAdminApi,
      lifecycle: flags.webEnableLifecycle,
      remote_write_receiver: flags.webEnableRemoteWriteReceiver,
      ...all(['exclude_alerts', 'label_values_match', 'query_warnings']),
      ...all(['time_range_labels', 'time_range_series']),
    },
    prometheus: { agent_mode: false, server_mode: true },
    promql: {
      ...all(['at_modifier', 'bool', 'by', 'group_left', 'group_right', 'ignoring', 'negative_offset']),
      ...all(['duration_expr', 'offset', 'on', 'per_query_lookback_delta', 'subqueries', 'without']),
      anchored: engine.extendedRangeSelectors === true,
      delayed_name_removal: engine.delayedNameRemoval === true,
      fill: engine.fillModifiers === true,
      smoothed: engine.extendedRangeSelectors === true,
    },
    promql_functions: Object.fromEntries(functions),
    promql_operators: {
      ...all(aggregations),
      ...all(experimentalAggregations, isExperimental),
      ...all(operators),
    },
    rules: all(['keep_firing_for', 'query_offset']),
    scrape: {},
    service_discovery_providers: all(['dns', 'file', 'http', 'static']),
    tsdb: all(['exemplar_storage', 'native_histograms']),
  };
}
