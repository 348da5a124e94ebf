export { type AlertmanagerApiOptions, alertmanagerApi } from './alertmanager/plugin.ts';
export type {
  AdminBackend,
  AlertmanagerBackend,
  AlertsQuery,
  Answer,
  ClusterView,
  LiveNotifications,
  MetadataFilter,
  Notification,
  PrometheusBackend,
  QueryOptions,
  RulesFilter,
  SelectorsRequest,
  TargetMetadataFilter,
  TargetsFilter,
} from './backend.ts';
export { ApiError } from './errors.ts';
export { type PrometheusApiOptions, prometheusApi } from './prometheus/plugin.ts';
export { plainError } from './refusals.ts';
export type {
  FederateAnswer,
  OtlpBody,
  ReadAnswer,
  RemoteBackend,
  WriteAnswer,
  WriteProtocol,
} from './remote_backend.ts';
export { httpServerOptions } from './server_options.ts';
