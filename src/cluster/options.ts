/** What a node's operator decides about the cluster, and what is checked of it. */
import type { Logger } from '../base/index.ts';
import { parseHostPort } from './address.ts';
import { ClusterOptionError } from './errors.ts';
import type { GossipOptions } from './gossip/options.ts';
import { isNodeId } from './node_id.ts';
import type { RaftOptions } from './raft/options.ts';
import type { ClusterTlsFiles } from './transport/tls.ts';

export interface ClusterOptions {
  readonly nodeId: string;
  readonly clusterName: string;
  /** The shared secret; empty when there is none. */
  readonly secret: string;
  /** host:port; port 0 takes a free one. */
  readonly listenAddress: string;
  /** How others reach the listener; guessed when undefined. */
  readonly advertiseAddress?: string | undefined;
  readonly httpAddress: string;
  readonly alertmanagerAddress: string;
  readonly zone: string;
  readonly version: string;
  readonly configHash: string;
  /** host:port of seeds; a name may stand for several addresses. */
  readonly join: readonly string[];
  /** How many nodes form the control group at its birth; 0 or 1 with seeds: wait for an existing one. */
  readonly expect: number;
  /** Shards of a new cluster; an existing one keeps its number. */
  readonly shards: number;
  /** Folder of the control group's disk. */
  readonly dataPath: string;
  readonly tls?: ClusterTlsFiles | undefined;
  readonly gossip?: Partial<GossipOptions> | undefined;
  readonly raft?: Partial<RaftOptions> | undefined;
}

const shardsMax = 65_536;
const expectMax = 1_000;

/** Throws ClusterOptionError. */
export function checkClusterOptions(options: ClusterOptions, log: Logger): void {
  const { nodeId, clusterName, listenAddress, advertiseAddress, join, expect, shards } = options;
  if (!isNodeId(nodeId)) {
    throw new ClusterOptionError(
      `node id ${JSON.stringify(nodeId)}: up to 128 letters, digits, '.', '_', ':' or '-'`,
    );
  }
  if (clusterName === '') throw new ClusterOptionError('the cluster name is empty');
  parseHostPort(listenAddress, 'cluster listen address');
  if (advertiseAddress !== undefined) parseHostPort(advertiseAddress, 'cluster advertise address');
  for (const seed of join) parseHostPort(seed, 'cluster join address');
  if (!Number.isInteger(expect) || expect < 0 || expect > expectMax) {
    throw new ClusterOptionError(`cluster expect ${expect}: an integer from 0 to ${expectMax}`);
  }
  if (!Number.isInteger(shards) || shards < 1 || shards > shardsMax) {
    throw new ClusterOptionError(`cluster shards ${shards}: an integer from 1 to ${shardsMax}`);
  }
  if (expect > 1 && join.length === 0) {
    log.warn({ expect }, 'this node knows no seeds and waits for others to find it');
  }
}
