export type { AppendOutcome } from './admit.ts';
export type {
  EngineCapabilities,
  KeyOperation,
  KeyRange,
  OpenEngine,
  ReadOptions,
  StoreEngine,
} from './engine.ts';
export { assertEngineLoads, type EngineName, engineNamed, engineNames } from './engines.ts';
export { StoreError, storeErrorCodes } from './errors.ts';
export type { ExportedBatch } from './export.ts';
export type { FsyncPolicy } from './group_commit.ts';
export type { AppendOptions, ShardStats, ShardStore } from './shard_store.ts';
export { openStoreDirectory, type StoreDirectory, type StoreOptions } from './store_directory.ts';
