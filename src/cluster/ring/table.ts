/**
 * The shard table and how the next one follows from the last. Consistent hashing with bounded loads
 * (Mirrokni, Thorup, Zadimoghaddam 2017) in an incremental form: what is well placed stays, a dead member's
 * shards go to the next in their preference order, a member that owns nothing yet pulls its share, and
 * nobody owns more than ceil(1.1 × the mean).
 */
import { assert } from '../../base/index.ts';
import { preferenceOrders } from './preference.ts';

export interface ShardEntry {
  /** Node id. */
  readonly owner: string;
  /** Grows by one with every change of owner. */
  readonly epoch: number;
  /** Nodes that have data of the shard, the owner first. */
  readonly holders: readonly string[];
}

/** Committed by the control group's leader; the higher version wins. The index is the shard. */
export interface ShardTable {
  readonly version: number;
  readonly shards: readonly ShardEntry[];
}

/** The most shards that one of `members` owns: ceil(1.1 × the mean). */
export function loadMax(shards: number, members: number): number {
  return Math.ceil((shards * 11) / (members * 10));
}

/** A table without owners, for a cluster that has none yet. */
export function emptyTable(shards: number): ShardTable {
  return { version: 0, shards: Array.from({ length: shards }, () => ({ owner: '', epoch: 0, holders: [] })) };
}

/**
 * The table that follows `previous` when `aliveMembers` are there to own and `knownMembers` (which include
 * them) may still come back with data. Returns `previous` itself when nothing changes.
 */
export function computeTable(
  previous: ShardTable,
  aliveMembers: readonly string[],
  knownMembers: readonly string[],
): ShardTable {
  assert(aliveMembers.length > 0, 'a table needs a living member');
  const assignment = new Assignment(previous, aliveMembers);
  assignment.placeOrphans();
  assignment.fillJoiners();
  assignment.shedOverload();
  const known = new Set([...knownMembers, ...aliveMembers]);
  let changed = false;
  const shards = previous.shards.map((entry, shard) => {
    const owner = assignment.owners[shard] as string;
    const holders = [owner, ...entry.holders.filter((holder) => holder !== owner && known.has(holder))];
    if (owner === entry.owner && holders.length === entry.holders.length) return entry;
    changed = true;
    return { owner, epoch: owner === entry.owner ? entry.epoch : entry.epoch + 1, holders };
  });
  return changed ? { version: previous.version + 1, shards } : previous;
}

/** The owners under construction. Everything is ordered, so that equal inputs give equal tables. */
class Assignment {
  readonly owners: string[];
  readonly #previous: ShardTable;
  readonly #orders: readonly (readonly string[])[];
  readonly #loads = new Map<string, number>();
  readonly #joiners: readonly string[];
  readonly #max: number;
  /** Up to where shards are placed: the mean rounded up, so that the next join leaves hardly anyone above the bound. */
  readonly #room: number;

  constructor(previous: ShardTable, aliveMembers: readonly string[]) {
    const alive = [...new Set(aliveMembers)].sort();
    this.#previous = previous;
    this.#orders = preferenceOrders(alive, previous.shards.length);
    this.#max = loadMax(previous.shards.length, alive.length);
    this.#room = Math.ceil(previous.shards.length / alive.length);
    for (const member of alive) this.#loads.set(member, 0);
    this.owners = previous.shards.map(({ owner }) => (this.#loads.has(owner) ? owner : ''));
    for (const owner of this.owners) if (owner !== '') this.#add(owner, 1);
    this.#joiners = alive.filter((member) => this.#load(member) === 0);
  }

  #load(member: string): number {
    return this.#loads.get(member) ?? 0;
  }

  #add(member: string, count: number): void {
    this.#loads.set(member, this.#load(member) + count);
  }

  #move(shard: number, to: string): void {
    const from = this.owners[shard] as string;
    if (from !== '') this.#add(from, -1);
    this.owners[shard] = to;
    this.#add(to, 1);
  }

  #rank(shard: number, member: string): number {
    return (this.#orders[shard] as readonly string[]).indexOf(member);
  }

  /** Shards whose owner is gone go to the first in their order that has room. */
  placeOrphans(): void {
    for (const [shard, owner] of this.owners.entries()) {
      if (owner === '') this.#moveToFirstWithRoom(shard);
    }
  }

  #moveToFirstWithRoom(shard: number): void {
    const order = this.#orders[shard] as readonly string[];
    const target = order.find((member) => this.#load(member) < this.#room);
    assert(target !== undefined, 'the bound leaves room for every shard');
    this.#move(shard, target);
  }

  /** A member without shards takes those it has data of, then the best-preferred of the most loaded. */
  fillJoiners(): void {
    const mean = Math.floor(this.owners.length / this.#loads.size);
    for (const joiner of this.#joiners) {
      for (const shard of this.#heldBy(joiner)) {
        if (this.#load(joiner) < this.#max && this.owners[shard] !== joiner) this.#move(shard, joiner);
      }
      while (this.#load(joiner) < mean) {
        const shard = this.#bestShardFor(joiner);
        if (shard === undefined) break;
        this.#move(shard, joiner);
      }
    }
  }

  /** Shards of which the member has data from before, those that prefer it most first. */
  #heldBy(member: string): number[] {
    const held: number[] = [];
    for (const [shard, entry] of this.#previous.shards.entries()) {
      if (entry.holders.includes(member)) held.push(shard);
    }
    return held.sort((a, b) => this.#rank(a, member) - this.#rank(b, member) || a - b);
  }

  /** A shard of the most loaded member, the one that prefers `joiner` most. */
  #bestShardFor(joiner: string): number | undefined {
    const donor = this.#mostLoaded(joiner);
    if (donor === undefined || this.#load(donor) <= this.#load(joiner) + 1) return undefined;
    return this.#shardToGive(donor, joiner);
  }

  #mostLoaded(except: string): string | undefined {
    let most: string | undefined;
    for (const [member, load] of this.#loads) {
      if (member !== except && load > (most === undefined ? 0 : this.#load(most))) most = member;
    }
    return most;
  }

  #shardToGive(donor: string, to: string): number | undefined {
    let best: number | undefined;
    for (const [shard, owner] of this.owners.entries()) {
      if (owner !== donor) continue;
      if (best === undefined || this.#rank(shard, to) < this.#rank(best, to)) best = shard;
    }
    return best;
  }

  /** Whoever is above the bound gives to the joiners first, then to whom its shards prefer. */
  shedOverload(): void {
    for (const member of this.#loads.keys()) {
      while (this.#load(member) > this.#max) {
        const joiner = this.#joiners.find((candidate) => this.#load(candidate) < this.#room);
        const shard = this.#shardToGive(member, joiner ?? member);
        assert(shard !== undefined, 'an overloaded member owns a shard');
        if (joiner === undefined) this.#moveToFirstWithRoom(shard);
        else this.#move(shard, joiner);
      }
    }
  }
}
