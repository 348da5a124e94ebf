/** The remote write receiver. The body goes to a worker as it came; only its headers are looked at here. */
import type { FastifyInstance } from 'fastify';
import type { PrometheusBackend } from '../backend.ts';
import { clientSignal } from '../respond.ts';

/** Bytes of a request, compressed. */
const bodyBytesMax = 32 * 1024 * 1024;
const retryAfterSeconds = 2;

/** Why the headers are not those of remote write 1.0, or undefined when they are. */
function refusalOf(contentType: string, encoding: string): string | undefined {
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  if (type !== 'application/x-protobuf') {
    return `expected application/x-protobuf as the first (media) part, got ${contentType} content-type`;
  }
  const proto = parameters.find((parameter) => parameter.startsWith('proto='))?.slice('proto='.length);
  if (proto !== undefined && proto !== 'prometheus.writerequest') {
    return `${contentType} protobuf message is not accepted by this server; accepted: prometheus.WriteRequest`;
  }
  if (encoding !== '' && encoding !== 'snappy') {
    return `${encoding} encoding (compression) is not accepted by this server; only snappy is acceptable`;
  }
  return undefined;
}

export interface RemoteWriteOptions {
  /** --web.enable-remote-write-receiver */
  readonly isEnabled: boolean;
}

export function registerRemoteWriteRoute(
  app: FastifyInstance,
  backend: PrometheusBackend,
  { isEnabled }: RemoteWriteOptions,
): void {
  app.post('/write', { bodyLimit: bodyBytesMax }, async (request, reply) => {
    if (!isEnabled) {
      return reply
        .code(404)
        .send('remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n');
    }
    const contentType = request.headers['content-type'] ?? '';
    const refusal = refusalOf(contentType, request.headers['content-encoding'] ?? '');
    if (refusal !== undefined) return reply.code(415).send(`${refusal}\n`);
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
    const answer = await backend.remoteWrite(body, clientSignal(request, reply));
    reply.header('x-prometheus-remote-write-samples-written', String(answer.samplesWritten));
    if (answer.status === 503) reply.header('retry-after', String(retryAfterSeconds));
    return reply.code(answer.status).send(answer.message === undefined ? undefined : `${answer.message}\n`);
  });
}
