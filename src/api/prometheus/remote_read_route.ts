/** Remote read: the request goes to a worker as it came; a streamed answer is sent as fast as the client takes it. */
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { BodyBudget, limitBodies } from '../body_budget.ts';
import { plainError, plainErrorHandler } from '../refusals.ts';
import type { RemoteBackend } from '../remote_backend.ts';
import { clientSignal } from '../respond.ts';

/** Bytes of a request, compressed. */
const bodyBytesMax = 32 * 1024 * 1024;
/** Of all requests at a time. */
const bodiesBytesMax = 64 * 1024 * 1024;
const chunksType = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';

/** POST /read: 200 with the answer in one piece or in frames, else a line of text with what is wrong. */
export async function registerRemoteReadRoute(app: FastifyInstance, backend: RemoteBackend): Promise<void> {
  await app.register(async (route) => {
    limitBodies(route, new BodyBudget(bodiesBytesMax), bodyBytesMax);
    const options = { bodyLimit: bodyBytesMax, errorHandler: plainErrorHandler };
    route.post('/read', options, async (request, reply) => {
      const body = request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
      const answer = await backend.read(body, clientSignal(request, reply));
      switch (answer.type) {
        case 'samples':
          reply.headers({ 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' });
          return reply.send(answer.body);
        case 'chunks':
          return reply
            .header('content-type', chunksType)
            .send(Readable.from(answer.pieces, { objectMode: false, highWaterMark: 1 }));
        case 'refused':
          return plainError(reply, answer.status, answer.message);
      }
    });
  });
}
