/**
 * What stands beside a log's records: how far the shard is sealed, what the ids of series stand for whose first records
 * are gone, and what is known of metrics. docs/formats/log-frame.md draws the values.
 */
import { ByteFormatError, ByteReader, ByteWriter } from '../../base/index.ts';
import type { BatchMetadata } from '../../model/index.ts';
import type { KeyOperation } from '../engine.ts';
import { type NewSeries, readDefinitions, writeDefinitions } from './definitions.ts';
import { decodeFrame, encodeFrame, frameVersion } from './frame.ts';
import { definitionsKey, metadataKey, sealedKey } from './keys.ts';

/** Samples older than the floor in records up to the sequence are in windows, or deleted. */
export interface Sealed {
  readonly floorMs: number;
  readonly throughSequence: number;
}

export interface LogState extends Sealed {
  /** The id of the next new series: those before are never given again. */
  readonly nextId: number;
  /** Live series with an id up to this one are defined outside of records. */
  readonly checkpointId: number;
  /** The shard was deleted when this was its last record: what of it and of those before is still there counts no more. */
  readonly deletedThrough: number;
}

export const initialState: LogState = {
  floorMs: Number.NEGATIVE_INFINITY,
  throughSequence: 0,
  nextId: 1,
  checkpointId: 0,
  deletedThrough: 0,
};

export function stateOperation(shard: number, state: LogState): KeyOperation {
  const writer = new ByteWriter(32);
  writer.f64(state.floorMs);
  writer.varint(state.throughSequence);
  writer.varint(state.nextId);
  writer.varint(state.checkpointId);
  if (state.deletedThrough > 0) writer.varint(state.deletedThrough);
  return framed(sealedKey(shard), writer);
}

/** Throws ByteFormatError. */
export function readState(key: Uint8Array, value: Uint8Array): LogState {
  return read(key, value, (reader) => {
    const floorMs = reader.f64();
    if (Number.isNaN(floorMs)) throw new ByteFormatError('a floor that is no time');
    return {
      floorMs,
      throughSequence: reader.varint(),
      nextId: Math.max(1, reader.varint()),
      checkpointId: reader.varint(),
      deletedThrough: reader.remaining > 0 ? reader.varint() : 0,
    };
  });
}

export function definitionsOperation(
  shard: number,
  number: number,
  series: readonly NewSeries[],
): KeyOperation {
  const writer = new ByteWriter(64 * series.length);
  writeDefinitions(writer, series);
  return framed(definitionsKey(shard, number), writer);
}

/** Throws ByteFormatError. */
export function readDefinitionsValue(key: Uint8Array, value: Uint8Array): NewSeries[] {
  return read(key, value, readDefinitions);
}

export function metadataOperation(shard: number, metadata: BatchMetadata): KeyOperation {
  const writer = new ByteWriter(128);
  for (const text of [metadata.metric, metadata.type, metadata.unit, metadata.help]) writer.text(text);
  return framed(metadataKey(shard, metadata.metric), writer);
}

/** Throws ByteFormatError. */
export function readMetadataValue(key: Uint8Array, value: Uint8Array): BatchMetadata {
  return read(key, value, (reader) => ({
    metric: reader.text(),
    type: reader.text(),
    unit: reader.text(),
    help: reader.text(),
  }));
}

function framed(key: Uint8Array, payload: ByteWriter): KeyOperation {
  return { type: 'put', key, value: encodeFrame(key, payload.bytes, payload.length) };
}

function read<T>(key: Uint8Array, value: Uint8Array, parse: (reader: ByteReader) => T): T {
  const frame = decodeFrame(key, value);
  if (!frame.ok) throw new ByteFormatError(frame.reason);
  if (frame.version !== frameVersion)
    throw new ByteFormatError(`frame version ${frame.version} is not known`);
  const reader = new ByteReader(frame.payload);
  const parsed = parse(reader);
  if (reader.remaining > 0) throw new ByteFormatError(`${reader.remaining} bytes too many`);
  return parsed;
}
