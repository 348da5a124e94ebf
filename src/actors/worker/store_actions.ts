/** What the admin endpoints have every worker do: delete series, give the space of deletions back, copy the stores. */
import { parseSelector } from '../../promql/index.ts';
import type { HostedShards } from './hosted_shards.ts';
import type { StoreAction } from './messages.ts';

/** Rejects with QueryError on a selector that can't be read, and with what the stores say. */
export async function actOnStores(hosted: HostedShards, action: StoreAction): Promise<void> {
  switch (action.type) {
    case 'delete':
      return deleteSeries(hosted, action);
    case 'cleanTombstones':
      return hosted.maintain();
    case 'snapshot':
      return hosted.copyTo(action.path);
  }
}

async function deleteSeries(
  hosted: HostedShards,
  { selectors, fromMs, toMs }: Extract<StoreAction, { type: 'delete' }>,
): Promise<void> {
  const sets = selectors.map((text) => parseSelector(text));
  if (fromMs > toMs) return;
  for (const shard of hosted.hosted) {
    // What was acknowledged before is deleted, too.
    await hosted.settled(shard);
    for (const matchers of sets) await hosted.store(shard)?.delete(matchers, fromMs, toMs);
  }
}
