export { type AlertmanagerApiOptions, alertmanagerApi } from './alertmanager/plugin.ts';
export type {
  AlertmanagerBackend,
  AlertsQuery,
  Answer,
  ClusterView,
  MetadataFilter,
  PrometheusBackend,
  QueryOptions,
  RulesFilter,
  SelectorsRequest,
  TargetsFilter,
  WriteAnswer,
} from './backend.ts';
export { ApiError } from './errors.ts';
export { type PrometheusApiOptions, prometheusApi } from './prometheus/plugin.ts';
export { httpServerOptions } from './server_options.ts';
