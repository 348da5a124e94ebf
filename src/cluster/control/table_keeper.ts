/**
 * When the leader commits a new shard table: once the set of living members has been still for a moment, and
 * for the first table once all voters are there or enough time has passed. Counts ticks.
 */
import { computeTable, emptyTable, type ShardTable } from '../ring/table.ts';

/** Joins and deaths that come together become one table. */
const graceTicks = 5;
/** The first table waits this long for voters that are not there yet. */
const firstTableTicks = 50;
/** A proposal that was not applied after this many ticks is made again. */
const proposalTicks = 30;

export class TableKeeper {
  readonly #shards: number;
  #alive: readonly string[] = [];
  #stillTicks = 0;
  #leadingTicks = 0;
  #proposedVersion = 0;
  #proposedTicks = 0;
  /** What the last computation, which led to no change, was made of. */
  #settled = '';

  constructor(shards: number) {
    this.#shards = shards;
  }

  /** Who may own shards, sorted. */
  setAlive(alive: readonly string[]): void {
    if (alive.join(' ') === this.#alive.join(' ')) return;
    this.#alive = alive;
    this.#stillTicks = 0;
  }

  /** Leadership changed hands: what was proposed before counts no more. */
  reset(): void {
    this.#settled = '';
    this.#leadingTicks = 0;
    this.#proposedVersion = 0;
  }

  /** One tick of an established leader; the table to propose, if any. */
  tick(
    current: ShardTable | undefined,
    known: readonly string[],
    voters: readonly string[],
  ): ShardTable | undefined {
    this.#stillTicks++;
    this.#leadingTicks++;
    this.#proposedTicks++;
    if (this.#alive.length === 0) return undefined;
    // Of the first table everybody waits for nothing but the voters: nothing has to move if more nodes come after it.
    const isBirth = current === undefined && voters.every((voter) => this.#alive.includes(voter));
    if (this.#stillTicks < graceTicks && !isBirth) return undefined;
    if (current === undefined && !isBirth && this.#leadingTicks < firstTableTicks) return undefined;
    const previous = current ?? emptyTable(this.#shards);
    if (this.#proposedVersion > previous.version && this.#proposedTicks < proposalTicks) return undefined;
    const inputs = `${previous.version} ${this.#alive.join(' ')} / ${known.join(' ')}`;
    // A ring costs too much to be made anew at every tick of a quiet cluster.
    if (inputs === this.#settled) return undefined;
    const next = computeTable(previous, this.#alive, known);
    if (next === previous) {
      this.#settled = inputs;
      return undefined;
    }
    this.#proposedVersion = next.version;
    this.#proposedTicks = 0;
    return next;
  }
}
