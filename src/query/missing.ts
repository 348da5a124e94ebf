/** What one answer lacks: which shards, and whose they are. */
import type { ShardsAt } from './replicas.ts';

/** `0-3, 7` for [0, 1, 2, 3, 7]. */
export function formatShards(shards: Iterable<number>): string {
  const sorted = [...shards].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; ) {
    let j = i;
    while (j + 1 < sorted.length && sorted[j + 1] === (sorted[j] ?? 0) + 1) j++;
    parts.push(i === j ? `${sorted[i]}` : `${sorted[i]}-${sorted[j]}`);
    i = j + 1;
  }
  return parts.join(', ');
}

/** Collects gaps while a query runs; a node that fails several fragments is named once. */
export class Gaps {
  readonly #byNode = new Map<string, { reason: string; shards: Set<number> }>();
  #isUnsettled = false;

  /** True when something of the present may be missing, not only of the past. */
  get isUnsettled(): boolean {
    return this.#isUnsettled;
  }

  add({ nodeId, shards }: ShardsAt, reason: string, isSettled: boolean): void {
    if (!isSettled) this.#isUnsettled = true;
    const known = this.#byNode.get(nodeId);
    if (known === undefined) this.#byNode.set(nodeId, { reason, shards: new Set(shards) });
    else for (const shard of shards) known.shards.add(shard);
  }

  /** Takes over what another collection found. */
  join(other: Gaps): void {
    for (const [nodeId, { reason, shards }] of other.#byNode) {
      this.add({ nodeId, shards: [...shards] }, reason, !other.#isUnsettled);
    }
  }

  /** One warning per node, in the order of node ids. */
  warnings(): string[] {
    return [...this.#byNode]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([nodeId, { reason, shards }]) => {
        const noun = shards.size === 1 ? 'shard' : 'shards';
        return `incomplete answer: node ${nodeId} ${reason}, what it holds of ${noun} ${formatShards(shards)} is missing`;
      });
  }
}
