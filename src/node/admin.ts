/**
 * The admin endpoints over the whole cluster: what they do is done by every worker of every node, or the answer names
 * the nodes where it was not. A node that is away and has data would bring back what was deleted, so that counts, too.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalWorkers, StoreAction } from '../actors/index.ts';
import { type Clock, CodedError, errorText, type Random } from '../base/index.ts';
import type { ClusterNode } from '../cluster/index.ts';
import { copyIdentity } from './data_directory.ts';
import { executeRequest } from './peer_calls.ts';

/** Marks such a request among those that execute parts of queries. */
export const adminKind = 'admin';

const deadlineMs = 600_000;
const snapshotsFolder = 'snapshots';
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** As it travels: a snapshot is named, each node knows its own directory. */
type AdminAction =
  | Exclude<StoreAction, { type: 'snapshot' }>
  | { readonly type: 'snapshot'; readonly name: string };

type Members = Pick<ClusterNode, 'nodeId' | 'members' | 'client' | 'table'>;

export class Admin {
  readonly #cluster: Members;
  readonly #workers: LocalWorkers;
  readonly #dataPath: string;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(
    cluster: Members,
    workers: LocalWorkers,
    dataPath: string,
    { clock, random }: { readonly clock: Clock; readonly random: Random },
  ) {
    this.#cluster = cluster;
    this.#workers = workers;
    this.#dataPath = dataPath;
    this.#clock = clock;
    this.#random = random;
  }

  /** Rejects with QueryError on a bad selector, and with CodedError `unavailable` naming the nodes that failed. */
  deleteSeries(selectors: readonly string[], fromMs: number, toMs: number): Promise<void> {
    return this.#everywhere({ type: 'delete', selectors, fromMs, toMs });
  }

  cleanTombstones(): Promise<void> {
    return this.#everywhere({ type: 'cleanTombstones' });
  }

  /** Every node writes its own part to `snapshots/NAME` in its data directory; resolves with the name. */
  async snapshot(): Promise<string> {
    const time = new Date(this.#clock.nowMs()).toISOString().replace(/[-:]|\.\d+/g, '');
    const id = this.#random
      .below(2 ** 48)
      .toString(16)
      .padStart(16, '0');
    const name = `${time}-${id}`;
    await this.#everywhere({ type: 'snapshot', name });
    return name;
  }

  /** This node's part; `bytes` are what a peer sent. */
  async local(bytes: Uint8Array): Promise<void> {
    const action = JSON.parse(decoder.decode(bytes)) as AdminAction;
    const workers = this.#workers;
    if (!workers.isComplete) throw new CodedError('unavailable', 'a worker of this node is starting');
    const own: StoreAction =
      action.type === 'snapshot' ? { type: 'snapshot', path: this.#newSnapshot(action.name) } : action;
    await Promise.all(
      workers.running.map((worker) =>
        worker.ask<void>((replyTo) => ({ type: 'storeAction', action: own, replyTo }), deadlineMs),
      ),
    );
    if (own.type === 'snapshot') copyIdentity(this.#dataPath, own.path);
  }

  #newSnapshot(name: string): string {
    if (!/^[\w-]+$/.test(name)) throw new CodedError('bad_data', 'a snapshot has a plain name');
    const path = join(this.#dataPath, snapshotsFolder, name);
    try {
      mkdirSync(path, { recursive: true });
    } catch (error) {
      const reason = `create snapshot directory: ${errorText(error)}`;
      throw new CodedError('internal', reason, { cause: error });
    }
    return path;
  }

  async #everywhere(action: AdminAction): Promise<void> {
    const cluster = this.#cluster;
    const payload = encoder.encode(JSON.stringify(action));
    const failed: string[] = [];
    const holders = new Set(cluster.table()?.shards.flatMap((shard) => shard.holders));
    const members = cluster.members();
    const isThere = (state: string): boolean => state === 'alive' || state === 'suspect';
    const asked = members.filter(({ state }) => isThere(state)).map(({ meta }) => meta.id);
    for (const id of holders) if (!asked.includes(id)) failed.push(`node ${id} is away`);
    await Promise.all(
      asked.map(async (id) => {
        try {
          if (id === cluster.nodeId) await this.local(payload);
          else await this.#at(id, payload);
        } catch (error) {
          // A mistake of the asker is the same everywhere.
          if (error instanceof CodedError && error.code === 'bad_data') throw error;
          failed.push(`node ${id}: ${errorText(error)}`);
        }
      }),
    );
    if (failed.length > 0) throw new CodedError('unavailable', `not done everywhere: ${failed.join('; ')}`);
  }

  async #at(nodeId: string, payload: Uint8Array): Promise<void> {
    const request = executeRequest({ kind: adminKind, shards: [], payload });
    const answers = this.#cluster.client(nodeId).execute(request, { deadlineMs });
    for (let next = await answers.next(); next.done !== true; next = await answers.next());
  }
}
