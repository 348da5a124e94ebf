/**
 * Which series of a shard passed some matchers, in the order of their labels: what dashboards and rules ask again and again
 * is matched and put in order once, until series come to the shard or leave it. Bounded by the series it names; what was
 * asked for longest ago goes first.
 */
import type { Matcher } from '../../model/index.ts';
import type { HeadIndex } from './head_index.ts';
import { compareLabels } from './series_order.ts';
import type { ShardState } from './shard_table.ts';

/** All entries together: 4 MB. */
const slotsMax = 1 << 20;
/** What an entry without slots counts as. */
const entrySlots = 64;

interface Entry {
  readonly state: ShardState;
  /** Of the state, when it was matched. */
  readonly changes: number;
  readonly slots: Uint32Array;
}

export class MatchCache {
  readonly #index: HeadIndex;
  /** By shard and matchers, those asked for last at the end. */
  readonly #entries = new Map<string, Entry>();
  #held = 0;
  /** One selection asks all shards with the same matchers. */
  #matchers: readonly Matcher[] = [];
  #text = '';

  constructor(index: HeadIndex) {
    this.#index = index;
  }

  /** The slots of the series that pass all matchers, in label order; not to be changed. */
  find(shard: number, matchers: readonly Matcher[]): Uint32Array {
    const state = this.#index.table.find(shard);
    if (state === undefined) return new Uint32Array(0);
    const key = `${shard} ${this.#textOf(matchers)}`;
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#remove(key, known);
      if (known.state === state && known.changes === state.changes) {
        this.#add(key, known);
        return known.slots;
      }
    }
    const matched = this.#index.match(shard, matchers).sort((a, b) => compareLabels(this.#index, a, b));
    const slots = Uint32Array.from(matched);
    this.#add(key, { state, changes: state.changes, slots });
    return slots;
  }

  #textOf(matchers: readonly Matcher[]): string {
    if (matchers !== this.#matchers) {
      this.#matchers = matchers;
      this.#text = matchers.map((matcher) => matcher.toString()).join(',');
    }
    return this.#text;
  }

  #add(key: string, entry: Entry): void {
    const size = entry.slots.length + entrySlots;
    if (size > slotsMax / 4) return;
    this.#entries.set(key, entry);
    this.#held += size;
    for (const [oldest, other] of this.#entries) {
      if (this.#held <= slotsMax) return;
      this.#remove(oldest, other);
    }
  }

  #remove(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#held -= entry.slots.length + entrySlots;
  }
}
