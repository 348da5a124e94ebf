/**
 * How an executor's outcome travels: one byte that says whether it worked, then the payload or the error as JSON. So a
 * query's own error (too many samples, a bad expression) stays apart from a node that can't be reached. An answer that had
 * to do without some of the shards says which: their number and a JSON text stand before the payload then.
 */
import { CodedError, errorText } from '../base/index.ts';
import { QueryError, type QueryErrorType } from '../promql/index.ts';
import { StaleTableError } from './errors.ts';

const okByte = 0;
const errorByte = 1;
const gapsByte = 2;
const gapsHeaderBytes = 5;

/** Shards that are here and could not be read, and why. */
export interface Unreadable {
  readonly shards: readonly number[];
  readonly reason: string;
}

interface WireError {
  readonly code: string;
  readonly message: string;
  readonly errorType?: QueryErrorType;
  readonly asked?: number;
  readonly known?: number;
}

export function okAnswer(payload: Uint8Array, unreadable?: Unreadable): Uint8Array<ArrayBuffer> {
  if (unreadable !== undefined) return gapsAnswer(payload, unreadable);
  const answer = new Uint8Array(payload.length + 1);
  answer[0] = okByte;
  answer.set(payload, 1);
  return answer;
}

function gapsAnswer(payload: Uint8Array, unreadable: Unreadable): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(unreadable));
  const answer = new Uint8Array(gapsHeaderBytes + text.length + payload.length);
  answer[0] = gapsByte;
  new DataView(answer.buffer).setUint32(1, text.length, true);
  answer.set(text, gapsHeaderBytes);
  answer.set(payload, gapsHeaderBytes + text.length);
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

export interface Opened {
  readonly payload: Uint8Array;
  readonly unreadable?: Unreadable;
}

/** The payload of an answer. Throws QueryError, StaleTableError or CodedError as the executor met it. */
export function openAnswer(answer: Uint8Array): Opened {
  if (answer[0] === okByte) return { payload: answer.subarray(1) };
  if (answer[0] === gapsByte) {
    const size = new DataView(answer.buffer, answer.byteOffset, answer.byteLength).getUint32(1, true);
    const end = gapsHeaderBytes + size;
    const text = new TextDecoder().decode(answer.subarray(gapsHeaderBytes, end));
    return { payload: answer.subarray(end), unreadable: JSON.parse(text) as Unreadable };
  }
  const wire = JSON.parse(new TextDecoder().decode(answer.subarray(1))) as WireError;
  if (wire.errorType !== undefined) throw new QueryError(wire.errorType, wire.message);
  if (wire.code === 'stale_table') throw new StaleTableError(wire.asked ?? 0, wire.known ?? 0);
  throw new CodedError(wire.code, wire.message);
}
