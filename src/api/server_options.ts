/**
 * How the HTTP servers of a node are set up, so that requests reach the plugins as they would reach Prometheus: long URLs,
 * long label names, no HEAD where none is served, doubled slashes of sloppily joined base URLs.
 */
import type { RequestListener, Server } from 'node:http';
import type { FastifyServerOptions } from 'fastify';

/** Bytes of request line and headers together; Go's default, and what queries sent by GET need. */
const headerBytesMax = 1024 * 1024;

const clientErrors: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Not imported: an import of node:http loads another HTTP client into the thread, megabytes that nobody uses. */
const { createServer } = process.getBuiltinModule('node:http');

type MakeServer = (handle: RequestListener) => Server;

const plainServer: MakeServer = (handle) => createServer({ maxHeaderSize: headerBytesMax }, handle);

/** Options of a fastify server on which this room's plugins are mounted. `makeServer` makes what is under it. */
export function httpServerOptions(makeServer: MakeServer = plainServer): FastifyServerOptions {
  return {
    exposeHeadRoutes: false,
    serverFactory: (handle) => makeServer(handle as RequestListener),
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    routerOptions: {
      maxParamLength: headerBytesMax,
      ignoreDuplicateSlashes: true,
      ignoreTrailingSlash: true,
    },
    frameworkErrors: (_error, _request, reply) => {
      reply
        .hijack()
        .raw.writeHead(400, { 'content-type': 'text/plain; charset=utf-8' })
        .end('400 Bad Request');
    },
    clientErrorHandler: (error, socket) => {
      if (!socket.writable) return;
      const status = clientErrors[error.code] ?? '400 Bad Request';
      socket.end(
        `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status}`,
      );
    },
  };
}

/** Stands for fastify's own compilers, which are megabytes of code, as the plugins check what they read by themselves. */
function noSchemas(): never {
  throw new Error('routes have no schemas here');
}
