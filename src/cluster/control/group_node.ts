/**
 * One node's part in the control group: its birth, then Raft, the replicated state, and, while it leads, the
 * table's upkeep. A pure state machine: events are stepped at any time; effects are taken, carried out in
 * order, persists awaited, before the next are taken. The shell and the simulator drive the same class.
 */
import { assert, type Random } from '../../base/index.ts';
import { Birth } from '../raft/birth.ts';
import type { BirthEffect, BirthMessage, BirthRecord, Group } from '../raft/birth_types.ts';
import type { RaftOptions } from '../raft/options.ts';
import { RaftCore, type Role } from '../raft/raft_core.ts';
import type { Entry, RaftEffect, RaftMessage, StoredRaft } from '../raft/types.ts';
import { decodeCommand, encodeCommand } from './commands.ts';
import { type ControlChange, ControlState } from './control_state.ts';
import { TableKeeper } from './table_keeper.ts';

export interface GroupSettings {
  readonly selfId: string;
  readonly expect: number;
  readonly hasSeeds: boolean;
  /** Shards of the first table. */
  readonly shards: number;
  readonly raft: RaftOptions;
}

/** A living member as gossip shows it. */
export interface GroupPeer {
  readonly id: string;
  readonly groupId: string;
  readonly expect: number;
}

export type GroupEvent =
  | { readonly kind: 'tick' }
  | { readonly kind: 'peers'; readonly peers: readonly GroupPeer[] }
  | { readonly kind: 'raft'; readonly groupId: string; readonly message: RaftMessage }
  | { readonly kind: 'birth'; readonly message: BirthMessage };

export type GroupEffect =
  | RaftEffect
  | { readonly kind: 'persistBirth'; readonly record: BirthRecord }
  | { readonly kind: 'sendBirth'; readonly message: BirthMessage }
  | Extract<BirthEffect, { kind: 'born' | 'conflict' }>;

/** A place in the log. */
export interface LogPosition {
  readonly index: number;
  readonly term: number;
}

export class GroupNode {
  readonly state: ControlState = new ControlState();
  readonly #settings: GroupSettings;
  readonly #stored: StoredRaft;
  readonly #random: Random;
  readonly #birth: Birth;
  readonly #keeper: TableKeeper;
  #raft: RaftCore | undefined;
  #peers: readonly GroupPeer[] = [];
  #learners = '';
  #birthEffects: BirthEffect[] = [];
  #applied: LogPosition = { index: 0, term: 0 };

