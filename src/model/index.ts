export * from './config/exports.ts';
export type { SeriesColumns } from './columns.ts';
export type { FloatHistogram } from './histogram.ts';
export { compareBytes, DuplicateLabelError, Labels, LabelsBuilder, metricNameLabel } from './labels.ts';
export {
  decodeWriteBatch,
  encodeWriteBatch,
  type WriteBatch,
  WriteBatchBuilder,
  writeBatchVersion,
} from './write_batch.ts';
export { xxHash64, xxHash64Bytes } from './xxhash64.ts';
