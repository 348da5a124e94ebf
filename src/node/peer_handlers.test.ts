import assert from 'node:assert/strict';
import test from 'node:test';
import { create } from '@bufbuild/protobuf';
import { LocalWorkers, type WorkerMessage } from '../actors/index.ts';
import { CodedError } from '../base/index.ts';
import { ExecuteRequestSchema } from '../cluster/index.ts';
import { TestInbox } from '../runtime/testing/index.ts';
import type { Admin } from './admin.ts';
import { peerHandlers } from './peer_handlers.ts';
import type { Reports } from './reports.ts';

test('a call that its caller cancels ends what the worker does for it', async () => {
  const inbox = new TestInbox<WorkerMessage>('/worker');
  const workers = new LocalWorkers({ shards: 2, stores: 1, workers: 1 });
  workers.set(0, inbox);
  const { execute } = peerHandlers(workers, {} as Reports, {} as Admin);
  const abort = new AbortController();
  const request = create(ExecuteRequestSchema, { kind: 'partial', shards: [1], payload: new Uint8Array(1) });
  const chunks = execute(request, { from: 'b', signal: abort.signal })[Symbol.asyncIterator]();
  const first = chunks.next();
  abort.abort();
  const [asked, cancel] = inbox.takeAll();
  assert.ok(asked?.type === 'execute');
  assert.deepEqual(cancel, { type: 'cancelExecute', id: asked.id });
  asked.replyTo.fail(new CodedError('canceled', 'gone'));
  await assert.rejects(first, { code: 'canceled' });
});
