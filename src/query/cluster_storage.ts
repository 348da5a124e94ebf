/** The cluster as a PromQL storage: raw series from every holder, joined. What can't be pushed down reads through it. */
import type { SeriesColumns } from '../model/index.ts';
import { decodeSeries, type SelectRequest, type Storage } from '../promql/index.ts';
import type { FanOut } from './fan_out.ts';
import { mergeSeries } from './merge.ts';
import { ExecuteKind, encodeSelect } from './payload.ts';
import type { Assignment, ShardsAt } from './replicas.ts';

/** Reads raw series of some nodes' shards under one table. */
export class HoldersStorage implements Storage {
  readonly #fanOut: FanOut;
  readonly #sets: readonly ShardsAt[];
  readonly #tableVersion: number;
  readonly #deadlineMs: number;

  constructor(fanOut: FanOut, sets: readonly ShardsAt[], assignment: Assignment, deadlineMs: number) {
    this.#fanOut = fanOut;
    this.#sets = sets;
    this.#tableVersion = assignment.tableVersion;
    this.#deadlineMs = deadlineMs;
  }

  async select(request: SelectRequest, signal: AbortSignal): Promise<readonly SeriesColumns[]> {
    const payload = (tableVersion: number): Uint8Array =>
      encodeSelect({ tableVersion, deadlineMs: this.#deadlineMs }, request);
    const send = { kind: ExecuteKind.Select, payload };
    const payloads = await this.#fanOut.ask(this.#sets, this.#tableVersion, send, signal);
    return mergeSeries(payloads.map(decodeSeries));
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
    return this.#fanOut.underOneTable(signal, (assignment) => {
      const sets = [...assignment.whole, ...assignment.scattered];
      return new HoldersStorage(this.#fanOut, sets, assignment, this.#deadlineMs).select(request, signal);
    });
  }
}
