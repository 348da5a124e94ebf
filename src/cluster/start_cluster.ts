/**
 * The door to a node's part in the cluster. What is behind it (gRPC, Raft, gossip) is loaded when a node starts, so that
 * shard workers, which use this room for its table alone, don't carry it in each of their heaps.
 */
import type { ClusterDeps, ClusterNode } from './cluster_node.ts';
import type { ClusterOptions } from './options.ts';

/** Loads what `startCluster` would. */
export async function loadCluster(): Promise<void> {
  await import('./cluster_node.ts');
}

/** Starts the listener, joins, and takes part. Rejects when an option, the disk or the address is unusable. */
export async function startCluster(options: ClusterOptions, deps: ClusterDeps): Promise<ClusterNode> {
  const door = await import('./cluster_node.ts');
  return door.startCluster(options, deps);
}
