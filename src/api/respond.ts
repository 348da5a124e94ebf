/** Prometheus' response envelope, put around bytes that a worker made without parsing them. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer } from './backend.ts';
import { sendParts } from './compression.ts';
import { errorBody, statusOfError } from './errors.ts';
import { goJson } from './go_json.ts';

const encoder = new TextEncoder();
const head = encoder.encode('{"status":"success","data":');

/** `{"status":"success","data":...}` with warnings and infos where there are any. */
export async function sendAnswer(reply: FastifyReply, { data, warnings, infos }: Answer): Promise<void> {
  // Prometheus has no envelope for what has no data.
  if (data.length === 0) {
    await reply.code(204).send();
    return;
  }
  const notes: string[] = [];
  if (warnings.length > 0) notes.push(`,"warnings":${goJson(warnings)}`);
  if (infos.length > 0) notes.push(`,"infos":${goJson(infos)}`);
  const tail = encoder.encode(`${notes.join('')}}`);
  await sendParts(reply.header('content-type', 'application/json'), [head, data, tail]);
}

/** For data that the control thread has at hand. */
export async function sendData(reply: FastifyReply, data: unknown): Promise<FastifyReply> {
  return sendText(reply, goJson({ status: 'success', data }));
}

export async function sendError(reply: FastifyReply, error: unknown): Promise<void> {
  await sendText(reply.code(statusOfError(error)), goJson(errorBody(error)));
}

function sendText(reply: FastifyReply, json: string): Promise<FastifyReply> {
  return sendParts(reply.header('content-type', 'application/json'), [encoder.encode(json)]);
}

/** Uncompressed. As bytes, because fastify names a charset for text, and Prometheus names none for JSON. */
export function sendJson(reply: FastifyReply, body: string): FastifyReply {
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
