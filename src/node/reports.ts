/**
 * What is asked of every node rather than of every shard: targets, metadata, rules. Each node gives its part as a JSON
 * list; the node that was asked joins them, and names those that did not answer.
 */
import type { LocalWorkers, ReportFilter, ReportKind, RuleManager } from '../actors/index.ts';
import { CodedError, errorText } from '../base/index.ts';
import type { ClusterNode } from '../cluster/index.ts';
import { executeRequest } from './peer_calls.ts';

export const reportPrefix = 'report.';
const reportDeadlineMs = 5_000;

/** Reports of the workers, and those of the control thread. */
export type NodeReport = ReportKind | 'rules';

export interface JoinedReport {
  readonly items: readonly unknown[];
  readonly warnings: readonly string[];
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export class Reports {
  readonly #cluster: Pick<ClusterNode, 'nodeId' | 'members' | 'client'>;
  readonly #workers: LocalWorkers;
  readonly #rules: Pick<RuleManager, 'views'>;

  constructor(
    cluster: Pick<ClusterNode, 'nodeId' | 'members' | 'client'>,
    workers: LocalWorkers,
    rules: Pick<RuleManager, 'views'>,
  ) {
    this.#cluster = cluster;
    this.#workers = workers;
    this.#rules = rules;
  }

  /** This node's part: one JSON list per chunk. `kind` and `filter`, a ReportFilter as JSON, are what a peer sent. */
  async local(kind: string, filterBytes: Uint8Array): Promise<Uint8Array[]> {
    const filter = filterBytes.length === 0 ? {} : (JSON.parse(decoder.decode(filterBytes)) as ReportFilter);
    switch (kind) {
      case 'rules':
        return [encoder.encode(JSON.stringify(await this.#rules.views()))];
      case 'targets':
      case 'metadata':
      case 'targetMetadata':
      case 'cardinality':
        // What a restarting worker would tell is not nothing.
        if (!this.#workers.isComplete)
          throw new CodedError('unavailable', 'a worker of this node is starting');
        return Promise.all(this.#workers.running.map((worker) => this.#ask(worker, kind, filter)));
      case 'droppedTargets': {
        // Every worker of every node knows them all.
        const worker = this.#workers.running[0];
        return worker === undefined ? [] : [await this.#ask(worker, kind, filter)];
      }
      default:
        throw new CodedError('unknown_report', `there is no report ${JSON.stringify(kind)}`);
    }
  }

  #ask(worker: LocalWorkers['running'][number], kind: ReportKind, filter: ReportFilter): Promise<Uint8Array> {
    return worker.ask<Uint8Array>((replyTo) => ({ type: 'report', kind, filter, replyTo }), reportDeadlineMs);
  }

  /** Of this node alone, as values. */
  async here(kind: NodeReport, filter: ReportFilter = {}): Promise<readonly unknown[]> {
    return (await this.local(kind, encodeFilter(filter))).flatMap(parseList);
  }

  /** Of all live nodes. */
  async everywhere(kind: NodeReport, signal: AbortSignal, filter: ReportFilter = {}): Promise<JoinedReport> {
    const warnings: string[] = [];
    const live = this.#cluster.members().filter(({ state }) => state === 'alive' || state === 'suspect');
    const parts = await Promise.all(
      live.map(async ({ meta: { id } }) => {
        try {
          const isHere = id === this.#cluster.nodeId;
          return isHere ? await this.here(kind, filter) : await this.#of(id, kind, filter, signal);
        } catch (error) {
          signal.throwIfAborted();
          warnings.push(`incomplete answer: node ${id} did not answer (${errorText(error)})`);
          return [];
        }
      }),
    );
    return { items: parts.flat(), warnings };
  }

  async #of(nodeId: string, kind: NodeReport, filter: ReportFilter, signal: AbortSignal): Promise<unknown[]> {
    const payload = encodeFilter(filter);
    const request = executeRequest({ kind: reportPrefix + kind, shards: [], payload });
    const items: unknown[] = [];
    const options = { deadlineMs: reportDeadlineMs, signal };
    for await (const { payload } of this.#cluster.client(nodeId).execute(request, options)) {
      items.push(...parseList(payload));
    }
    return items;
  }
}

const encodeFilter = (filter: ReportFilter): Uint8Array => encoder.encode(JSON.stringify(filter));

function parseList(bytes: Uint8Array): unknown[] {
  return JSON.parse(decoder.decode(bytes)) as unknown[];
}
