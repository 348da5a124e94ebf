/**
 * How a control group comes to be, once. A node that knows no seeds is a group of its own. Otherwise the
 * smallest of at least `expect` members that see each other and have no group coordinates a two-phase commit
 * among exactly that many:
 *
 *   coordinator        every other participant
 *     proposal   ───▶  promises itself, durably and to one birth only
 *     commits last, durably: this is the birth
 *     outcome    ───▶  joins (or is released, if the coordinator gave up before committing)
 *
 * Two births of overlapping participants can't both complete, so `expect` must exceed half of the nodes that
 * will ever start alone. A promised node never gives up by itself: it asks the coordinator until it knows.
 * Who meets a group through gossip joins it as a learner. A group's id is its birth's.
 */
import type { Random } from '../../base/index.ts';
import type {
  BirthBody,
  BirthEffect,
  BirthEvent,
  BirthMessage,
  BirthPeer,
  BirthProposal,
  BirthRecord,
  Group,
} from './birth_types.ts';

const votersMax = 5;
/** Ticks between repetitions of a proposal or a query. */
const retryTicks = 5;
/** A coordinator gives up after this many ticks and starts again later. */
const attemptTicks = 50;
const backoffTicksMax = 30;

export interface BirthSettings {
  readonly selfId: string;
  /** How many nodes form the group; 0 or 1 with seeds means to wait for an existing one. */
  readonly expect: number;
  readonly hasSeeds: boolean;
}

interface Attempt {
  readonly proposal: BirthProposal;
  readonly promised: Set<string>;
  ticks: number;
}

export class Birth {
  readonly #settings: BirthSettings;
  readonly #random: Random;
  #record: BirthRecord;
  #attempt: Attempt | undefined;
  #waitTicks = 0;
  #conflictTold = '';
  #effects: BirthEffect[] = [];

  constructor(settings: BirthSettings, record: BirthRecord | undefined, random: Random) {
    this.#settings = settings;
    this.#random = random;
    this.#record = record ?? { group: undefined, promise: undefined };
  }

  get group(): Group | undefined {
    return this.#record.group;
  }

  /** Takes one event; the effects are to be carried out in order. */
  step(event: BirthEvent): BirthEffect[] {
    this.#effects = [];
    if (event.kind === 'message') this.#receive(event.message);
    else this.#tick(event.peers);
    return this.#effects;
  }

  // ---- time

  #tick(peers: readonly BirthPeer[]): void {
    const groupIds = [...new Set(peers.map(({ groupId }) => groupId).filter((id) => id !== ''))].sort();
    this.#tellConflict(groupIds);
    if (this.#record.group !== undefined) return;
    if (this.#record.promise !== undefined) this.#pursuePromise(this.#record.promise, groupIds);
    else if (this.#attempt !== undefined) this.#pursueAttempt(this.#attempt, groupIds);
    else this.#seek(peers, groupIds);
  }

  #tellConflict(groupIds: readonly string[]): void {
    const own = this.#record.group?.groupId;
    const all = own === undefined || groupIds.includes(own) ? groupIds : [own, ...groupIds].sort();
    const text = all.join(' ');
    if (all.length < 2 || text === this.#conflictTold) return;
    this.#conflictTold = text;
    this.#effects.push({ kind: 'conflict', groupIds: all });
  }

  #seek(peers: readonly BirthPeer[], groupIds: readonly string[]): void {
    const { selfId, expect, hasSeeds } = this.#settings;
    if (!hasSeeds && expect <= 1) {
      this.#join({ groupId: this.#newId(), voters: [selfId], mayVote: true });
      return;
    }
    const [groupId, ...others] = groupIds;
    if (groupId !== undefined) {
      // With two in sight an operator has to decide; joining either would be a guess.
      if (others.length === 0) this.#join({ groupId, voters: [], mayVote: false });
      return;
    }
    if (this.#waitTicks > 0) this.#waitTicks--;
    else if (expect > 1) this.#propose(peers);
  }

  #propose(peers: readonly BirthPeer[]): void {
    const { selfId, expect } = this.#settings;
    const ids = new Set([selfId, ...peers.map(({ id }) => id)]);
    const participants = [...ids].sort().slice(0, expect);
    if (participants.length < expect || participants[0] !== selfId) return;
    const proposal: BirthProposal = {
      birthId: this.#newId(),
      coordinator: selfId,
      participants,
      voters: participants.slice(0, votersMax),
    };
    this.#attempt = { proposal, promised: new Set([selfId]), ticks: 0 };
    this.#sendProposals(this.#attempt);
  }

  #pursueAttempt(attempt: Attempt, groupIds: readonly string[]): void {
    attempt.ticks++;
    if (groupIds.length > 0 || attempt.ticks >= attemptTicks) this.#giveUp(attempt);
    else if (attempt.ticks % retryTicks === 0) this.#sendProposals(attempt);
  }

