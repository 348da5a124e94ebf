/**
 * What the control group keeps on disk, as bytes: a version byte, the fields, and an xxHash64 of both, so
 * that a record that rotted is noticed before it votes or leads. Docs: docs/formats/control-log.md.
 */
import { ByteReader, ByteWriter } from '../../base/index.ts';
import { xxHash64Bytes } from '../../model/index.ts';
import { ClusterFormatError } from '../errors.ts';
import type { BirthRecord, Group } from './birth_types.ts';
import type { Entry, HardState, Snapshot } from './types.ts';

const recordVersion = 1;
const checksumBytes = 8;
const listMax = 1_000;

function seal(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(recordVersion);
  write(writer);
  const body = writer.finish();
  writer.u64(xxHash64Bytes(body));
  return writer.finish();
}

function unseal<T>(what: string, bytes: Uint8Array, read: (reader: ByteReader) => T): T {
  try {
    const body = bytes.subarray(0, Math.max(0, bytes.length - checksumBytes));
    const checksum = new ByteReader(bytes.subarray(body.length)).u64();
    if (checksum !== xxHash64Bytes(body)) throw new Error('its checksum does not match');
    const reader = new ByteReader(body);
    const version = reader.u8();
    if (version !== recordVersion) throw new Error(`version ${version} is not known`);
    const value = read(reader);
    if (reader.remaining !== 0) throw new Error(`${reader.remaining} bytes too many`);
    return value;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ClusterFormatError(`the control log's ${what} is damaged: ${why}`, { cause });
  }
}

/** Version, term as a varint, vote as a text ('' for none), checksum. */
export function encodeHardState({ term, vote }: HardState): Uint8Array {
  return seal((writer) => {
    writer.varint(term);
    writer.text(vote);
  });
}

/** Throws ClusterFormatError for bytes that encodeHardState did not write. */
export function decodeHardState(bytes: Uint8Array): HardState {
  return unseal('term', bytes, (reader) => ({ term: reader.varint(), vote: reader.text() }));
}

/** Version, index and term as varints, the command with its length, checksum. */
export function encodeEntry({ index, term, command }: Entry): Uint8Array {
  return seal((writer) => {
    writer.varint(index);
    writer.varint(term);
    writer.block(command);
  });
}

/** Throws ClusterFormatError for bytes that encodeEntry did not write. The command shares their memory. */
export function decodeEntry(bytes: Uint8Array): Entry {
  return unseal('entry', bytes, (reader) => ({
    index: reader.varint(),
    term: reader.varint(),
    command: reader.block(),
  }));
}

/** Version, index and term of the last entry held as varints, the state with its length, checksum. */
export function encodeSnapshot({ lastIndex, lastTerm, state }: Snapshot): Uint8Array {
  return seal((writer) => {
    writer.varint(lastIndex);
    writer.varint(lastTerm);
    writer.block(state);
  });
}

/** Throws ClusterFormatError for bytes that encodeSnapshot did not write. The state shares their memory. */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  return unseal('snapshot', bytes, (reader) => ({
    lastIndex: reader.varint(),
    lastTerm: reader.varint(),
    state: reader.block(),
  }));
}

function writeList(writer: ByteWriter, list: readonly string[]): void {
  writer.varint(list.length);
  for (const item of list) writer.text(item);
}

function readList(reader: ByteReader): string[] {
  const length = reader.varint();
  if (length > listMax) throw new Error(`a list of ${length}`);
  return Array.from({ length }, () => reader.text());
}

/** Version, the group and the promise, each behind a byte that says whether there is one, checksum. */
export function encodeBirth({ group, promise }: BirthRecord): Uint8Array {
  return seal((writer) => {
    writer.u8(group === undefined ? 0 : 1);
    if (group !== undefined) {
      writer.text(group.groupId);
      writeList(writer, group.voters);
      writer.u8(group.mayVote ? 1 : 0);
    }
    writer.u8(promise === undefined ? 0 : 1);
    if (promise !== undefined) {
      writer.text(promise.birthId);
      writer.text(promise.coordinator);
      writeList(writer, promise.participants);
      writeList(writer, promise.voters);
    }
  });
}

/** Throws ClusterFormatError for bytes that encodeBirth did not write, and for lists beyond listMax. */
export function decodeBirth(bytes: Uint8Array): BirthRecord {
  return unseal('birth record', bytes, (reader) => {
    const group: Group | undefined =
      reader.u8() === 0
        ? undefined
        : { groupId: reader.text(), voters: readList(reader), mayVote: reader.u8() === 1 };
    const promise =
      reader.u8() === 0
        ? undefined
        : {
            birthId: reader.text(),
            coordinator: reader.text(),
            participants: readList(reader),
            voters: readList(reader),
          };
    return { group, promise };
  });
}
