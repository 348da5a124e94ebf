import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { credentials } from '@grpc/grpc-js';
import { ExecuteRequestSchema, WriteRequestSchema } from '../../../proto/gen/torchring/v1/node_pb.ts';
import { createLogger, systemClock } from '../../base/index.ts';
import { TransportError } from '../errors.ts';
import { ClientPool } from './client.ts';

const identity = { clusterName: 'test', secret: '', nodeId: 'a' };

test('calls to a node that fell silent end when it is found dead, long before their deadlines', async () => {
  const sockets: Socket[] = [];
  // Accepts and says nothing, as a machine does whose power is gone: no call is refused.
  const silent = createServer((socket) => sockets.push(socket.resume())).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const bound = silent.address();
  const address = `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
  const pool = new ClientPool(
    { identity, credentials: credentials.createInsecure(), serverName: undefined },
    { clock: systemClock, log: createLogger({ level: 'error', format: 'logfmt' }) },
  );
  const options = { deadlineMs: 60_000 };
  const write = assert.rejects(
    pool.call(address, 'write', create(WriteRequestSchema), options),
    TransportError,
  );
  const chunks = pool.execute(address, create(ExecuteRequestSchema), options);
  const execute = assert.rejects(chunks.next(), TransportError);
  await once(silent, 'connection');

  const abandonedMs = performance.now();
  pool.abandon(address);
  await Promise.all([write, execute]);
  assert.ok(performance.now() - abandonedMs < 5_000);

  pool.close();
  for (const socket of sockets) socket.destroy();
  silent.close();
});
