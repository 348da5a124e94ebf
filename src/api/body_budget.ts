/**
 * How many bytes of large bodies a server takes in at a time, over all requests: without it as many senders as like could
 * each fill memory up to the bound of one body. What doesn't fit is answered 503, for senders keep what they could not send.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { plainError } from './refusals.ts';

export const retryAfterSeconds = 2;

export class BodyBudget {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes that are promised to requests. */
  get bytes(): number {
    return this.#bytes;
  }

  /** False when there is no room now; otherwise they are to be given back. */
  take(bytes: number): boolean {
    // A body that is larger than all room there is has its turn when nothing else is there.
    if (this.#bytes > 0 && this.#bytes + bytes > this.#bytesMax) return false;
    this.#bytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** Holds the routes that are added to `app` from now on to the budget; a body of unknown length counts as the longest. */
export function limitBodies(app: FastifyInstance, budget: BodyBudget, bodyBytesMax: number): void {
  const taken = new WeakMap<FastifyRequest, number>();
  const giveBack = (request: FastifyRequest): void => {
    budget.giveBack(taken.get(request) ?? 0);
    taken.delete(request);
  };
  app.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done) => {
    const announced = Number(request.headers['content-length'] ?? bodyBytesMax);
    // One beyond the bound is refused before it is read.
    const bytes = announced <= bodyBytesMax ? announced : 0;
    if (!budget.take(bytes)) {
      reply.header('retry-after', String(retryAfterSeconds));
      plainError(reply, 503, 'too many bytes are being received, try again later');
      return;
    }
    taken.set(request, bytes);
    // Also when the client goes away, after which there is no response.
    reply.raw.once('close', () => giveBack(request));
    done();
  });
}
