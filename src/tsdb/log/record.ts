/**
 * What a log record says, and how it is written: the samples that one batch brought, with the series that are named for
 * the first time, or a deletion. docs/formats/log-frame.md draws it; record_reader.ts reads it. Nothing is allocated
 * per sample.
 */
import { assert, type ByteWriter } from '../../base/index.ts';
import {
  type BatchMetadata,
  type FloatHistogram,
  type Labels,
  type Matcher,
  MatchType,
  writeHistograms,
  writeLabels,
  writeMetadata,
} from '../../model/index.ts';
import { writeIds, writeTimes } from './columns.ts';
import { type NewSeries, writeDefinitions } from './definitions.ts';

export type { NewSeries } from './definitions.ts';

export const RecordKind = { Samples: 1, Deletion: 2 } as const;

/** What follows a record's samples. */
export const RecordFlag = { Histograms: 1, StartTimes: 2, Exemplars: 4, Metadata: 8 } as const;

/** As numbered in deletions. */
export const matchTypes: readonly MatchType[] = [
  MatchType.Equal,
  MatchType.NotEqual,
  MatchType.Regexp,
  MatchType.NotRegexp,
];

export interface RecordExemplar {
  /** Of the series. */
  readonly id: number;
  readonly labels: Labels;
  readonly value: number;
  readonly timestampMs: number;
}

export interface SampleParts {
  /** Under which the samples were written; not necessarily that of the record's key. */
  readonly epoch: number;
  readonly newSeries: readonly NewSeries[];
  /** Of the columns only so many elements count. */
  readonly count: number;
  readonly ids: Uint32Array;
  /** Milliseconds; safe integers. */
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** `count` elements, null where the sample is a float. */
  readonly histograms?: readonly (FloatHistogram | null)[];
  /** 0 where unknown. */
  readonly startTimes?: Float64Array;
  readonly exemplars?: readonly RecordExemplar[];
  readonly metadata?: readonly BatchMetadata[];
}

/** Samples as they are read: of the columns, which the next record overwrites, only `count` elements count. */
export interface ReplayColumns {
  readonly count: number;
  readonly ids: Uint32Array;
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly histograms?: readonly (FloatHistogram | null)[] | undefined;
  readonly startTimes?: Float64Array | undefined;
}

/** Is told what a log says, in the order in which it was written. */
export interface RecordSink {
  /** Comes before the first sample of the series, once per id. */
  define(id: number, labels: Labels): void;
  samples(epoch: number, columns: ReplayColumns, sequence: number): void;
  exemplar(id: number, labels: Labels, value: number, timestampMs: number): void;
  metadata(metadata: BatchMetadata): void;
  deletion(matchers: readonly Matcher[], fromMs: number, toMs: number): void;
}

export interface Deletion {
  readonly matchers: readonly Matcher[];
  /** Both ends are deleted; may be infinite. */
  readonly fromMs: number;
  readonly toMs: number;
}

export function encodeSamples(into: ByteWriter, parts: SampleParts): void {
  const { count, histograms, startTimes, exemplars = [], metadata = [] } = parts;
  into.u8(RecordKind.Samples);
  into.u8(
    (histograms === undefined ? 0 : RecordFlag.Histograms) |
      (startTimes === undefined ? 0 : RecordFlag.StartTimes) |
      (exemplars.length === 0 ? 0 : RecordFlag.Exemplars) |
      (metadata.length === 0 ? 0 : RecordFlag.Metadata),
  );
  into.varint(parts.epoch);
  writeDefinitions(into, parts.newSeries);
  into.varint(count);
  if (count > 0) {
    for (let i = 0; i < count; i++) assert(Number.isSafeInteger(parts.times[i]), 'a time that is no integer');
    writeIds(into, parts.ids, count);
    writeTimes(into, parts.times, count);
    into.column(parts.values.subarray(0, count));
  }
  if (histograms !== undefined) {
    assert(histograms.length === count, `${histograms.length} histograms for ${count} samples`);
    writeHistograms(into, histograms);
  }
  if (startTimes !== undefined && count > 0) writeTimes(into, startTimes, count);
  if (exemplars.length > 0) writeExemplars(into, exemplars);
  if (metadata.length > 0) writeMetadata(into, metadata);
}

export function encodeDeletion(into: ByteWriter, { matchers, fromMs, toMs }: Deletion): void {
  assert(fromMs <= toMs, `a deletion from ${fromMs} to ${toMs}`);
  into.u8(RecordKind.Deletion);
  into.f64(fromMs);
  into.f64(toMs);
  into.varint(matchers.length);
  for (const { type, name, value } of matchers) {
    into.u8(matchTypes.indexOf(type));
    into.text(name);
    into.text(value);
  }
}

function writeExemplars(into: ByteWriter, exemplars: readonly RecordExemplar[]): void {
  into.varint(exemplars.length);
  for (const { id, labels, value, timestampMs } of exemplars) {
    into.varint(id);
    writeLabels(into, labels);
    into.f64(value);
    into.f64(timestampMs);
  }
}
