/** What the configuration file says of storage, over what the flags say: the file may change while the node runs. */
import type { StoreSettings } from '../tsdb/index.ts';
import type { StorageConfig } from './config_types.ts';
import type { ParsedNodeFlags } from './flags.ts';

export function storageSettings(
  storage: StorageConfig,
  flags: Pick<ParsedNodeFlags, 'retentionTimeMs' | 'retentionSizeBytes'>,
): StoreSettings {
  const { timeMs, sizeBytes } = storage.retention;
  return {
    retentionMs: timeMs > 0 ? timeMs : flags.retentionTimeMs,
    retentionBytes: sizeBytes > 0 ? sizeBytes : flags.retentionSizeBytes,
    outOfOrderWindowMs: storage.outOfOrderTimeWindowMs,
    exemplarsMax: storage.maxExemplars,
  };
}
