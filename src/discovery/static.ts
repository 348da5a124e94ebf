/** Targets written in the configuration itself: published once. */
import { Labels } from '../model/index.ts';
import type { StaticConfig } from './config/static_types.ts';
import { addressLabel, type Discovery, type TargetGroup } from './target_group.ts';

function staticGroups(config: StaticConfig): TargetGroup[] {
  return config.groups.map((group, index) => ({
    source: String(index),
    targets: group.targets.map((address) => Labels.fromRecord({ [addressLabel]: address })),
    labels: Labels.fromRecord(group.labels),
  }));
}

export function createStaticDiscovery(config: StaticConfig): Discovery {
  return {
    async start(publish, signal) {
      if (signal.aborted) return;
      publish(staticGroups(config));
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    },
  };
}
