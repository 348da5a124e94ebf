/** The cluster as a PromQL storage: raw series from every holder, joined. What can't be pushed down reads through it. */
import type { SeriesColumns } from '../model/index.ts';
import { decodeSeries, type SelectRequest, type Storage } from '../promql/index.ts';
import type { Attempt, FanOut } from './fan_out.ts';
import { mergeSeries } from './merge.ts';
import { ExecuteKind, encodeSelect } from './payload.ts';
import type { ShardsAt } from './replicas.ts';

/** Shards that a query reads at a time, where it need not hold all at once. */
const shardsOfPart = 8;

/** Reads raw series of some nodes' shards under one table. */
export class HoldersStorage implements Storage {
  readonly #attempt: Attempt;
  readonly #sets: readonly ShardsAt[];
  readonly #deadlineMs: number;

  constructor(attempt: Attempt, sets: readonly ShardsAt[], deadlineMs: number) {
    this.#attempt = attempt;
    this.#sets = sets;
    this.#deadlineMs = deadlineMs;
  }

  async select(request: SelectRequest, signal: AbortSignal): Promise<readonly SeriesColumns[]> {
    const payload = (tableVersion: number): Uint8Array =>
      encodeSelect({ tableVersion, deadlineMs: this.#deadlineMs }, request);
    const send = { kind: ExecuteKind.Select, payload };
    const { near, far } = this.#attempt.split(this.#sets);
    const [payloads, own] = await Promise.all([
      this.#attempt.ask(far, send, signal),
      Promise.all(near.map((at) => this.#attempt.selectNear(at, request, signal))),
    ]);
    return mergeSeries([...own, ...payloads.map(decodeSeries)]);
  }

  /** A few shards each, where all lie whole in this thread. That the table has not moved is seen to for each. */
  parts(): readonly Storage[] {
    const { near, far } = this.#attempt.split(this.#sets);
    // Of several nodes two may have samples of the same series.
    if (far.length > 0 || near.length !== 1) return [];
    const parts: Storage[] = [];
    for (const { nodeId, shards } of near) {
      for (let from = 0; from < shards.length; from += shardsOfPart) {
        const at = { nodeId, shards: shards.slice(from, from + shardsOfPart) };
        parts.push({ select: (request, signal) => this.#attempt.selectNear(at, request, signal) });
      }
    }
    return parts;
  }
}

/** Reads everything, each selection under the newest table. */
export class ClusterStorage implements Storage {
  readonly #fanOut: FanOut;
  readonly #deadlineMs: number;

  constructor(fanOut: FanOut, deadlineMs: number) {
    this.#fanOut = fanOut;
    this.#deadlineMs = deadlineMs;
  }

  select(request: SelectRequest, signal: AbortSignal): Promise<readonly SeriesColumns[]> {
    return this.#fanOut.underOneTable(signal, [request.matchers], (attempt) => {
      const { whole, scattered } = attempt.assignment;
      return new HoldersStorage(attempt, [...whole, ...scattered], this.#deadlineMs).select(request, signal);
    });
  }
}
