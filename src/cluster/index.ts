export { placementShard } from './ring/placement.ts';
export { computeTable, emptyTable, loadMax, type ShardEntry, type ShardTable } from './ring/table.ts';
