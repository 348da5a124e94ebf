/**
 * Every error that a query can end with, typed by the `errorType` of the HTTP API, so that the API maps it to
 * a status without reading texts. Messages are those of Prometheus where it has one.
 */
import { CodedError } from '../base/index.ts';

export type QueryErrorType = 'bad_data' | 'execution' | 'timeout' | 'canceled' | 'internal';

/** The base of all query errors; `code` equals `errorType`. */
export class QueryError extends CodedError {
  override readonly name: string = 'QueryError';
  readonly errorType: QueryErrorType;

  constructor(errorType: QueryErrorType, message: string, options?: { cause?: unknown }) {
    super(errorType, message, options);
    this.errorType = errorType;
  }
}

/** The expression is not PromQL; `message` is `LINE:COL: parse error: REASON`. */
export class ParseError extends QueryError {
  override readonly name = 'ParseError';
  readonly line: number;
  readonly column: number;
  readonly reason: string;

  constructor(text: string, offset: number, reason: string) {
    const { line, column } = lineAndColumn(text, offset);
    const position = text === '' ? 'unknown position' : `${line}:${column}`;
    super('bad_data', `${position}: parse error: ${reason}`);
    this.line = line;
    this.column = column;
    this.reason = reason;
  }
}

/** A valid expression whose evaluation failed on the data or needs something that is not supported. */
export class ExecutionError extends QueryError {
  override readonly name = 'ExecutionError';
  constructor(message: string, options?: { cause?: unknown }) {
    super('execution', message, options);
  }
}

export class TooManySamplesError extends QueryError {
  override readonly name = 'TooManySamplesError';
  constructor() {
    super('execution', 'query processing would load too many samples into memory in query execution');
  }
}

/** A limit that Prometheus does not have. */
export class MemoryLimitError extends QueryError {
  override readonly name = 'MemoryLimitError';
  constructor(bytesMax: number) {
    super(
      'execution',
      `query processing would need more than ${bytesMax} bytes of memory (--query.max-memory)`,
    );
  }
}

export class QueryTimeoutError extends QueryError {
  override readonly name = 'QueryTimeoutError';
  constructor(stage: string) {
    super('timeout', `query timed out in ${stage}`);
  }
}

export class QueryCanceledError extends QueryError {
  override readonly name = 'QueryCanceledError';
  constructor(stage: string) {
    super('canceled', `query was canceled in ${stage}`);
  }
}

/** One-based line and column (in UTF-8 bytes, as Prometheus counts them) of a UTF-16 offset. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  let line = 1;
  for (let i = 0; i < lineStart; i++) if (before.charCodeAt(i) === 10) line++;
  return { line, column: Buffer.byteLength(before.slice(lineStart)) + 1 };
}
