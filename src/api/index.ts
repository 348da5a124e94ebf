export type {
  AlertmanagerBackend,
  Answer,
  ClusterView,
  PrometheusBackend,
  QueryOptions,
  RulesFilter,
  SelectorsRequest,
  TargetsFilter,
  WriteAnswer,
} from './backend.ts';
export { ApiError } from './errors.ts';
export { type PrometheusApiOptions, prometheusApi } from './prometheus/plugin.ts';
