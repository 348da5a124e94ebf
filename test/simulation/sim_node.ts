/**
 * One node of the simulated cluster: the same machines as in production, on a simulated disk, network and
 * clock. A life ends with a crash: what was scheduled for it is void.
 */
import type { Random } from '../../src/base/index.ts';
import { type GroupEffect, GroupNode, type LogPosition } from '../../src/cluster/control/group_node.ts';
import { GossipNode } from '../../src/cluster/gossip/gossip_node.ts';
import { defaultGossipOptions } from '../../src/cluster/gossip/options.ts';
import type { GossipEvent, MemberMeta } from '../../src/cluster/gossip/types.ts';
import { defaultRaftOptions, tickMs } from '../../src/cluster/raft/options.ts';
import type { EventQueue } from './event_queue.ts';
import type { SimulationOptions } from './options.ts';
import { SimDisk } from './sim_disk.ts';
import type { SimMessage } from './sim_network.ts';

export interface SimNodeWorld {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly options: SimulationOptions;
  send(from: string, to: string, message: SimMessage): void;
  /** After every effect that was carried out, and after every batch. */
  observe(node: SimNode, effect: GroupEffect | undefined): void;
}

interface Life {
  readonly gossip: GossipNode;
  readonly group: GroupNode;
  /** A batch of effects is under way. */
  busy: boolean;
  pausedUntilMs: number;
}

export const addressOf = (id: string): string => `${id}:7946`;
const idOf = (address: string): string => address.slice(0, address.lastIndexOf(':'));

export class SimNode {
  readonly id: string;
  readonly #world: SimNodeWorld;
  readonly #seeds: readonly string[];
  readonly #clockSkewMs: number;
  readonly #forgetful: boolean;
  #disk: SimDisk;
  #life: Life | undefined;

  constructor(id: string, seeds: readonly string[], world: SimNodeWorld, forgetful: boolean) {
    this.id = id;
    this.#world = world;
    this.#seeds = seeds;
    this.#forgetful = forgetful;
    this.#clockSkewMs = world.random.below(world.options.clockSkewMs + 1);
    this.#disk = new SimDisk(forgetful);
  }

  get group(): GroupNode | undefined {
    return this.#life?.group;
  }
  get gossip(): GossipNode | undefined {
    return this.#life?.gossip;
  }
  get running(): boolean {
    return this.#life !== undefined;
  }
  /** The group that survives crashes, if it is on disk. */
  get durableGroupId(): string | undefined {
    return this.#disk.birth?.group?.groupId;
  }

  start(): void {
    if (this.#life !== undefined) return;
    const { queue, random, options } = this.#world;
    const settings = {
      selfId: this.id,
      expect: options.expect,
      hasSeeds: true,
      shards: options.shards,
      raft: { ...defaultRaftOptions, logEntriesMax: options.logEntriesMax },
    };
    const group = new GroupNode(settings, { birth: this.#disk.birth, raft: this.#disk.load() }, random);
    const gossip = new GossipNode(this.#meta(group), defaultGossipOptions, queue.nowMs, random);
    this.#life = { gossip, group, busy: false, pausedUntilMs: 0 };
    this.#tick(this.#life, random.below(tickMs));
  }

  /** Ends the life; a persist under way lands or is lost. */
  crash(): void {
    this.#life = undefined;
  }

  /** As if the disk had been replaced. Only while down. */
  wipe(): void {
    this.#disk = new SimDisk(this.#forgetful);
  }

  /** The process does nothing until then; what arrives waits. */
  pause(untilMs: number): void {
    if (this.#life !== undefined) this.#life.pausedUntilMs = untilMs;
  }

  deliver(message: SimMessage): boolean {
    const life = this.#life;
    if (life === undefined) return false;
    this.#whenAwake(life, () => {
      if (message.kind === 'gossip') this.#stepGossip(life, { kind: 'packet', packet: message.packet });
      else life.group.step(message);
      this.#pump(life);
    });
    return true;
  }

  refused(address: string): void {
    const life = this.#life;
    if (life !== undefined)
      this.#whenAwake(life, () => this.#stepGossip(life, { kind: 'unreachable', address }));
  }

  propose(command: Uint8Array): LogPosition | undefined {
    const life = this.#life;
    if (life === undefined || life.pausedUntilMs > this.#world.queue.nowMs) return undefined;
    const position = life.group.propose(command);
    this.#pump(life);
    return position;
  }

  #meta(group: GroupNode): MemberMeta {
    return {
      id: this.id,
      advertiseAddress: addressOf(this.id),
      httpAddress: '',
      alertmanagerAddress: '',
      zone: '',
      version: '',
      configHash: '',
      groupId: group.group?.groupId ?? '',
      voter: group.group?.mayVote ?? false,
      tableVersion: 0,
      startedAtMs: Math.floor(this.#world.queue.nowMs) + this.#clockSkewMs + 1,
      expect: this.#world.options.expect,
    };
  }

  #whenAwake(life: Life, run: () => void): void {
    if (this.#life !== life) return;
    const waitMs = life.pausedUntilMs - this.#world.queue.nowMs;
    if (waitMs <= 0) run();
    else this.#world.queue.after(waitMs, () => this.#whenAwake(life, run));
  }

  #tick(life: Life, delayMs: number): void {
    this.#world.queue.after(delayMs, () =>
      this.#whenAwake(life, () => {
        this.#stepGossip(life, { kind: 'tick' });
        life.group.step({ kind: 'tick' });
        this.#pump(life);
        this.#tick(life, tickMs);
      }),
    );
  }

