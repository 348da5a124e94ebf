/** `/-/...` and `/metrics`: for operators, load balancers and scrapers. */
import type { FastifyInstance } from 'fastify';
import { errorText } from '../../base/index.ts';
import type { PrometheusBackend } from '../backend.ts';

export interface ManagementOptions {
  /** --web.enable-lifecycle: whether /-/reload and /-/quit do anything. */
  readonly isLifecycleEnabled: boolean;
}

export function registerManagementRoutes(
  app: FastifyInstance,
  backend: PrometheusBackend,
  { isLifecycleEnabled }: ManagementOptions,
): void {
  app.get('/-/healthy', async (_request, reply) =>
    backend.healthy() ? 'Torchring is Healthy.\n' : reply.code(503).send('Torchring is not healthy.\n'),
  );
  app.get('/-/ready', async (_request, reply) =>
    backend.ready() ? 'Torchring is Ready.\n' : reply.code(503).send('Service Unavailable\n'),
  );
  app.route({
    method: ['POST', 'PUT'],
    url: '/-/reload',
    handler: async (_request, reply) => {
      if (!isLifecycleEnabled) return reply.code(403).send('Lifecycle API is not enabled.');
      try {
        await backend.reload();
        return reply.send('');
      } catch (error) {
        return reply.code(500).send(`failed to reload config: ${errorText(error)}\n`);
      }
    },
  });
  app.route({
    method: ['POST', 'PUT'],
    url: '/-/quit',
    handler: async (_request, reply) => {
      if (!isLifecycleEnabled) return reply.code(403).send('Lifecycle API is not enabled.');
      await reply.send('Requesting termination... Goodbye!\n');
      backend.quit();
      return reply;
    },
  });
  app.get('/metrics', async (_request, reply) => {
    const { contentType, body } = await backend.metrics();
    return reply.header('content-type', contentType).send(body);
  });
}
