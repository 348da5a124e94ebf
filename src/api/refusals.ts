/**
 * Answers for what is not served: 404 for unknown paths; 405 with Allow for other methods of known ones, where fastify
 * would say 404 and leave a client that sent PUT for POST without a clue.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { errorText } from '../base/index.ts';

const refusable: readonly HTTPMethods[] = [
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
];

/** The answer for a method that the path does not have; `allowed` is sorted. */
export type Refusal = (
  request: FastifyRequest,
  reply: FastifyReply,
  allowed: readonly string[],
) => FastifyReply;

/** Watches the routes that are added from now on; the function returned adds refusals for their other methods. */
export function refuseOtherMethods(app: FastifyInstance, refuse: Refusal): () => void {
  const methodsOf = new Map<string, Set<string>>();
  let isFinished = false;
  app.addHook('onRoute', ({ url, method }) => {
    if (isFinished) return;
    const methods = methodsOf.get(url) ?? new Set();
    methodsOf.set(url, methods);
    for (const one of [method].flat()) methods.add(one);
  });
  return () => {
    isFinished = true;
    for (const url of methodsOf.keys()) {
      if (url.endsWith('*')) continue;
      const allowed = methodsAt(url, methodsOf);
      const refused = refusable.filter((method) => !allowed.includes(method));
      if (refused.length === 0) continue;
      app.route({
        method: refused,
        url: url.slice(app.prefix.length),
        // Refused before the body is read.
        onRequest: async (request, reply) => refuse(request, reply, allowed),
        handler: (_request, reply) => reply,
      });
    }
  };
}

/** Those of the path itself and of wildcards above it. */
function methodsAt(url: string, methodsOf: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const methods = new Set<string>();
  for (const [pattern, served] of methodsOf) {
    const isAbove = pattern.endsWith('*') && url.startsWith(pattern.slice(0, -1));
    if (pattern === url || isAbove) for (const method of served) methods.add(method);
  }
  return [...methods].sort();
}

/** As Go's httprouter: OPTIONS is answered, everything else refused as plain text. */
export function plainRefusal(
  request: FastifyRequest,
  reply: FastifyReply,
  allowed: readonly string[],
): FastifyReply {
  reply.header('allow', [...new Set([...allowed, 'OPTIONS'])].sort().join(', '));
  if (request.method === 'OPTIONS') return reply.code(200).send();
  return plainError(reply, 405, 'Method Not Allowed');
}

/** As Go's http.Error: one line of text that browsers shall not take for anything else. */
export function plainError(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply
    .code(status)
    .header('x-content-type-options', 'nosniff')
    .type('text/plain; charset=utf-8')
    .send(`${text}\n`);
}

/** For routes whose errors are text: the client's mistakes as fastify rates them, or 500. */
export function plainErrorHandler(error: unknown, _request: FastifyRequest, reply: FastifyReply): void {
  plainError(reply, statusOf(error), errorText(error));
}

/** The 4xx status that fastify gave to what it refused itself, else 500. */
export function statusOf(error: unknown): number {
  const { statusCode } = error as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : 500;
}
