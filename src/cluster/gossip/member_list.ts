/** What one node believes about all members, itself included, and how claims change it. */
import { type Random, shuffle } from '../../base/index.ts';
import { membersMax } from './options.ts';
import { overrides } from './precedence.ts';
import type { Member, MemberState, MemberUpdate } from './types.ts';

export class MemberList {
  readonly #selfId: string;
  readonly #random: Random;
  readonly #members = new Map<string, Member>();
  /** Ids in the order of the coming probes; every member once per round (SWIM, section 4.3). */
  #round: string[] = [];

  constructor(selfId: string, random: Random) {
    this.#selfId = selfId;
    this.#random = random;
  }

  get(id: string): Member | undefined {
    return this.#members.get(id);
  }

  all(): Member[] {
    return [...this.#members.values()];
  }

  /** Alive and suspect members, this node included. */
  living(): Member[] {
    return this.all().filter(({ state }) => state === 'alive' || state === 'suspect');
  }

  /** Takes the claim when it outranks what is known; returns the member as it is now, or undefined. */
  apply(
    update: MemberUpdate,
    nowMs: number,
  ): { member: Member; previous: MemberState | undefined } | undefined {
    const known = this.#members.get(update.meta.id);
    if (known !== undefined && !overrides(update, known)) return undefined;
    if (known === undefined && this.#members.size >= membersMax && !this.#evict()) return undefined;
    const { state, incarnation } = update;
    const member: Member = { meta: update.meta, state, incarnation, sinceMs: nowMs };
    this.#members.set(update.meta.id, member);
    return { member, previous: known?.state };
  }

  /** Up to `count` random living members but this one and `except`. */
  sample(count: number, except: string): Member[] {
    const others = this.living().filter(({ meta }) => meta.id !== this.#selfId && meta.id !== except);
    return shuffle(others, this.#random).slice(0, count);
  }

  /** A random member that is dead but did not leave. */
  randomDead(): Member | undefined {
    const dead = this.all().filter(({ state }) => state === 'dead');
    return dead[this.#random.below(Math.max(1, dead.length))];
  }

  /** The next member to probe. */
  nextProbe(): Member | undefined {
    for (let round = 0; round < 2; round++) {
      for (let id = this.#round.pop(); id !== undefined; id = this.#round.pop()) {
        const member = this.#members.get(id);
        if (member !== undefined && (member.state === 'alive' || member.state === 'suspect')) return member;
      }
      const others = this.living().filter(({ meta }) => meta.id !== this.#selfId);
      this.#round = shuffle(
        others.map(({ meta }) => meta.id),
        this.#random,
      );
    }
    return undefined;
  }

  /** Forgets who has been dead or gone since before `beforeMs`. */
  reap(beforeMs: number): void {
    for (const [id, { state, sinceMs }] of this.#members) {
      if ((state === 'dead' || state === 'left') && sinceMs < beforeMs) this.#members.delete(id);
    }
  }

  /** Makes room by forgetting one that is gone; false when all are living. */
  #evict(): boolean {
    for (const [id, { state }] of this.#members) {
      if (state !== 'dead' && state !== 'left') continue;
      this.#members.delete(id);
      return true;
    }
    return false;
  }
}
