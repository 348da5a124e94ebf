/** From a discovery section of the configuration to the mechanism that serves it: the one place that knows them all. */
import type { DnsSdConfig, HttpSdConfig } from './config/basic.ts';
import { isServed as isServedName } from './config/sections.ts';
import type { FileSdConfig, StaticConfig } from './config/static_types.ts';
import { createDnsDiscovery } from './dns/discovery.ts';
import { createFileDiscovery } from './file.ts';
import { createHttpDiscovery } from './http.ts';
import type { DiscoveryDeps } from './refresh.ts';
import { createStaticDiscovery } from './static.ts';
import type { Discovery } from './target_group.ts';

type Served = StaticConfig | FileSdConfig | HttpSdConfig | DnsSdConfig;

/** Undefined: the mechanism is known to the configuration but not served here. */
export function createDiscovery(
  config: { readonly mechanism: string },
  deps: DiscoveryDeps,
): Discovery | undefined {
  if (!isServed(config)) return undefined;
  switch (config.mechanism) {
    case 'static':
      return createStaticDiscovery(config);
    case 'file':
      return createFileDiscovery(config, deps);
    case 'http':
      return createHttpDiscovery(config, deps);
    case 'dns':
      return createDnsDiscovery(config, deps);
  }
}

const isServed = (config: { readonly mechanism: string }): config is Served => isServedName(config.mechanism);
