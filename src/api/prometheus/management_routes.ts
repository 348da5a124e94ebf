/**
 * `/`, `/version`, `/-/...` and `/metrics`: for operators, load balancers and scrapers. Texts are Prometheus' own where
 * scripts may look for them.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { errorText } from '../../base/index.ts';
import type { PrometheusBackend } from '../backend.ts';
import { sendParts } from '../compression.ts';
import { goJson } from '../go_json.ts';
import { plainError } from '../refusals.ts';

export interface ManagementOptions {
  /** --web.enable-lifecycle: whether /-/reload and /-/quit do anything. */
  readonly isLifecycleEnabled: boolean;
}

const frontPage = `Torchring

HTTP API of Prometheus:     /api/v1/query, /api/v1/targets, /api/v1/rules, ...
The cluster's own state:    /api/v1/cluster
This node's metrics:        /metrics
Health:                     /-/healthy, /-/ready
`;

function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('text/plain; charset=utf-8').send(text);
}

function registerHealth(app: FastifyInstance, url: string, isWell: () => boolean, text: string): void {
  app.route({
    method: ['GET', 'HEAD'],
    url,
    handler: (_request, reply) =>
      isWell() ? sendText(reply, text) : sendText(reply.code(503), 'Service Unavailable'),
  });
}

/**
 * Health (200, or 503 while unwell) and, where the lifecycle is enabled, reload and quit: 403 where not, 405 for a
 * GET, 500 with the reason when the configuration cannot be loaded. All in plain text.
 */
export function registerManagementRoutes(
  app: FastifyInstance,
  backend: PrometheusBackend,
  { isLifecycleEnabled }: ManagementOptions,
): void {
  registerHealth(app, '/-/healthy', () => backend.healthy(), 'Prometheus Server is Healthy.\n');
  registerHealth(app, '/-/ready', () => backend.ready(), 'Prometheus Server is Ready.\n');
  const lifecycle = (url: string, act: (reply: FastifyReply) => Promise<FastifyReply>): void => {
    app.route({
      method: ['POST', 'PUT'],
      url,
      handler: async (_request, reply) =>
        isLifecycleEnabled ? act(reply) : sendText(reply.code(403), 'Lifecycle API is not enabled.'),
    });
    app.get(url, (_request, reply) => sendText(reply.code(405), 'Only POST or PUT requests allowed'));
  };
  lifecycle('/-/reload', async (reply) => {
    try {
      await backend.reload();
      return reply.send();
    } catch (error) {
      return plainError(reply, 500, `failed to reload config: ${errorText(error)}`);
    }
  });
  lifecycle('/-/quit', async (reply) => {
    // Once the answer is out, since quitting closes this connection too.
    reply.raw.once('finish', () => backend.quit());
    return sendText(reply, 'Requesting termination... Goodbye!');
  });
  app.get('/metrics', async (_request, reply) => {
    const { contentType, body } = await backend.metrics();
    return sendParts(reply.header('content-type', contentType), [Buffer.from(body)]);
  });
  app.get('/version', (_request, reply) => sendText(reply, `${goJson(backend.buildInfo())}\n`));
  app.get('/', (_request, reply) => sendText(reply, frontPage));
}
