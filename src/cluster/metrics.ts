/** What the cluster room counts. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { memberStates } from './gossip/types.ts';

/** Where the gauges read from at scrape time. */
export interface ClusterReadings {
  memberCounts(): Readonly<Record<string, number>>;
  term(): number;
  isLeader(): boolean;
  hasLeader(): boolean;
  tableVersion(): number;
  ownedShards(): number;
  commitIndex(): number;
}

export interface ClusterMetrics {
  readonly probeFailures: Counter;
  readonly gossipCalls: Counter<'outcome'>;
  readonly raftCalls: Counter<'outcome'>;
  readonly proposals: Counter<'outcome'>;
}

export function clusterMetrics(registry: Registry, read: ClusterReadings): ClusterMetrics {
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  };
  new Gauge({
    name: 'torchring_cluster_members',
    help: 'Members that this node knows, by state.',
    labelNames: ['state'],
    registers,
    collect() {
      const counts = read.memberCounts();
      for (const state of memberStates) this.set({ state }, counts[state] ?? 0);
    },
  });
  gauge('torchring_raft_term', "The control group's current term.", read.term);
  gauge('torchring_raft_is_leader', 'Whether this node leads the control group.', () =>
    Number(read.isLeader()),
  );
  gauge('torchring_raft_has_leader', 'Whether this node hears from a leader.', () =>
    Number(read.hasLeader()),
  );
  gauge('torchring_raft_commit_index', 'The last entry known to be committed.', read.commitIndex);
  gauge(
    'torchring_shard_table_version',
    'Version of the shard table that is in force here.',
    read.tableVersion,
  );
  gauge('torchring_shards_owned', 'Shards that this node owns.', read.ownedShards);
  return {
    probeFailures: new Counter({
      name: 'torchring_gossip_probe_failures_total',
      help: 'Probes that neither the target nor a relay answered.',
      registers,
    }),
    gossipCalls: new Counter({
      name: 'torchring_gossip_calls_total',
      help: 'Gossip packets sent, by what became of them.',
      labelNames: ['outcome'],
      registers,
    }),
    raftCalls: new Counter({
      name: 'torchring_raft_calls_total',
      help: 'Batches of control group messages sent, by what became of them.',
      labelNames: ['outcome'],
      registers,
    }),
    proposals: new Counter({
      name: 'torchring_raft_proposals_total',
      help: 'Commands proposed by this node, by what became of them.',
      labelNames: ['outcome'],
      registers,
    }),
  };
}
