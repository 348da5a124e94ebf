/** What this node does for its peers: appends to its shards, executes parts of queries, reports, takes alerts. */
import { create } from '@bufbuild/protobuf';
import type { LocalWorkers } from '../actors/index.ts';
import {
  type ExecuteChunk,
  ExecuteChunkSchema,
  type ExecuteRequest,
  type UpperHandlers,
} from '../cluster/index.ts';
import { type Admin, adminKind } from './admin.ts';
import { writeResponse } from './peer_calls.ts';
import { type Reports, reportPrefix } from './reports.ts';

/** What a peer's append may take. */
const appendDeadlineMs = 5_000;
/** Longer than any query runs: the worker finds in the payload how long the asker waits. */
const executeDeadlineMs = 3_600_000;

async function* execute(
  request: ExecuteRequest,
  workers: LocalWorkers,
  reports: Reports,
  admin: Admin,
  signal: AbortSignal,
): AsyncGenerator<ExecuteChunk> {
  const { kind, shards, payload } = request;
  if (kind === adminKind) {
    await admin.local(payload);
    return;
  }
  const answers = kind.startsWith(reportPrefix)
    ? await reports.local(kind.slice(reportPrefix.length), payload)
    : await workers.execute({ kind, shards, payload, deadlineMs: executeDeadlineMs, signal });
  for (const answer of answers) yield create(ExecuteChunkSchema, { payload: answer });
}

export function peerHandlers(
  workers: LocalWorkers,
  reports: Reports,
  admin: Admin,
): Required<Pick<UpperHandlers, 'write' | 'execute'>> {
  return {
    async write({ shard, epoch, bypassOutOfOrder, batch }) {
      const write = { shard, epoch: Number(epoch), bypassOutOfOrder, batch };
      return writeResponse(await workers.append(write, appendDeadlineMs));
    },
    execute: (request, { signal }) => execute(request, workers, reports, admin, signal),
  };
}
