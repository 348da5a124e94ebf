/**
 * Answers as the real Alertmanager's, which come in two kinds: what its OpenAPI layer refuses is an object with a code,
 * what its handlers refuse is a JSON string.
 */
import type { FastifyReply } from 'fastify';
import { CodedError, errorText } from '../../base/index.ts';
import { statusOfError } from '../errors.ts';
import { goJson } from '../go_json.ts';
import { statusOf } from '../refusals.ts';
import { sendJson } from '../respond.ts';

/** A request that does not fit the API's schema. */
export class SchemaError extends CodedError {
  override readonly name = 'SchemaError';
  readonly status: number;
  /** That of go-openapi: the status, or 601 wrong type, 602 missing, 612 too few. */
  readonly schemaCode: number;

  constructor(status: number, schemaCode: number, message: string) {
    super('bad_request', message);
    this.status = status;
    this.schemaCode = schemaCode;
  }
}

/** Codes of other rooms that mean that the client should send something else. */
const badRequestCodes: ReadonlySet<string> = new Set([
  'bad_alert',
  'bad_matcher',
  'bad_receiver',
  'bad_regex',
  'bad_silence',
]);

function statusFor(error: unknown): number {
  if (!(error instanceof CodedError)) return 500;
  if (error.code === 'not_supported') return 501;
  if (error.code === 'silence_not_found') return 404;
  return badRequestCodes.has(error.code) ? 400 : statusOfError(error);
}

/** A value that the backend made. */
export function sendValue(reply: FastifyReply, value: unknown): FastifyReply {
  return sendJson(reply, `${JSON.stringify(value)}\n`);
}

export function sendSchemaError(
  reply: FastifyReply,
  status: number,
  code: number,
  message: string,
): FastifyReply {
  return sendJson(reply.code(status), goJson({ code, message }));
}

/** Anything that was thrown under /api/v2. */
export function sendFailure(reply: FastifyReply, error: unknown): FastifyReply {
  if (error instanceof SchemaError) {
    return sendSchemaError(reply, error.status, error.schemaCode, error.message);
  }
  const refusedStatus = statusOf(error);
  if (refusedStatus !== 500) return sendSchemaError(reply, refusedStatus, refusedStatus, errorText(error));
  return sendValue(reply.code(statusFor(error)), errorText(error));
}
