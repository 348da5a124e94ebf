/**
 * How the HTTP servers of a node are set up, so that requests reach the plugins as they would reach Prometheus: long URLs,
 * long label names, no HEAD where none is served, doubled slashes of sloppily joined base URLs.
 */
import type { Server } from 'node:http';
import type { FastifyHttpOptions } from 'fastify';

/** Bytes of request line and headers together; Go's default, and what queries sent by GET need. */
const headerBytesMax = 1024 * 1024;
/** A client that has not sent its whole request by then is cut off; Prometheus' --web.read-timeout. */
const requestTimeoutMs = 5 * 60 * 1000;

const clientErrors: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Options of a fastify server on which this room's plugins are mounted. */
export function httpServerOptions(): FastifyHttpOptions<Server> {
  return {
    exposeHeadRoutes: false,
    requestTimeout: requestTimeoutMs,
    http: { maxHeaderSize: headerBytesMax },
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
