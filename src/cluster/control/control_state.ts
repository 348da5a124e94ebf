/**
 * The replicated state machine: every node applies the same commands in the same order and so has the same
 * shard table, members, notification log and silences. Pure and total: a command that does not fit changes
 * nothing, the same way everywhere.
 */
import { ByteReader, ByteWriter } from '../../base/index.ts';
import { ClusterFormatError } from '../errors.ts';
import type { ShardTable } from '../ring/table.ts';
import {
  type ControlCommand,
  type EntrySpace,
  entrySpaces,
  type KeyedEntry,
  readKeyed,
  readList,
  readTable,
  writeKeyed,
  writeList,
  writeTable,
} from './commands.ts';

const snapshotVersion = 1;
/** Per space; the entry that expires first makes room. */
const keyedEntriesMax = 50_000;

export type ControlChange = 'table' | EntrySpace;

export class ControlState {
  /** Undefined until the first one is committed. */
  table: ShardTable | undefined;
  /** Every node that has ever owned a shard and was not forgotten. */
  members: readonly string[] = [];
  readonly #spaces: Record<EntrySpace, Map<string, KeyedEntry>> = {
    notification: new Map(),
    silence: new Map(),
  };

  get(space: EntrySpace, key: string): KeyedEntry | undefined {
    return this.#spaces[space].get(key);
  }

  entries(space: EntrySpace): IterableIterator<KeyedEntry> {
    return this.#spaces[space].values();
  }

  /** What the command changed. */
  apply(command: ControlCommand): readonly ControlChange[] {
    switch (command.kind) {
      case 'setTable':
        return this.#setTable(command.table, command.members);
      case 'holderDone':
        return this.#holderDone(command);
      case 'recordNotification':
        return this.#put('notification', command.entry);
      case 'setSilence':
        return this.#put('silence', command.entry);
      case 'expire':
        return this.#expire(command.nowMs);
    }
  }

  #setTable(table: ShardTable, members: readonly string[]): readonly ControlChange[] {
    const follows = table.version === (this.table?.version ?? 0) + 1;
    const fits = this.table === undefined || this.table.shards.length === table.shards.length;
    if (!follows || !fits) return [];
    this.table = table;
    this.members = members;
    return ['table'];
  }

  /** A report may arrive late: since then its node may have owned the shard, taken samples and lost it again. */
  #holderDone({
    shard,
    epoch,
    nodeId,
  }: Extract<ControlCommand, { kind: 'holderDone' }>): readonly ControlChange[] {
    const entry = this.table?.shards[shard];
    if (this.table === undefined || entry === undefined) return [];
    if (entry.epoch !== epoch || entry.owner === nodeId || !entry.holders.includes(nodeId)) return [];
    const shards = this.table.shards.with(shard, {
      ...entry,
      holders: entry.holders.filter((holder) => holder !== nodeId),
    });
    this.table = { version: this.table.version + 1, shards };
    return ['table'];
  }

  #put(space: EntrySpace, entry: KeyedEntry): readonly ControlChange[] {
    const entries = this.#spaces[space];
    if (!entries.has(entry.key) && entries.size >= keyedEntriesMax) {
      let first: KeyedEntry | undefined;
      for (const each of entries.values()) {
        if (first === undefined || each.expiresAtMs < first.expiresAtMs) first = each;
      }
      if (first !== undefined) entries.delete(first.key);
    }
    // Insertion order is part of the state: replicas that restored a snapshot must evict alike.
    entries.delete(entry.key);
    entries.set(entry.key, entry);
    return [space];
  }

  #expire(nowMs: number): readonly ControlChange[] {
    const changed: ControlChange[] = [];
    for (const space of entrySpaces) {
      const entries = this.#spaces[space];
      const before = entries.size;
      for (const { key, expiresAtMs } of entries.values()) if (expiresAtMs <= nowMs) entries.delete(key);
      if (entries.size < before) changed.push(space);
    }
    return changed;
  }

  snapshot(): Uint8Array {
    const writer = new ByteWriter();
    writer.u8(snapshotVersion);
    writer.u8(this.table === undefined ? 0 : 1);
    if (this.table !== undefined) writeTable(writer, this.table);
    writeList(writer, this.members);
    for (const space of entrySpaces) {
      const entries = this.#spaces[space];
      writer.varint(entries.size);
      for (const entry of entries.values()) writeKeyed(writer, entry);
    }
    return writer.finish();
  }

  /** Becomes what the snapshot says. Throws ClusterFormatError, and then is to be thrown away. */
  restore(bytes: Uint8Array): void {
    try {
      const reader = new ByteReader(bytes);
      const version = reader.u8();
      if (version !== snapshotVersion) throw new Error(`version ${version} is not known`);
      this.table = reader.u8() === 1 ? readTable(reader) : undefined;
      this.members = readList(reader);
      for (const space of entrySpaces) {
        const entries = this.#spaces[space];
        entries.clear();
        const count = reader.varint();
        if (count > keyedEntriesMax) throw new Error(`${count} entries`);
        for (let i = 0; i < count; i++) {
          const entry = readKeyed(reader);
          entries.set(entry.key, entry);
        }
      }
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ClusterFormatError(`a control snapshot can't be read: ${why}`, { cause });
    }
  }
}
