export { BatchColumns } from './batch_columns.ts';
export type { BatchExemplar, BatchMetadata } from './batch_extras.ts';
export { type BatchRoster, type KnownRefs, noteStoreRefs, RosterBuilder } from './batch_roster.ts';
export { ByteTable } from './byte_table.ts';
export type { Lookups, SeriesColumns } from './columns.ts';
export * from './config/exports.ts';
export {
  durationMaxMs,
  formatDuration,
  parseDuration,
  parseSignedDuration,
} from './durations.ts';
export { BadRegexError, DurationError, HistogramError } from './errors.ts';
export { exemplarLabels } from './exemplar_labels.ts';
export { type AdditionRemarks, HistogramAccumulator } from './histogram/accumulator.ts';
export {
  customBucketsSchema,
  exponentialBound,
  exponentialSchemaMax,
  exponentialSchemaMin,
  isCustomSchema,
  isExponentialSchema,
} from './histogram/bounds.ts';
export { readHistogram, writeHistogram } from './histogram/codec.ts';
export { type Bucket, CounterResetHint, type HistogramFields, type Span } from './histogram/fields.ts';
export { FloatHistogram, type HistogramSum, soundHistogram } from './histogram/float_histogram.ts';
export { countsFromDeltas, deltasFromCounts } from './histogram/spans.ts';
export { HistogramTotal, readSoundHistogram } from './histogram/total.ts';
export {
  compareBytes,
  DuplicateLabelError,
  Labels,
  LabelsBuilder,
  metadataLabels,
  metricNameLabel,
} from './labels.ts';
export { readLabels, writeLabels } from './labels_codec.ts';
export { Matcher, MatchType, matchesAll } from './matcher.ts';
export {
  type EscapingScheme,
  escapeName,
  escapingSchemes,
  isValidLabelName,
  isValidMetricName,
  type NameScheme,
  unescapeName,
} from './names.ts';
export { formatFloat, formatFloatE, formatFloatG, formatFloatJson, parseFloatText } from './numbers.ts';
export { quoteGo } from './quote.ts';
export { AnchoredRegex } from './regex/anchored_regex.ts';
export {
  isStaleNaN,
  normalizeNaN,
  normalNaNBits,
  setNormalNaN,
  setStaleNaN,
  staleNaNBits,
  staleNaNWords,
} from './stale.ts';
export { type SymbolLimits, SymbolTable } from './symbols.ts';
export { decodeUtf8, TextCache } from './text_cache.ts';
export {
  formatGoTime,
  formatTimestamp,
  parseRfc3339,
  parseSecondsOrDuration,
  parseTimestamp,
  TimestampError,
} from './timestamps.ts';
export { isGoEscape, unescapeGo } from './unquote.ts';
export { type WriteBatch, WriteBatchBuilder } from './write_batch.ts';
export {
  decodeWriteBatch,
  encodeWriteBatch,
  readHistograms,
  readMetadata,
  writeBatchVersion,
  writeHistograms,
  writeMetadata,
} from './write_batch_codec.ts';
export {
  type Hash64,
  hashMod,
  hashModulusMax,
  hashToBigInt,
  xxHash64,
  xxHash64Bytes,
  xxHash64Words,
} from './xxhash64.ts';