  #stepGossip(life: Life, event: GossipEvent): void {
    let changed = false;
    for (const effect of life.gossip.step(event, this.#world.queue.nowMs)) {
      if (effect.kind === 'send') {
        this.#world.send(this.id, idOf(effect.address), { kind: 'gossip', packet: effect.packet });
      } else if (effect.kind === 'resolveSeeds') {
        this.#world.queue.after(1, () =>
          this.#whenAwake(life, () => this.#stepGossip(life, { kind: 'seeds', addresses: this.#seeds })),
        );
      } else if (effect.kind === 'changed') changed = true;
    }
    if (!changed) return;
    const living = life.gossip.members().filter(({ state }) => state === 'alive' || state === 'suspect');
    life.group.step({ kind: 'peers', peers: living.map(({ meta }) => meta) });
  }

  #pump(life: Life): void {
    if (life.busy || this.#life !== life) return;
    const effects = life.group.takeEffects();
    if (effects.length === 0) return;
    life.busy = true;
    this.#carryOut(life, effects, 0);
  }

  #carryOut(life: Life, effects: readonly GroupEffect[], from: number): void {
    if (this.#life !== life) return;
    for (let at = from; at < effects.length; at++) {
      const effect = effects[at] as GroupEffect;
      if (effect.kind === 'persist' || effect.kind === 'persistBirth') {
        this.#persist(life, effect, () => {
          this.#world.observe(this, effect);
          this.#carryOut(life, effects, at + 1);
        });
        return;
      }
      this.#do(life, effect);
      this.#world.observe(this, effect);
    }
    life.busy = false;
    this.#world.observe(this, undefined);
    this.#pump(life);
  }

  #persist(
    life: Life,
    effect: Extract<GroupEffect, { kind: 'persist' | 'persistBirth' }>,
    done: () => void,
  ): void {
    const { queue, random, options } = this.#world;
    const disk = this.#disk;
    queue.after(random.next() * options.persistMaxMs, () => {
      const lost = this.#life !== life && random.below(2) === 0;
      if (lost || disk !== this.#disk) return;
      if (this.#life !== life && this.#life !== undefined) return;
      if (effect.kind === 'persist') disk.persist(effect.persist);
      else disk.saveBirth(effect.record);
      if (this.#life === life) done();
    });
  }

  #do(life: Life, effect: Exclude<GroupEffect, { kind: 'persist' | 'persistBirth' }>): void {
    const groupId = life.group.group?.groupId ?? '';
    switch (effect.kind) {
      case 'send':
        this.#world.send(this.id, effect.message.to, { kind: 'raft', groupId, message: effect.message });
        break;
      case 'sendBirth':
        this.#world.send(this.id, effect.message.to, { kind: 'birth', message: effect.message });
        break;
      case 'born': {
        const { mayVote: voter } = effect.group;
        this.#stepGossip(life, { kind: 'meta', changes: { groupId: effect.group.groupId, voter } });
        break;
      }
      case 'restore':
      case 'apply':
        if (life.group.apply(effect).has('table')) {
          const tableVersion = life.group.state.table?.version ?? 0;
          this.#stepGossip(life, { kind: 'meta', changes: { tableVersion } });
        }
        break;
      case 'leader':
      case 'conflict':
        break;
    }
  }
}
