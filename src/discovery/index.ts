export * from './config/exports.ts';
export { createDiscovery } from './create.ts';
export { BadTargetsError } from './errors.ts';
export { parseGroupList } from './group_list.ts';
export { createDiscoveryMetrics, type DiscoveryMetrics } from './metrics.ts';
export type { DiscoveryDeps } from './refresh.ts';
export { type Discovery, groupTargets, type Publish, type TargetGroup } from './target_group.ts';
