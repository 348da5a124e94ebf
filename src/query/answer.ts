/**
 * How an executor's outcome travels: one byte that says whether it worked, then the payload or the error as JSON. So a
 * query's own error (too many samples, a bad expression) stays apart from a node that can't be reached.
 */
import { CodedError, errorText } from '../base/index.ts';
import { QueryError, type QueryErrorType } from '../promql/index.ts';
import { StaleTableError } from './errors.ts';

const okByte = 0;
const errorByte = 1;

interface WireError {
  readonly code: string;
  readonly message: string;
  readonly errorType?: QueryErrorType;
  readonly asked?: number;
  readonly known?: number;
}

export function okAnswer(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const answer = new Uint8Array(payload.length + 1);
  answer[0] = okByte;
  answer.set(payload, 1);
  return answer;
}

export function errorAnswer(error: unknown): Uint8Array<ArrayBuffer> {
  const wire: WireError =
    error instanceof QueryError
      ? { code: error.code, message: error.message, errorType: error.errorType }
      : error instanceof StaleTableError
        ? { code: error.code, message: error.message, asked: error.asked, known: error.known }
        : { code: error instanceof CodedError ? error.code : 'internal', message: errorText(error) };
  const text = new TextEncoder().encode(JSON.stringify(wire));
  const answer = new Uint8Array(text.length + 1);
  answer[0] = errorByte;
  answer.set(text, 1);
  return answer;
}

/** The payload of an answer. Throws QueryError, StaleTableError or CodedError as the executor met it. */
export function payloadOf(answer: Uint8Array): Uint8Array {
  if (answer[0] === okByte) return answer.subarray(1);
  const wire = JSON.parse(new TextDecoder().decode(answer.subarray(1))) as WireError;
  if (wire.errorType !== undefined) throw new QueryError(wire.errorType, wire.message);
  if (wire.code === 'stale_table') throw new StaleTableError(wire.asked ?? 0, wire.known ?? 0);
  throw new CodedError(wire.code, wire.message);
}
