/** Federation: another Prometheus scrapes the newest samples of the series that it selects. */
import type { FastifyInstance } from 'fastify';
import { ApiError } from '../errors.ts';
import { Params } from '../params.ts';
import { plainError } from '../refusals.ts';
import type { RemoteBackend } from '../remote_backend.ts';

/** GET /federate?match[]=SELECTOR: 400 for a selector that can't be read, else the samples as the client accepts them. */
export function registerFederateRoute(app: FastifyInstance, backend: RemoteBackend): void {
  app.get('/federate', async (request, reply) => {
    const params = Params.of(request);
    try {
      params.checkForm();
    } catch (error) {
      if (error instanceof ApiError) return plainError(reply, 400, error.message);
      throw error;
    }
    const answer = await backend.federate(params.all('match[]'), request.headers.accept ?? '');
    if (answer.status !== 200) return plainError(reply, answer.status, answer.message);
    return reply.header('content-type', answer.contentType).send(answer.body);
  });
}
