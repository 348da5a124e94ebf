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
} from './backend.ts';
export { ApiError } from './errors.ts';
export { type PrometheusApiOptions, prometheusApi } from './prometheus/plugin.ts';
export type { RemoteBackend, WriteAnswer, WriteProtocol } from './remote_backend.ts';
export { httpServerOptions } from './server_options.ts';
