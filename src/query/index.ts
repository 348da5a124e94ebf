export { errorAnswer, okAnswer, type Unreadable } from './answer.ts';
export { type CoordinatedQuery, type CoordinatedResult, Coordinator } from './coordinator.ts';
export { IncompleteAnswerError, StaleTableError } from './errors.ts';
export { execute, type LocalShards } from './executor.ts';
export { type ExemplarSeries, type ExemplarSeriesJson, findExemplars } from './exemplars.ts';
export { findSeries, findStrings, type LookupResult, selectSeries } from './lookup.ts';
export { formatShards } from './missing.ts';
export type { LookupRequest } from './payload.ts';
export type {
  Assignment,
  AwayShards,
  NearReplicas,
  OpenShards,
  Replicas,
  ShardsAt,
} from './replicas.ts';
