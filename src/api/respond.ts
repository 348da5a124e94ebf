/** Prometheus' response envelope, put around bytes that a worker made without parsing them. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer } from './backend.ts';
import { errorBody, statusOfErrorType } from './errors.ts';
import { goJson } from './go_json.ts';

const encoder = new TextEncoder();

/** `{"status":"success","data":...}` with warnings and infos where there are any. */
function answerBody({ data, warnings, infos }: Answer): Buffer {
  const notes: string[] = [];
  if (warnings.length > 0) notes.push(`,"warnings":${goJson(warnings)}`);
  if (infos.length > 0) notes.push(`,"infos":${goJson(infos)}`);
  return Buffer.concat([
    encoder.encode('{"status":"success","data":'),
    data,
    encoder.encode(`${notes.join('')}}`),
  ]);
}

export async function sendAnswer(reply: FastifyReply, answer: Answer): Promise<void> {
  await sendJson(reply, answerBody(answer));
}

/** For data that the control thread has at hand. */
export async function sendData(reply: FastifyReply, data: unknown): Promise<void> {
  await sendJson(reply, goJson({ status: 'success', data }));
}

export async function sendError(reply: FastifyReply, error: unknown): Promise<void> {
  const body = errorBody(error);
  await sendJson(reply.code(statusOfErrorType[body.errorType]), goJson(body));
}

/** As bytes, because fastify names a charset for text, and Prometheus names none for JSON. */
export function sendJson(reply: FastifyReply, body: string | Uint8Array): FastifyReply {
  return reply.header('content-type', 'application/json').send(Buffer.from(body));
}

/** Aborted when the client goes away before the answer. */
export function clientSignal(request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const abort = new AbortController();
  reply.raw.on('close', () => {
    if (!reply.raw.writableEnded) abort.abort(new Error(`the client of ${request.method} went away`));
  });
  return abort.signal;
}
