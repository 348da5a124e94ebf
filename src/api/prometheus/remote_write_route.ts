/** The remote write receiver. The body goes to a worker as it came; only its headers are looked at here. */
import type { FastifyInstance } from 'fastify';
import type { PrometheusBackend } from '../backend.ts';
import { plainError, plainErrorHandler } from '../refusals.ts';
import { clientSignal } from '../respond.ts';

/** Bytes of a request, compressed. */
const bodyBytesMax = 32 * 1024 * 1024;
const retryAfterSeconds = 2;

const writeRequest = 'prometheus.writerequest';
const writeRequest2 = 'io.prometheus.write.v2.request';

/** Why the headers are not those of remote write 1.0, or undefined when they are. Old senders give no content type. */
function refusalOf(contentType: string, encoding: string): string | undefined {
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  if (type !== 'application/x-protobuf' && type !== '') {
    return `expected application/x-protobuf as the first (media) part, got ${contentType} content-type`;
  }
  const bare = parameters.find((parameter) => !parameter.includes('='));
  if (bare !== undefined) {
    return `as per https://www.rfc-editor.org/rfc/rfc9110#parameter expected parameters to be key-values, got ${bare} in ${contentType} content-type`;
  }
  const proto = parameters.find((parameter) => parameter.startsWith('proto='))?.slice('proto='.length);
  if (proto === writeRequest2) {
    return `${contentType} protobuf message is not accepted by this server; accepted: prometheus.WriteRequest`;
  }
  if (proto !== undefined && proto !== writeRequest) {
    return `got ${contentType} content type; unknown remote write protobuf message ${proto}, supported: prometheus.WriteRequest`;
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

/**
 * POST /write: 404 where the receiver is not enabled, 415 for another message or compression than remote write 1.0,
 * else the status that the backend gives, with the number of samples taken in a header.
 */
export function registerRemoteWriteRoute(
  app: FastifyInstance,
  backend: PrometheusBackend,
  { isEnabled }: RemoteWriteOptions,
): void {
  app.post('/write', { bodyLimit: bodyBytesMax, errorHandler: plainErrorHandler }, async (request, reply) => {
    if (!isEnabled) {
      return plainError(
        reply,
        404,
        'remote write receiver needs to be enabled with --web.enable-remote-write-receiver',
      );
    }
    const contentType = request.headers['content-type'] ?? '';
    const refusal = refusalOf(contentType, request.headers['content-encoding'] ?? '');
    if (refusal !== undefined) return plainError(reply, 415, refusal);
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
    const answer = await backend.remoteWrite(body, clientSignal(request, reply));
    reply.header('x-prometheus-remote-write-samples-written', String(answer.samplesWritten));
    if (answer.status === 503) reply.header('retry-after', String(retryAfterSeconds));
    if (answer.message === undefined) return reply.code(answer.status).send();
    return plainError(reply, answer.status, answer.message);
  });
}
