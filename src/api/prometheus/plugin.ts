/** The Prometheus HTTP API as one fastify plugin. */
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import { type Clock, errorText } from '../../base/index.ts';
import type { PrometheusBackend } from '../backend.ts';
import { ApiError } from '../errors.ts';
import { parseForm } from '../form.ts';
import { countRequests } from '../http_metrics.ts';
import { plainError, plainErrorHandler, plainRefusal, refuseOtherMethods, statusOf } from '../refusals.ts';
import { sendError } from '../respond.ts';
import { type AdminOptions, registerAdminRoutes } from './admin_routes.ts';
import { registerFederateRoute } from './federate_route.ts';
import { type ManagementOptions, registerManagementRoutes } from './management_routes.ts';
import { registerNotificationRoutes } from './notification_routes.ts';
import { type OtlpOptions, registerOtlpRoute } from './otlp_route.ts';
import { registerQueryRoutes } from './query_routes.ts';
import { registerRemoteReadRoute } from './remote_read_route.ts';
import { type RemoteWriteOptions, registerRemoteWriteRoute } from './remote_write_route.ts';
import { registerStatusRoutes } from './status_routes.ts';

/** Bytes of a form body. */
const formBytesMax = 10 * 1024 * 1024;

export interface PrometheusApiOptions extends ManagementOptions, AdminOptions {
  readonly backend: PrometheusBackend;
  readonly clock: Clock;
  readonly remoteWrite: RemoteWriteOptions;
  readonly otlp: OtlpOptions;
  /** --web.cors.origin, anchored at both ends. */
  readonly corsOrigin: { test(origin: string): boolean };
  /** Where prometheus_http_* are counted. */
  readonly registry: Registry;
}

/** Forms become Form, everything else stays bytes. */
function registerBodyParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer', bodyLimit: formBytesMax },
    async (_request: FastifyRequest, body: Buffer) => parseForm(body.toString()),
  );
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

const corsHeaders: Readonly<Record<string, string>> = {
  'access-control-allow-headers': 'Accept, Authorization, Content-Type, Origin',
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-expose-headers': 'Date',
};

function registerCors(app: FastifyInstance, origin: PrometheusApiOptions['corsOrigin']): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('vary', 'Origin');
    const from = request.headers.origin;
    if (from === undefined) return;
    reply.headers(corsHeaders);
    if (origin.test(from)) reply.header('access-control-allow-origin', from);
  });
  app.options('/*', (_request, reply) => reply.code(204).send());
}

/**
 * Mounts `/api/v1`, `/-/...`, `/metrics` and `/`, and answers 404 for the rest of its prefix. The server is one with
 * httpServerOptions.
 */
export const prometheusApi: FastifyPluginAsync<PrometheusApiOptions> = async (app, options) => {
  const { backend, clock, remoteWrite, otlp, corsOrigin, registry } = options;
  registerBodyParsers(app);
  countRequests(app, registry);
  const refuseTheRest = refuseOtherMethods(app, plainRefusal);
  app.setNotFoundHandler((_request, reply) => plainError(reply, 404, '404 page not found'));
  app.setErrorHandler(plainErrorHandler);
  registerManagementRoutes(app, backend, options);
  registerFederateRoute(app, backend.remote);
  await app.register(
    async (api) => {
      api.setErrorHandler((error, _request, reply) => sendError(reply, asApiError(error)));
      await registerRemoteWriteRoute(api, backend.remote, remoteWrite);
      await registerOtlpRoute(api, backend.remote, otlp);
      await registerRemoteReadRoute(api, backend.remote);
      await api.register(async (readable) => {
        registerCors(readable, corsOrigin);
        registerQueryRoutes(readable, backend, clock);
        registerStatusRoutes(readable, backend);
        registerAdminRoutes(readable, backend, options);
        registerNotificationRoutes(readable, backend);
      });
    },
    { prefix: '/api/v1' },
  );
  refuseTheRest();
};

/** What fastify itself refuses (a body too large, a malformed header) is the client's mistake. */
function asApiError(error: unknown): unknown {
  return statusOf(error) === 500 ? error : new ApiError('bad_data', errorText(error), { cause: error });
}
