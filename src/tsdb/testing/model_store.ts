/** The store as the model tests open it. */
import { openStoreDirectory } from '../shard/store_directory.ts';
import { storeOptions } from './fixtures.ts';
import type { OpenedStore, StoreConditions } from './shard_world.ts';

export function openModelStore(path: string, conditions: StoreConditions): Promise<OpenedStore> {
  return openStoreDirectory(path, storeOptions(conditions));
}