  #sendProposals({ proposal, promised }: Attempt): void {
    for (const id of proposal.participants)
      if (!promised.has(id)) this.#send(id, { kind: 'proposal', proposal });
  }

  /** Safe at any time before the own commit, which alone makes the birth. */
  #giveUp({ proposal }: Attempt): void {
    this.#attempt = undefined;
    this.#waitTicks = this.#random.below(backoffTicksMax);
    this.#tellOutcome(proposal, false);
  }

  #pursuePromise(promise: BirthProposal, groupIds: readonly string[]): void {
    if (groupIds.includes(promise.birthId)) {
      this.#fulfil(promise);
      return;
    }
    this.#waitTicks++;
    if (this.#waitTicks % retryTicks === 0) {
      this.#send(promise.coordinator, { kind: 'query', birthId: promise.birthId });
    }
  }

  // ---- messages

  #receive({ from, body }: BirthMessage): void {
    switch (body.kind) {
      case 'proposal':
        this.#onProposal(from, body.proposal);
        break;
      case 'promise':
        this.#onPromise(from, body);
        break;
      case 'query':
        this.#onQuery(from, body.birthId);
        break;
      case 'outcome':
        this.#onOutcome(from, body.birthId, body.committed);
        break;
    }
  }

  #onProposal(from: string, proposal: BirthProposal): void {
    const { group, promise } = this.#record;
    const { selfId, hasSeeds, expect } = this.#settings;
    if (from !== proposal.coordinator || !proposal.participants.includes(selfId)) return;
    // Two coordinators that see each other only now: the smaller id goes on.
    if (this.#attempt !== undefined && from < selfId) this.#giveUp(this.#attempt);
    const free = group === undefined && promise === undefined && this.#attempt === undefined;
    if (free && (hasSeeds || expect > 1)) this.#save({ group: undefined, promise: proposal });
    const promised = this.#record.promise?.birthId === proposal.birthId;
    this.#send(from, { kind: 'promise', birthId: proposal.birthId, promised, groupId: group?.groupId ?? '' });
  }

  #onPromise(from: string, body: Extract<BirthBody, { kind: 'promise' }>): void {
    const attempt = this.#attempt;
    if (attempt === undefined || attempt.proposal.birthId !== body.birthId) return;
    if (!attempt.proposal.participants.includes(from)) return;
    if (!body.promised) {
      this.#giveUp(attempt);
      return;
    }
    attempt.promised.add(from);
    if (attempt.promised.size < attempt.proposal.participants.length) return;
    this.#attempt = undefined;
    this.#fulfil(attempt.proposal);
    this.#tellOutcome(attempt.proposal, true);
  }

  /** Only the coordinator can say that a birth will never be. */
  #onQuery(from: string, birthId: string): void {
    if (this.#attempt?.proposal.birthId === birthId) return;
    this.#send(from, { kind: 'outcome', birthId, committed: this.#record.group?.groupId === birthId });
  }

  #onOutcome(from: string, birthId: string, committed: boolean): void {
    const { promise, group } = this.#record;
    if (group !== undefined || promise?.birthId !== birthId || promise.coordinator !== from) return;
    if (committed) {
      this.#fulfil(promise);
      return;
    }
    this.#waitTicks = 0;
    this.#save({ group: undefined, promise: undefined });
  }

  // ---- ends

  #fulfil({ birthId, voters }: BirthProposal): void {
    this.#join({ groupId: birthId, voters, mayVote: voters.includes(this.#settings.selfId) });
  }

  #join(group: Group): void {
    this.#save({ group, promise: undefined });
    this.#effects.push({ kind: 'born', group });
  }

  #save(record: BirthRecord): void {
    this.#record = record;
    this.#effects.push({ kind: 'persist', record });
  }

  #tellOutcome({ birthId, participants }: BirthProposal, committed: boolean): void {
    for (const id of participants) {
      if (id !== this.#settings.selfId) this.#send(id, { kind: 'outcome', birthId, committed });
    }
  }

  #send(to: string, body: BirthBody): void {
    this.#effects.push({ kind: 'send', message: { from: this.#settings.selfId, to, body } });
  }

  #newId(): string {
    const word = (): string => this.#random.below(0x1_0000_0000).toString(16).padStart(8, '0');
    return `${word()}${word()}`;
  }
}
