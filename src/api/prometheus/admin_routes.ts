/** /api/v1/admin/tsdb/...: deletes series, gives the space of deletions back, takes snapshots; over all nodes. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorText } from '../../base/index.ts';
import type { PrometheusBackend } from '../backend.ts';
import { ApiError, errorTypeOf } from '../errors.ts';
import { badParam, Params } from '../params.ts';
import { sendData } from '../respond.ts';
import { maxTimeMs, minTimeMs } from './times.ts';

export interface AdminOptions {
  /** --web.enable-admin-api */
  readonly isAdminEnabled: boolean;
}

type Act = (params: Params, reply: FastifyReply) => Promise<FastifyReply>;

/** Answers 204, or 500 with Prometheus' words where they are not enabled. */
export function registerAdminRoutes(
  app: FastifyInstance,
  backend: PrometheusBackend,
  { isAdminEnabled }: AdminOptions,
): void {
  const route = (name: string, act: Act): void => {
    app.route({
      method: ['POST', 'PUT'],
      url: `/admin/tsdb/${name}`,
      handler: async (request: FastifyRequest, reply: FastifyReply) => {
        if (!isAdminEnabled) throw new ApiError('unavailable', 'admin APIs disabled', { status: 500 });
        await act(Params.of(request), reply);
        return reply;
      },
    });
  };
  route('delete_series', async (params, reply) => {
    params.checkForm();
    const selectors = params.all('match[]');
    if (selectors.length === 0) throw new ApiError('bad_data', 'no match[] parameter provided');
    const fromMs = params.timeMs('start', minTimeMs);
    const toMs = params.timeMs('end', maxTimeMs);
    try {
      await backend.admin.deleteSeries(selectors, fromMs, toMs);
    } catch (error) {
      throw errorTypeOf(error) === 'bad_data' ? badParam('match[]', errorText(error)) : error;
    }
    return reply.code(204).send();
  });
  route('clean_tombstones', async (_params, reply) => {
    await backend.admin.cleanTombstones();
    return reply.code(204).send();
  });
  route('snapshot', async (params, reply) => {
    // What is in memory is in the log as well, which is copied either way.
    params.flag('skip_head', 'unable to parse boolean');
    return sendData(reply, { name: await backend.admin.snapshot() });
  });
}
