/**
 * A node's part in the cluster: membership, control group and transport put together behind what the other
 * rooms need: who is there, who leads, who owns what, calls to peers, and proposals to the group.
 */
import type { Registry } from 'prom-client';
import type { Clock, Logger, Random, Timer } from '../base/index.ts';
import { formatHostPort, guessAdvertiseHost, parseHostPort } from './address.ts';
import type { ControlCommand, EntrySpace, KeyedEntry } from './control/commands.ts';
import type { ControlChange } from './control/control_state.ts';
import { ControlGroup, type ControlGroupHooks } from './control_group.ts';
import { ProposalError, proposalErrorCodes } from './errors.ts';
import { defaultGossipOptions } from './gossip/options.ts';
import type { Member, MemberMeta, MemberState } from './gossip/types.ts';
import { nodeHandlers, type UpperHandlers } from './handlers.ts';
import { Membership } from './membership.ts';
import { type ClusterMetrics, clusterMetrics } from './metrics.ts';
import { type ClusterOptions, checkClusterOptions } from './options.ts';
import { PeerOutbox } from './outbox.ts';
import { PeerClient } from './peer_client.ts';
import { Proposer } from './proposer.ts';
import type { Group } from './raft/birth_types.ts';
import { defaultRaftOptions } from './raft/options.ts';
import type { ShardTable } from './ring/table.ts';
import { type ClusterStorage, LevelStorage } from './storage/level_storage.ts';
import { ClientPool } from './transport/client.ts';
import type { ClusterIdentity } from './transport/identity.ts';
import { NodeServer } from './transport/server.ts';
import { loadCredentials } from './transport/tls.ts';

const expireIntervalMs = 60_000;
const proposalDeadlineMs = 5_000;

export interface ClusterDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly registry: Registry;
  /** In place of the disk at `dataPath`. */
  readonly storage?: ClusterStorage;
}

export interface ClusterHooks {
  /** Members, or what they say about themselves, changed. */
  onMembers?(members: readonly Member[]): void;
  onTable?(table: ShardTable): void;
  /** Undefined: no leader is heard of. */
  onLeader?(leader: string | undefined): void;
  /** This node began or ceased to lead, with all applied that was committed before. */
  onLeading?(leads: boolean): void;
  /** Entries of this space changed. */
  onEntries?(space: EntrySpace): void;
}

/** Read access to what the group remembers under keys. */
export interface KeyedEntries {
  get(key: string): KeyedEntry | undefined;
  entries(): Iterable<KeyedEntry>;
}

interface Parts {
  readonly storage: ClusterStorage;
  readonly pool: ClientPool;
  readonly server: NodeServer;
  readonly membership: Membership;
  readonly group: ControlGroup;
  readonly proposer: Proposer;
}

/** Starts the listener, joins, and takes part. Rejects when an option, the disk or the address is unusable. */
export async function startCluster(options: ClusterOptions, deps: ClusterDeps): Promise<ClusterNode> {
  checkClusterOptions(options, deps.log);
  const node = new ClusterNode(options, deps);
  await node.start();
  return node;
}

export class ClusterNode {
  readonly nodeId: string;
  readonly #options: ClusterOptions;
  readonly #deps: ClusterDeps;
  readonly #identity: ClusterIdentity;
  readonly #metrics: ClusterMetrics;
  readonly #hooks = new Set<ClusterHooks>();
  #upper: UpperHandlers = {};
  #parts: Parts | undefined;
  #advertiseAddress = '';
  #leads = false;
  #isCurrent = false;
  #expireTimer: Timer | undefined;
  #stopped = false;

