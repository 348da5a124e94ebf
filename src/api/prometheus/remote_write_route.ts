/** The remote write receiver. The body goes to a worker as it came; only its headers are looked at here. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { BodyBudget, limitBodies, retryAfterSeconds } from '../body_budget.ts';
import { plainError, plainErrorHandler } from '../refusals.ts';
import type { RemoteBackend, WriteAnswer, WriteProtocol } from '../remote_backend.ts';
import { clientSignal } from '../respond.ts';

/** Bytes of a request, compressed. */
const bodyBytesMax = 32 * 1024 * 1024;
/** Of all requests at a time. */
const bodiesBytesMax = 256 * 1024 * 1024;

/** The messages of --web.remote-write-receiver.accepted-protobuf-messages, by their protocol. */
const messages: Readonly<Record<string, WriteProtocol>> = {
  'prometheus.WriteRequest': 1,
  'io.prometheus.write.v2.Request': 2,
};
const supported = Object.keys(messages).join(', ');

type Judged = { readonly protocol: WriteProtocol } | { readonly refusal: string };

/** What the headers say. Senders of old give no content type. */
function judge(contentType: string, encoding: string, accepted: readonly string[]): Judged {
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim());
  if (type !== 'application/x-protobuf' && type !== '') {
    return {
      refusal: `expected application/x-protobuf as the first (media) part, got ${contentType} content-type`,
    };
  }
  let message = 'prometheus.WriteRequest';
  for (const parameter of parameters) {
    const [name, value, ...more] = parameter.split('=');
    if (value === undefined || more.length > 0) {
      const refusal = `as per https://www.rfc-editor.org/rfc/rfc9110#parameter expected parameters to be key-values, got ${parameter} in ${contentType} content-type`;
      return { refusal };
    }
    if (name !== 'proto') continue;
    message = value;
    break;
  }
  const protocol = Object.hasOwn(messages, message) ? messages[message] : undefined;
  if (protocol === undefined) {
    const refusal = `got ${contentType} content type; unknown remote write protobuf message ${message}, supported: ${supported}`;
    return { refusal };
  }
  if (!accepted.includes(message)) {
    const refusal = `${message} protobuf message is not accepted by this server; accepted [${accepted.join(' ')}]`;
    return { refusal };
  }
  if (encoding !== '' && encoding.toLowerCase() !== 'snappy') {
    const refusal = `${encoding} encoding (compression) is not accepted by this server; only snappy is acceptable`;
    return { refusal };
  }
  return { protocol };
}

export interface RemoteWriteOptions {
  /** --web.enable-remote-write-receiver */
  readonly isEnabled: boolean;
  /** --web.remote-write-receiver.accepted-protobuf-messages */
  readonly acceptedMessages: readonly string[];
}

/**
 * POST /write: 404 where the receiver is not enabled, 415 for another message or compression than those accepted, else
 * the status that the backend gives. What was taken is told in headers in any case.
 */
export async function registerRemoteWriteRoute(
  app: FastifyInstance,
  backend: RemoteBackend,
  { isEnabled, acceptedMessages }: RemoteWriteOptions,
): Promise<void> {
  await app.register(async (route) => {
    limitBodies(route, new BodyBudget(bodiesBytesMax), bodyBytesMax);
    route.post(
      '/write',
      { bodyLimit: bodyBytesMax, errorHandler: plainErrorHandler },
      async (request, reply) => {
        noteWritten(reply, { samplesWritten: 0, histogramsWritten: 0, exemplarsWritten: 0 });
        if (!isEnabled) {
          return plainError(
            reply,
            404,
            'remote write receiver needs to be enabled with --web.enable-remote-write-receiver',
          );
        }
        const { headers } = request;
        const contentType = headers['content-type'] ?? '';
        const judged = judge(contentType, headers['content-encoding'] ?? '', acceptedMessages);
        if ('refusal' in judged) return plainError(reply, 415, judged.refusal);
        const body = request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
        const answer = await backend.write(body, judged.protocol, clientSignal(request, reply));
        noteWritten(reply, answer);
        return sendWriteAnswer(reply, answer, 204);
      },
    );
  });
}

function noteWritten(reply: FastifyReply, written: Omit<WriteAnswer, 'status' | 'message'>): void {
  reply.headers({
    'x-prometheus-remote-write-samples-written': String(written.samplesWritten),
    'x-prometheus-remote-write-histograms-written': String(written.histogramsWritten),
    'x-prometheus-remote-write-exemplars-written': String(written.exemplarsWritten),
  });
}

/** `okStatus`: what the protocol answers when all is stored. */
export function sendWriteAnswer(
  reply: FastifyReply,
  { status, message }: WriteAnswer,
  okStatus: 200 | 204,
): FastifyReply {
  if (status === 503) reply.header('retry-after', String(retryAfterSeconds));
  if (message !== undefined) return plainError(reply, status, message);
  return reply.code(status === 204 ? okStatus : status).send();
}
