/**
 * What the control group agrees on, as log entries: a version byte, a kind, the fields. A reader that meets
 * a kind or version it does not know must stop rather than diverge.
 */
import { ByteReader, ByteWriter } from '../../base/index.ts';
import { ClusterFormatError } from '../errors.ts';
import type { ShardEntry, ShardTable } from '../ring/table.ts';

/** What keyed entries are for. */
export const entrySpaces = ['notification', 'silence'] as const;
export type EntrySpace = (typeof entrySpaces)[number];

/** A value that the group remembers under a key until it expires. */
export interface KeyedEntry {
  readonly key: string;
  readonly payload: Uint8Array;
  readonly expiresAtMs: number;
}

export type ControlCommand =
  /** Taken only when it follows the current version. */
  | { readonly kind: 'setTable'; readonly table: ShardTable; readonly members: readonly string[] }
  /** The node handed all it had of the shard to whoever owns it in this epoch; void in any other. */
  | {
      readonly kind: 'holderDone';
      readonly shard: number;
      readonly epoch: number;
      readonly nodeId: string;
    }
  | { readonly kind: 'recordNotification'; readonly entry: KeyedEntry }
  | { readonly kind: 'setSilence'; readonly entry: KeyedEntry }
  /** Removes what expired before this time; the leader proposes it, so that all drop the same. */
  | { readonly kind: 'expire'; readonly nowMs: number };

const commandVersion = 1;
const kinds = ['setTable', 'holderDone', 'recordNotification', 'setSilence', 'expire'] as const;
const shardsMax = 65_536;
const listMax = 10_000;

/** The bytes of one log entry. Numbers must be whole and not negative, or the writer's AssertionError is thrown. */
export function encodeCommand(command: ControlCommand): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(commandVersion);
  writer.u8(kinds.indexOf(command.kind));
  switch (command.kind) {
    case 'setTable':
      writeTable(writer, command.table);
      writeList(writer, command.members);
      break;
    case 'holderDone':
      writer.varint(command.shard);
      writer.varint(command.epoch);
      writer.text(command.nodeId);
      break;
    case 'recordNotification':
    case 'setSilence':
      writeKeyed(writer, command.entry);
      break;
    case 'expire':
      writer.varint(command.nowMs);
      break;
  }
  return writer.finish();
}

/** Throws ClusterFormatError. */
export function decodeCommand(bytes: Uint8Array): ControlCommand {
  try {
    const reader = new ByteReader(bytes);
    const version = reader.u8();
    if (version !== commandVersion) throw new Error(`version ${version} is not known`);
    const number = reader.u8();
    const kind = kinds[number];
    if (kind === undefined) throw new Error(`kind ${number} is not known`);
    const command = readBody(kind, reader);
    if (reader.remaining !== 0) throw new Error(`${reader.remaining} bytes too many`);
    return command;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ClusterFormatError(`a control command can't be read: ${why}`, { cause });
  }
}

function readBody(kind: ControlCommand['kind'], reader: ByteReader): ControlCommand {
  switch (kind) {
    case 'setTable':
      return { kind, table: readTable(reader), members: readList(reader) };
    case 'holderDone':
      return { kind, shard: reader.varint(), epoch: reader.varint(), nodeId: reader.text() };
    case 'recordNotification':
    case 'setSilence':
      return { kind, entry: readKeyed(reader) };
    case 'expire':
      return { kind, nowMs: reader.varint() };
  }
}

/** The number of texts as a varint, then each with its length. */
export function writeList(writer: ByteWriter, list: readonly string[]): void {
  writer.varint(list.length);
  for (const item of list) writer.text(item);
}

/** Throws for more than listMax texts, and as ByteReader does at the end of the bytes. */
export function readList(reader: ByteReader): string[] {
  const length = reader.varint();
  if (length > listMax) throw new Error(`a list of ${length}`);
  return Array.from({ length }, () => reader.text());
}

/** The nodes once, then shards by number of node. */
export function writeTable(writer: ByteWriter, table: ShardTable): void {
  const nodes = [...new Set(table.shards.flatMap(({ owner, holders }) => [owner, ...holders]))];
  const numbers = new Map(nodes.map((node, i) => [node, i]));
  writer.varint(table.version);
  writeList(writer, nodes);
  writer.varint(table.shards.length);
  for (const { owner, epoch, holders } of table.shards) {
    writer.varint(numbers.get(owner) ?? 0);
    writer.varint(epoch);
    writer.varint(holders.length);
    for (const holder of holders) writer.varint(numbers.get(holder) ?? 0);
  }
}

/** Throws for numbers of nodes that there are not, more than shardsMax shards or more holders than nodes. */
export function readTable(reader: ByteReader): ShardTable {
  const version = reader.varint();
  const nodes = readList(reader);
  const node = (): string => {
    const number = reader.varint();
    const name = nodes[number];
    if (name === undefined) throw new Error(`node number ${number} of ${nodes.length}`);
    return name;
  };
  const count = reader.varint();
  if (count > shardsMax) throw new Error(`a table of ${count} shards`);
  const shards = Array.from({ length: count }, (): ShardEntry => {
    const owner = node();
    const epoch = reader.varint();
    const holders = reader.varint();
    if (holders > nodes.length) throw new Error(`${holders} holders among ${nodes.length} nodes`);
    return { owner, epoch, holders: Array.from({ length: holders }, node) };
  });
  return { version, shards };
}

/** Key, payload with its length, and the end of its life in milliseconds since 1970. */
export function writeKeyed(writer: ByteWriter, { key, payload, expiresAtMs }: KeyedEntry): void {
  writer.text(key);
  writer.block(payload);
  writer.varint(expiresAtMs);
}

/** What writeKeyed wrote; throws as ByteReader does when it is cut short. */
export function readKeyed(reader: ByteReader): KeyedEntry {
  // A copy: the bytes belong to a network or log buffer that would otherwise be kept whole.
  return { key: reader.text(), payload: reader.block().slice(), expiresAtMs: reader.varint() };
}
