/** Prometheus' response envelope, put around bytes that a worker made without parsing them. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer } from './backend.ts';
import { errorBody, statusOfErrorType } from './errors.ts';

const encoder = new TextEncoder();

function join(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

/** `{"status":"success","data":...}` with warnings and infos where there are any. */
export function answerBody({ data, warnings, infos }: Answer): Buffer {
  const notes: string[] = [];
  if (warnings.length > 0) notes.push(`,"warnings":${JSON.stringify(warnings)}`);
  if (infos.length > 0) notes.push(`,"infos":${JSON.stringify(infos)}`);
  return join([encoder.encode('{"status":"success","data":'), data, encoder.encode(`${notes.join('')}}`)]);
}

export async function sendAnswer(reply: FastifyReply, answer: Answer): Promise<void> {
  await reply.type('application/json').send(answerBody(answer));
}

/** For data that the control thread has at hand. */
export async function sendData(reply: FastifyReply, data: unknown): Promise<void> {
  await reply.type('application/json').send(JSON.stringify({ status: 'success', data }));
}

export async function sendError(reply: FastifyReply, error: unknown): Promise<void> {
  const body = errorBody(error);
  await reply.code(statusOfErrorType[body.errorType]).type('application/json').send(JSON.stringify(body));
}

/** Aborted when the client goes away before the answer. */
export function clientSignal(request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const abort = new AbortController();
  reply.raw.on('close', () => {
    if (!reply.raw.writableEnded) abort.abort(new Error(`the client of ${request.method} went away`));
  });
  return abort.signal;
}
