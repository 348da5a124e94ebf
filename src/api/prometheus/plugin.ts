/** The Prometheus HTTP API as one fastify plugin. */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { Clock } from '../../base/index.ts';
import type { PrometheusBackend } from '../backend.ts';
import { ApiError } from '../errors.ts';
import { sendError } from '../respond.ts';
import { type ManagementOptions, registerManagementRoutes } from './management_routes.ts';
import { registerQueryRoutes } from './query_routes.ts';
import { type RemoteWriteOptions, registerRemoteWriteRoute } from './remote_write_route.ts';
import { registerStatusRoutes } from './status_routes.ts';

/** Bytes of a form body. */
const formBytesMax = 10 * 1024 * 1024;

export interface PrometheusApiOptions extends ManagementOptions {
  readonly backend: PrometheusBackend;
  readonly clock: Clock;
  readonly remoteWrite: RemoteWriteOptions;
  /** --web.cors.origin */
  readonly corsOrigin: RegExp;
}

/** Forms become URLSearchParams, everything else stays bytes. */
function registerBodyParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: formBytesMax },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

const corsHeaders: Readonly<Record<string, string>> = {
  'access-control-allow-headers': 'Accept, Authorization, Content-Type, Origin',
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-expose-headers': 'Date',
};

function registerCors(app: FastifyInstance, origin: RegExp): void {
  app.addHook('onRequest', async (request, reply) => {
    const from = request.headers.origin;
    if (from === undefined || !origin.test(from)) return;
    reply.headers({ ...corsHeaders, 'access-control-allow-origin': from, vary: 'Origin' });
  });
  app.options('/api/v1/*', (_request, reply) => reply.code(204).send());
}

/** Mounts `/api/v1`, `/-/...` and `/metrics`. */
export const prometheusApi: FastifyPluginAsync<PrometheusApiOptions> = async (app, options) => {
  const { backend, clock, remoteWrite, corsOrigin } = options;
  registerBodyParsers(app);
  registerCors(app, corsOrigin);
  registerManagementRoutes(app, backend, options);
  await app.register(
    async (api) => {
      api.setErrorHandler((error, _request, reply) => sendError(reply, asApiError(error)));
      registerQueryRoutes(api, backend, clock);
      registerStatusRoutes(api, backend);
      registerRemoteWriteRoute(api, backend, remoteWrite);
    },
    { prefix: '/api/v1' },
  );
};

/** What fastify itself refuses (a body too large, a malformed header) is the client's mistake. */
function asApiError(error: unknown): unknown {
  const statusCode = (error as { statusCode?: number }).statusCode;
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new ApiError('bad_data', (error as Error).message, { cause: error });
  }
  return error;
}
