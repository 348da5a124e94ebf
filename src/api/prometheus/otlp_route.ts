/** The OTLP receiver for metrics. The body goes to a worker as it came; only its headers are looked at here. */
import type { FastifyInstance } from 'fastify';
import { BodyBudget, limitBodies } from '../body_budget.ts';
import { plainError, plainErrorHandler } from '../refusals.ts';
import type { RemoteBackend } from '../remote_backend.ts';
import { clientSignal } from '../respond.ts';
import { sendWriteAnswer } from './remote_write_route.ts';

/** Bytes of a request, as it comes. */
const bodyBytesMax = 32 * 1024 * 1024;
/** Of all requests at a time. */
const bodiesBytesMax = 128 * 1024 * 1024;
const protobufType = 'application/x-protobuf';
const jsonType = 'application/json';

export interface OtlpOptions {
  /** --web.enable-otlp-receiver */
  readonly isEnabled: boolean;
}

/** POST /otlp/v1/metrics: 404 where the receiver is not enabled, 400 for what can't be read, 200 when all is stored. */
export async function registerOtlpRoute(
  app: FastifyInstance,
  backend: RemoteBackend,
  { isEnabled }: OtlpOptions,
): Promise<void> {
  await app.register(async (route) => {
    limitBodies(route, new BodyBudget(bodiesBytesMax), bodyBytesMax);
    const options = { bodyLimit: bodyBytesMax, errorHandler: plainErrorHandler };
    route.post('/otlp/v1/metrics', options, async (request, reply) => {
      if (!isEnabled) {
        const hint = 'otlp write receiver needs to be enabled with --web.enable-otlp-receiver';
        return plainError(reply, 404, hint);
      }
      const contentType = request.headers['content-type'] ?? '';
      const encoding = request.headers['content-encoding'] ?? '';
      if (contentType !== protobufType && contentType !== jsonType) {
        const message = `unsupported content type: ${contentType}, supported: [${jsonType}, ${protobufType}]`;
        return plainError(reply, 400, message);
      }
      if (encoding !== '' && encoding !== 'gzip') {
        const message = `unsupported compression: ${encoding}. Only "gzip" or no compression supported`;
        return plainError(reply, 400, message);
      }
      const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
      const body = { bytes, isGzip: encoding === 'gzip', isJson: contentType === jsonType };
      return sendWriteAnswer(reply, await backend.otlp(body, clientSignal(request, reply)), 200);
    });
  });
}
