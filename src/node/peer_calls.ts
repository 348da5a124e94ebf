/** Calls between nodes as the actors see them, over the cluster's gRPC client: messages in, plain values out. */
import { create } from '@bufbuild/protobuf';
import type { Peers, ShardExecution, ShardWrite } from '../actors/index.ts';
import {
  type ClusterNode,
  type ExecuteRequest,
  ExecuteRequestSchema,
  emptyTable,
  type ShardTable,
  WriteRequestSchema,
  type WriteResponse,
  WriteResponseSchema,
} from '../cluster/index.ts';
import type { AppendOutcome } from '../tsdb/index.ts';

export function writeResponse(outcome: AppendOutcome): WriteResponse {
  return create(WriteResponseSchema, { ...outcome, firstError: outcome.firstError ?? '' });
}

function appendOutcome(response: WriteResponse): AppendOutcome {
  const { appended, duplicates, outOfOrder, tooOld, tooFarInFuture, conflicts, limited, firstError } =
    response;
  const counts = { appended, duplicates, outOfOrder, tooOld, tooFarInFuture, conflicts, limited };
  return firstError === '' ? counts : { ...counts, firstError };
}

export function executeRequest({
  kind,
  shards,
  payload,
}: Pick<ShardExecution, 'kind' | 'shards' | 'payload'>): ExecuteRequest {
  return create(ExecuteRequestSchema, { kind, shards: [...shards], payload });
}

export class ClusterPeers implements Peers {
  readonly #cluster: ClusterNode;
  readonly #noTable: ShardTable;

  constructor(cluster: ClusterNode, shards: number) {
    this.#cluster = cluster;
    this.#noTable = emptyTable(shards);
  }

  get self(): string {
    return this.#cluster.nodeId;
  }

  table(): ShardTable {
    return this.#cluster.table() ?? this.#noTable;
  }

  async write(nodeId: string, write: ShardWrite, deadlineMs: number): Promise<AppendOutcome> {
    const request = create(WriteRequestSchema, { ...write, epoch: BigInt(write.epoch) });
    return appendOutcome(await this.#cluster.client(nodeId).write(request, { deadlineMs }));
  }

  async execute(nodeId: string, execution: ShardExecution): Promise<Uint8Array[]> {
    const { deadlineMs, signal } = execution;
    const options = { deadlineMs, signal };
    const answers: Uint8Array[] = [];
    for await (const { payload } of this.#cluster
      .client(nodeId)
      .execute(executeRequest(execution), options)) {
      answers.push(payload);
    }
    return answers;
  }

  async handedOver(shards: readonly number[], epochs: readonly number[]): Promise<void> {
    for (const [i, shard] of shards.entries()) {
      await this.#cluster.holderDone(shard, epochs[i] ?? 0, this.self);
    }
  }
}
