export type { Cardinality, NamedCount } from './cardinality.ts';
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
export type { FsyncPolicy } from './group_commit.ts';
export type { ExportedBatch } from './shard/export.ts';
export type { AppendOptions, ExemplarSeries, ShardStats, ShardStore } from './shard/shard_store.ts';
export { copyStore } from './shard/store_copy.ts';
export {
  openStoreDirectory,
  type StoreDirectory,
  type StoreOptions,
  type StoreSettings,
} from './shard/store_directory.ts';
export { type AppendOutcome, emptyOutcome, SampleVerdict } from './shard/verdicts.ts';
