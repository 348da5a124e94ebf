/**
 * The Alertmanager API v2 as one fastify plugin, mounted on a port of its own and under a prefix of the main one. Clients
 * are Prometheus, Grafana and amtool, so that statuses and bodies are the real Alertmanager's.
 */
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { errorText } from '../../base/index.ts';
import type { AlertmanagerBackend } from '../backend.ts';
import {
  plainError,
  plainErrorHandler,
  plainRefusal,
  type Refusal,
  refuseOtherMethods,
} from '../refusals.ts';
import { sendJson } from '../respond.ts';
import { registerApiRoutes } from './api_routes.ts';
import { sendFailure, sendSchemaError } from './respond.ts';

/** Bytes of a posted body. */
const bodyBytesMax = 32 * 1024 * 1024;

export interface AlertmanagerApiOptions {
  readonly backend: AlertmanagerBackend;
  /** /metrics is served where this is given. */
  readonly metrics?: () => Promise<{ readonly contentType: string; readonly body: string }>;
}

const preflightMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST']);

/** Every origin may read; a browser's preflight is answered before routing looks at the method. */
async function allowEveryOrigin(
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const { origin, 'access-control-request-method': asked } = request.headers;
  reply.headers({ 'cache-control': 'no-store', vary: 'Origin' });
  if (request.method !== 'OPTIONS' || asked === undefined) {
    if (origin !== undefined) reply.header('access-control-allow-origin', '*');
    return undefined;
  }
  reply.removeHeader('cache-control');
  reply.header('vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers');
  if (origin !== undefined && preflightMethods.has(asked)) {
    reply.headers({ 'access-control-allow-origin': '*', 'access-control-allow-methods': asked });
    const { 'access-control-request-headers': headers } = request.headers;
    if (headers !== undefined) reply.header('access-control-allow-headers', headers);
  }
  return reply.code(204).send();
}

/** The path below the plugin's prefix, without the query. */
function pathOf(app: FastifyInstance, request: FastifyRequest): string {
  const path = request.url.replace(/\?.*$/s, '').replace(/\/{2,}/g, '/');
  return path.slice(app.prefix.length);
}

const isApiPath = (path: string): boolean => path.startsWith('/api/v2/');

/** As go-openapi under /api/v2, else as text. */
function refusal(app: FastifyInstance): Refusal {
  return (request, reply, allowed) => {
    if (!isApiPath(pathOf(app, request))) return plainRefusal(request, reply, allowed);
    const methods = allowed.join(',');
    reply.header('allow', methods);
    const message = `method ${request.method} is not allowed, but [${methods}] are`;
    return sendSchemaError(reply, 405, 405, message);
  };
}

function registerManagement(app: FastifyInstance, { backend, metrics }: AlertmanagerApiOptions): void {
  for (const url of ['/-/healthy', '/-/ready']) {
    app.route({ method: ['GET', 'HEAD'], url, handler: (_request, reply) => reply.type(text).send('OK') });
  }
  app.post('/-/reload', async (_request, reply) => {
    try {
      await backend.reload();
      return reply.send();
    } catch (error) {
      return plainError(reply, 500, `failed to reload config: ${errorText(error)}`);
    }
  });
  if (metrics !== undefined) {
    app.get('/metrics', async (_request, reply) => {
      const { contentType, body } = await metrics();
      return reply.header('content-type', contentType).send(body);
    });
  }
  app.get('/', (_request, reply) => reply.type(text).send(frontPage));
}

const text = 'text/plain; charset=utf-8';
const frontPage = `Torchring's Alertmanager

API:        /api/v2/alerts, /api/v2/alerts/groups, /api/v2/silences, /api/v2/status, /api/v2/receivers
Health:     /-/healthy, /-/ready
`;

const version1Paths = ['alerts', 'alerts/groups', 'receivers', 'silence/:id', 'silences', 'status'];
const version1IsGone = {
  status: 'deprecated',
  error:
    'The Alertmanager v1 API was deprecated in version 0.16.0 and is removed as of version 0.27.0 - please use the equivalent route in the v2 API',
};

/** Mounts `/api/v2`, `/-/...` and `/`. The server is one with httpServerOptions. */
export const alertmanagerApi: FastifyPluginAsync<AlertmanagerApiOptions> = async (app, options) => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: bodyBytesMax }, (_request, body, done) =>
    done(null, body),
  );
  app.setErrorHandler(plainErrorHandler);
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(app, request);
    if (!isApiPath(path)) return plainError(reply, 404, '404 page not found');
    return sendSchemaError(reply, 404, 404, `path ${path} was not found`);
  });
  // Here and not below, so that it runs for refused methods and unknown paths of the API too.
  app.addHook('onRequest', async (request, reply) =>
    isApiPath(pathOf(app, request)) ? allowEveryOrigin(request, reply) : undefined,
  );
  const refuseTheRest = refuseOtherMethods(app, refusal(app));
  registerManagement(app, options);
  for (const path of version1Paths) {
    app.all(`/api/v1/${path}`, (_request, reply) =>
      sendJson(reply.code(410), `${JSON.stringify(version1IsGone)}\n`),
    );
  }
  await app.register(
    async (api) => {
      api.setErrorHandler((error, _request, reply) => sendFailure(reply, error));
      registerApiRoutes(api, options.backend);
    },
    { prefix: '/api/v2' },
  );
  refuseTheRest();
};
