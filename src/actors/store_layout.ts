/**
 * Which store holds a shard and which worker has it open. Stores are chosen at a data directory's birth and never
 * change; workers may be fewer on another day.
 */
export interface StoreLayout {
  readonly shards: number;
  readonly stores: number;
  readonly workers: number;
}

export const storeOfShard = (shard: number, { stores }: StoreLayout): number => shard % stores;

export const workerOfShard = (shard: number, layout: StoreLayout): number =>
  storeOfShard(shard, layout) % layout.workers;

/** The stores that worker `index` opens. */
export function storesOfWorker(index: number, { stores, workers }: StoreLayout): number[] {
  const own: number[] = [];
  for (let store = index; store < stores; store += workers) own.push(store);
  return own;
}