  constructor(options: ClusterOptions, deps: ClusterDeps) {
    this.nodeId = options.nodeId;
    this.#options = options;
    this.#deps = deps;
    const { clusterName, secret, nodeId } = options;
    this.#identity = { clusterName, secret, nodeId };
    this.#metrics = clusterMetrics(deps.registry, {
      memberCounts: () => this.#memberCounts(),
      term: () => this.term(),
      isLeader: () => this.isLeader(),
      hasLeader: () => this.leader() !== undefined,
      tableVersion: () => this.table()?.version ?? 0,
      ownedShards: () => this.table()?.shards.filter(({ owner }) => owner === nodeId).length ?? 0,
      commitIndex: () => this.#parts?.group.node.raft?.commitIndex ?? 0,
    });
  }

  // ---- what is known

  /** host:port that others reach this node at. */
  get advertiseAddress(): string {
    return this.#advertiseAddress;
  }
  /** All known members, this one included, dead and left ones for a day. */
  members(): readonly Member[] {
    return this.#parts?.membership.members() ?? [];
  }
  member(id: string): Member | undefined {
    return this.#parts?.membership.member(id);
  }
  /** The table in force here; undefined until one is committed and this node, since its start, has caught up with it. */
  table(): ShardTable | undefined {
    const node = this.#parts?.group.node;
    return node?.isCurrent === true ? node.state.table : undefined;
  }
  /** The control group; undefined before its birth. */
  group(): Group | undefined {
    return this.#parts?.group.node.group;
  }
  leader(): string | undefined {
    return this.#parts?.group.node.leader;
  }
  term(): number {
    return this.#parts?.group.node.term ?? 0;
  }
  /** Whether this node leads and has applied all that its predecessors committed. */
  isLeader(): boolean {
    return !this.#stopped && this.#parts?.group.node.leadsFully === true;
  }
  /** Whether there is a table to act by. */
  get readyForService(): boolean {
    return this.table() !== undefined;
  }
  get notifications(): KeyedEntries {
    return this.#keyed('notification');
  }
  get silences(): KeyedEntries {
    return this.#keyed('silence');
  }

  // ---- what others do with it

  /** Calls these from now on, and at once for what is known; returns the way to stop it. */
  subscribe(hooks: ClusterHooks): () => void {
    this.#hooks.add(hooks);
    const table = this.table();
    if (this.#parts !== undefined) hooks.onMembers?.(this.members());
    if (table !== undefined) hooks.onTable?.(table);
    if (this.leader() !== undefined) hooks.onLeader?.(this.leader());
    if (this.#leads) hooks.onLeading?.(true);
    return () => this.#hooks.delete(hooks);
  }

  /** Registers who answers the peers' calls; later registrations replace earlier ones of the same name. */
  handle(handlers: UpperHandlers): void {
    this.#upper = { ...this.#upper, ...handlers };
  }

  /** Calls to another node. They fail with TransportError while it is unknown. */
  client(nodeId: string): PeerClient {
    return new PeerClient(nodeId, this.#started().pool, (id) => this.#addressOf(id));
  }

  /** Resolves when the command is committed and applied here. Rejects with ProposalError. */
  async propose(command: ControlCommand, deadlineMs: number = proposalDeadlineMs): Promise<void> {
    if (this.#stopped) throw new ProposalError(proposalErrorCodes.stopped, 'this node has stopped');
    await this.#started().proposer.propose(command, deadlineMs);
  }

  /** Says that a node handed over all it had of a shard. Rejects with ProposalError. */
  holderDone(shard: number, epoch: number, nodeId: string): Promise<void> {
    return this.propose({ kind: 'holderDone', shard, epoch, nodeId });
  }

  /** Tells the other members what this node's configuration is now. */
  setConfigHash(configHash: string): void {
    this.#parts?.membership.setMeta({ configHash });
  }

  /** Leaves for good reasons: the others place its shards anew without suspecting a failure. Then stops. */
  async leave(): Promise<void> {
    await this.#parts?.membership.leave();
    await this.stop();
  }

  /** Stops at once, as if it had died. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#setLeads(false);
    this.#expireTimer?.cancel();
    const parts = this.#parts;
    if (parts === undefined) return;
    parts.membership.stop();
    parts.server.stop();
    await parts.group.stop();
    parts.pool.close();
    await parts.storage.close();
  }

  // ---- start

  async start(): Promise<void> {
    const { clock, random, log } = this.#deps;
    const credentials = await loadCredentials(this.#options.tls);
    const storage = this.#deps.storage ?? (await LevelStorage.open(this.#options.dataPath));
    const pool = new ClientPool(
      { identity: this.#identity, credentials: credentials.client, serverName: credentials.serverName },
      { clock, log },
    );
    const { listenAddress } = this.#options;
    const handlers = nodeHandlers({ parts: () => this.#parts, upper: () => this.#upper });
    const server = new NodeServer(
      { listenAddress, identity: this.#identity, credentials: credentials.server, handlers },
      { clock, log },
    );
    try {
      const group = await this.#openGroup(storage, pool);
      this.#advertiseAddress = this.#advertised(await server.start());
      const membership = new Membership(
        this.#meta(group),
        this.#options.join,
        { ...defaultGossipOptions, ...this.#options.gossip },
        { clock, random, log, pool, metrics: this.#metrics, onChange: () => this.#membersChanged() },
      );
      const calls = { pool, addressOf: (id: string) => this.#addressOf(id) };
      const proposer = new Proposer(this.nodeId, group, calls, { clock, metrics: this.#metrics });
      this.#parts = { storage, pool, server, membership, group, proposer };
    } catch (error) {
      server.stop();
      pool.close();
      await storage.close();
      throw error;
    }
    log.info({ address: this.#advertiseAddress, join: this.#options.join }, 'the cluster listener is up');
    this.#parts.membership.start();
    this.#parts.group.start();
    this.#membersChanged();
    this.#scheduleExpiry();
  }

  #openGroup(storage: ClusterStorage, pool: ClientPool): Promise<ControlGroup> {
    const { clock, random, log } = this.#deps;
    const { nodeId, expect, join, shards } = this.#options;
    const outbox = new PeerOutbox(pool, (id) => this.#addressOf(id), { metrics: this.#metrics, log });
    const raft = { ...defaultRaftOptions, ...this.#options.raft };
    const settings = { selfId: nodeId, expect, hasSeeds: join.length > 0, shards, raft };
    return ControlGroup.open(settings, { clock, random, log, storage, outbox, hooks: this.#groupHooks() });
  }

  #groupHooks(): ControlGroupHooks {
    return {
      onBorn: ({ groupId, mayVote }) => this.#parts?.membership.setMeta({ groupId, voter: mayVote }),
      onLeader: (leader, term) => {
        this.#deps.log.info(
          { leader: leader ?? '', term },
          leader === undefined ? 'no leader' : 'the leader is known',
        );
        this.#each((hooks) => hooks.onLeader?.(leader));
        this.#setLeads(this.isLeader());
      },
      onApplied: (changes) => {
        this.#stateChanged(this.#withFirstTable(changes));
        this.#setLeads(this.isLeader());
      },
    };
  }

  #meta(group: ControlGroup): MemberMeta {
    const { nodeId, httpAddress, alertmanagerAddress, zone, version, configHash, expect } = this.#options;
    const own = group.node.group;
    return {
      id: nodeId,
      advertiseAddress: this.#advertiseAddress,
      httpAddress,
      alertmanagerAddress,
      zone,
      version,
      configHash,
      groupId: own?.groupId ?? '',
      voter: own?.mayVote ?? false,
      tableVersion: group.node.state.table?.version ?? 0,
      startedAtMs: this.#deps.clock.nowMs(),
      expect,
    };
  }

  #advertised(port: number): string {
    const { listenAddress, advertiseAddress } = this.#options;
    if (advertiseAddress !== undefined) {
      const given = parseHostPort(advertiseAddress, 'cluster advertise address');
      return formatHostPort({ host: given.host, port: given.port === 0 ? port : given.port });
    }
    const { host } = parseHostPort(listenAddress, 'cluster listen address');
    return formatHostPort({ host: guessAdvertiseHost(host), port });
  }

  // ---- what happens

  #membersChanged(): void {
    const { membership, group } = this.#parts ?? {};
    if (membership === undefined || group === undefined) return;
    const members = membership.members();
    const living = members.filter(({ state }) => state === 'alive' || state === 'suspect');
    const peers = living.map(({ meta: { id, groupId, expect } }) => ({ id, groupId, expect }));
    group.step({ kind: 'peers', peers });
    this.#each((hooks) => hooks.onMembers?.(members));
  }

  #stateChanged(changes: ReadonlySet<ControlChange>): void {
    for (const change of changes) {
      if (change === 'table') this.#tableChanged();
      else this.#each((hooks) => hooks.onEntries?.(change));
    }
  }

  /** Tables that were applied before this node had caught up were told to nobody. */
  #withFirstTable(changes: ReadonlySet<ControlChange>): ReadonlySet<ControlChange> {
    if (this.#isCurrent || this.#parts?.group.node.isCurrent !== true) return changes;
    this.#isCurrent = true;
    return new Set([...changes, 'table']);
  }

  #tableChanged(): void {
    const table = this.table();
    if (table === undefined) return;
    if (table.shards.length !== this.#options.shards) {
      const fields = { cluster: table.shards.length, option: this.#options.shards };
      this.#deps.log.debug(fields, 'the cluster keeps the number of shards that it was born with');
    }
    this.#parts?.membership.setMeta({ tableVersion: table.version });
    this.#each((hooks) => hooks.onTable?.(table));
  }

  #setLeads(leads: boolean): void {
    if (leads === this.#leads) return;
    this.#leads = leads;
    this.#each((hooks) => hooks.onLeading?.(leads));
  }

  /** A hook that fails is somebody else's fault and must not stop the group. */
  #each(call: (hooks: ClusterHooks) => void): void {
    for (const hooks of this.#hooks) {
      try {
        call(hooks);
      } catch (error) {
        this.#deps.log.error({ err: error }, 'a reaction to a cluster change failed');
      }
    }
  }

  /** The leader says what time it is, so that all replicas drop expired entries alike. */
  #scheduleExpiry(): void {
    const { clock, log } = this.#deps;
    this.#expireTimer = clock.after(expireIntervalMs, () => {
      this.#scheduleExpiry();
      if (!this.isLeader() || !this.#hasExpired()) return;
      this.propose({ kind: 'expire', nowMs: Math.floor(clock.nowMs()) }).catch((error: unknown) => {
        log.warn({ err: error }, 'expired entries were not dropped');
      });
    });
  }

  #hasExpired(): boolean {
    const nowMs = this.#deps.clock.nowMs();
    for (const space of [this.notifications, this.silences]) {
      for (const { expiresAtMs } of space.entries()) if (expiresAtMs <= nowMs) return true;
    }
    return false;
  }

  #keyed(space: EntrySpace): KeyedEntries {
    const state = this.#started().group.node.state;
    return { get: (key) => state.get(space, key), entries: () => state.entries(space) };
  }

  #addressOf(id: string): string | undefined {
    return this.member(id)?.meta.advertiseAddress;
  }

  #memberCounts(): Record<MemberState, number> {
    const counts = { alive: 0, suspect: 0, dead: 0, left: 0 };
    for (const { state } of this.members()) counts[state]++;
    return counts;
  }

  #started(): Parts {
    if (this.#parts === undefined)
      throw new ProposalError(proposalErrorCodes.stopped, 'this node has not started');
    return this.#parts;
  }
}
