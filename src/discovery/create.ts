/** From a discovery section of the configuration to the mechanism that serves it. */
import type { FileSdConfig, StaticConfig } from './config/static_types.ts';
import { createFileDiscovery } from './file.ts';
import type { DiscoveryDeps } from './refresh.ts';
import { createStaticDiscovery } from './static.ts';
import type { Discovery } from './target_group.ts';

type Served = StaticConfig | FileSdConfig;

/** Undefined: the mechanism is known to the configuration but not served here. */
export function createDiscovery(
  config: { readonly mechanism: string },
  deps: DiscoveryDeps,
): Discovery | undefined {
  if (!isServed(config)) return undefined;
  return config.mechanism === 'static' ? createStaticDiscovery(config) : createFileDiscovery(config, deps);
}

const isServed = (config: { readonly mechanism: string }): config is Served =>
  config.mechanism === 'static' || config.mechanism === 'file';