  constructor(
    settings: GroupSettings,
    stored: { birth: BirthRecord | undefined; raft: StoredRaft },
    random: Random,
  ) {
    this.#settings = settings;
    this.#stored = stored.raft;
    this.#random = random;
    this.#birth = new Birth(settings, stored.birth, random);
    this.#keeper = new TableKeeper(settings.shards);
    if (this.#birth.group !== undefined) this.#startRaft(this.#birth.group);
  }

  get group(): Group | undefined {
    return this.#birth.group;
  }
  get leader(): string | undefined {
    return this.#raft?.leader;
  }
  get term(): number {
    return this.#raft?.term ?? 0;
  }
  get role(): Role {
    return this.#raft?.role ?? 'follower';
  }
  get applied(): LogPosition {
    return this.#applied;
  }
  /** For checkers: the consensus itself. */
  get raft(): RaftCore | undefined {
    return this.#raft;
  }

  /** Whether this node leads and has applied all that its predecessors committed. */
  get leadsFully(): boolean {
    return this.role === 'leader' && this.#applied.term === this.term;
  }

  /** Whether the state is no older than this node's start: a restarted node first sees what it had been told before. */
  get isCurrent(): boolean {
    const index = this.#raft?.caughtUpIndex;
    return index !== undefined && this.#applied.index >= index;
  }

  step(event: GroupEvent): void {
    switch (event.kind) {
      case 'tick':
        this.#tick();
        break;
      case 'peers':
        this.#setPeers(event.peers);
        break;
      case 'raft':
        if (event.groupId === this.group?.groupId)
          this.#raft?.step({ kind: 'message', message: event.message });
        break;
      case 'birth':
        this.#birthEffects.push(...this.#birth.step({ kind: 'message', message: event.message }));
        break;
    }
  }

  /** Appends an encoded command; undefined when this node does not lead, or too much is waiting. */
  propose(command: Uint8Array): LogPosition | undefined {
    return this.leadsFully ? this.#raft?.propose(command) : undefined;
  }

  /** What is to be done now, in order. Take again only when all of it is done. */
  takeEffects(): GroupEffect[] {
    const effects: GroupEffect[] = [];
    for (const effect of this.#birthEffects) {
      if (effect.kind === 'persist') effects.push({ kind: 'persistBirth', record: effect.record });
      else if (effect.kind === 'send') effects.push({ kind: 'sendBirth', message: effect.message });
      else effects.push(effect);
      if (effect.kind === 'born') this.#startRaft(effect.group);
    }
    this.#birthEffects = [];
    for (const effect of this.#raft?.takeEffects() ?? []) effects.push(effect);
    if (effects.some(({ kind }) => kind === 'leader')) this.#keeper.reset();
    return effects;
  }

  /** Carries out a `restore` or `apply` effect; what it changed in the state. */
  apply(effect: Extract<GroupEffect, { kind: 'restore' | 'apply' }>): ReadonlySet<ControlChange> {
    const changes = new Set<ControlChange>();
    if (effect.kind === 'restore') {
      const { snapshot } = effect;
      this.state.restore(snapshot.state);
      this.#applied = { index: snapshot.lastIndex, term: snapshot.lastTerm };
      return changes.add('table').add('notification').add('silence');
    }
    for (const entry of effect.entries) this.#applyEntry(entry, changes);
    const { index } = this.#applied;
    if (
      this.#raft !== undefined &&
      index - this.#raft.log.snapshotIndex > this.#settings.raft.logEntriesMax
    ) {
      this.#raft.step({ kind: 'compact', index, state: this.state.snapshot() });
    }
    return changes;
  }

  #applyEntry({ index, term, command }: Entry, changes: Set<ControlChange>): void {
    assert(index === this.#applied.index + 1, `entry ${index} is applied after ${this.#applied.index}`);
    this.#applied = { index, term };
    if (command.length === 0) return;
    for (const change of this.state.apply(decodeCommand(command))) changes.add(change);
  }

  #startRaft(group: Group): void {
    const { selfId, raft } = this.#settings;
    const { voters, mayVote } = group;
    this.#raft = new RaftCore({ selfId, voters, mayVote, options: raft }, this.#stored, this.#random);
    this.#updatePeers();
  }

  #tick(): void {
    this.#birthEffects.push(...this.#birth.step({ kind: 'tick', peers: this.#peers }));
    this.#raft?.step({ kind: 'tick' });
    if (this.#raft === undefined || !this.leadsFully) return;
    const { table, members } = this.state;
    const known = [...new Set([...members, ...this.#aliveInGroup()])].sort();
    const next = this.#keeper.tick(table, known, this.group?.voters ?? []);
    if (next !== undefined) this.propose(encodeCommand({ kind: 'setTable', table: next, members: known }));
  }

  #aliveInGroup(): string[] {
    const groupId = this.group?.groupId;
    const ids = this.#peers.filter((peer) => peer.groupId === groupId).map(({ id }) => id);
    return [...new Set([this.#settings.selfId, ...ids])].sort();
  }

  #setPeers(peers: readonly GroupPeer[]): void {
    this.#peers = peers;
    this.#updatePeers();
  }

  #updatePeers(): void {
    const alive = this.#aliveInGroup();
    this.#keeper.setAlive(alive);
    const voters = this.group?.voters ?? [];
    const learners = alive.filter((id) => !voters.includes(id));
    const text = learners.join(' ');
    if (text === this.#learners) return;
    this.#learners = text;
    this.#raft?.step({ kind: 'learners', ids: learners });
  }
}
