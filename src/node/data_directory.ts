/**
 * A node's data directory: who the node is and how its shards are laid out, written once at birth. A restarted node is
 * the same member; a directory of another cluster, or with another number of shards, is refused rather than misread.
 */
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, errorText } from '../base/index.ts';
import type { EngineName } from '../tsdb/index.ts';

const formatVersion = 1;
const fileName = 'node.json';
/** What directories have that say nothing of it: they were made when there was no other. */
const firstEngine: EngineName = 'level';

export interface NodeIdentity {
  readonly formatVersion: number;
  readonly nodeId: string;
  readonly clusterName: string;
  readonly shards: number;
  readonly stores: number;
  readonly engine: EngineName;
}

export interface BirthSettings {
  readonly path: string;
  /** Empty: a name is made up at birth. */
  readonly nodeId: string;
  readonly clusterName: string;
  readonly shards: number;
  /** How many stores a new directory gets. */
  readonly stores: number;
  readonly engine: EngineName;
}

function dataError(message: string, cause?: unknown): CodedError {
  return new CodedError('data_directory', message, cause === undefined ? {} : { cause });
}

function readIdentity(file: string): NodeIdentity | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw dataError(`cannot read ${file}: ${errorText(error)}`, error);
  }
  try {
    const identity = JSON.parse(text) as Omit<NodeIdentity, 'engine'> & { readonly engine?: EngineName };
    return { ...identity, engine: identity.engine ?? firstEngine };
  } catch (error) {
    throw dataError(`${file} is damaged: ${errorText(error)}`, error);
  }
}

function checkSame(identity: NodeIdentity, settings: BirthSettings, file: string): void {
  if (identity.formatVersion !== formatVersion) {
    throw dataError(
      `${file} has format version ${identity.formatVersion}, this program knows ${formatVersion}`,
    );
  }
  const expectSame = (what: string, found: string | number, wanted: string | number): void => {
    if (found !== wanted) {
      throw dataError(
        `${settings.path} was made with ${what} ${found}, not ${wanted}; use another --storage.tsdb.path`,
      );
    }
  };
  expectSame('--cluster.name', identity.clusterName, settings.clusterName);
  expectSame('--cluster.shards', identity.shards, settings.shards);
  expectSame('--storage.engine', identity.engine, settings.engine);
  if (settings.nodeId !== '') expectSame('--node.id', identity.nodeId, settings.nodeId);
}

/** Reads the directory's identity, or makes the directory and its identity. Throws CodedError `data_directory`. */
export function openDataDirectory(settings: BirthSettings): NodeIdentity {
  const file = join(settings.path, fileName);
  const known = readIdentity(file);
  if (known !== undefined) {
    checkSame(known, settings, file);
    return known;
  }
  const identity: NodeIdentity = {
    formatVersion,
    nodeId: settings.nodeId === '' ? `node-${randomBytes(4).toString('hex')}` : settings.nodeId,
    clusterName: settings.clusterName,
    shards: settings.shards,
    stores: settings.stores,
    engine: settings.engine,
  };
  try {
    mkdirSync(settings.path, { recursive: true });
    // A crash in between must leave either no identity or a whole one.
    writeFileSync(`${file}.new`, `${JSON.stringify(identity, null, 2)}\n`, { flush: true });
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw dataError(`cannot use ${settings.path} as data directory: ${errorText(error)}`, error);
  }
  return identity;
}

/** Makes the directory of a snapshot one that a node can be started from: the last thing to be written. */
export function copyIdentity(from: string, to: string): void {
  try {
    copyFileSync(join(from, fileName), join(to, fileName));
  } catch (error) {
    throw dataError(`cannot write ${fileName} to ${to}: ${errorText(error)}`, error);
  }
}
