/** The engines that a data directory can be made with, by the names that the user gives them. */
import type { OpenEngine } from './engine.ts';
import { openLevelEngine } from './level_engine.ts';
import { loadRocksBinding, openRocksEngine } from './rocks_engine.ts';

export const engineNames = ['level', 'rocksdb'] as const;
export type EngineName = (typeof engineNames)[number];

const openers: Readonly<Record<EngineName, OpenEngine>> = {
  level: openLevelEngine,
  rocksdb: openRocksEngine,
};

export function engineNamed(name: EngineName): OpenEngine {
  return openers[name];
}

/** Throws StoreError (`store_open`) when this installation can't open such an engine. */
export async function assertEngineLoads(name: EngineName): Promise<void> {
  if (name === 'rocksdb') await loadRocksBinding();
}
