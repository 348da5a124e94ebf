export { computeTable, emptyTable, loadMax, type ShardEntry, type ShardTable } from './ring/table.ts';
export { placementShard } from './ring/placement.ts';
