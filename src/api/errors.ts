/** Prometheus' error kinds and the HTTP status of each; what the API answers when something was wrong. */
import { CodedError, errorText } from '../base/index.ts';

const statusOfErrorType = {
  bad_data: 400,
  execution: 422,
  canceled: 499,
  timeout: 503,
  unavailable: 503,
  not_found: 404,
  not_acceptable: 406,
  internal: 500,
} as const;

export type ApiErrorType = keyof typeof statusOfErrorType;

export class ApiError extends CodedError {
  override readonly name = 'ApiError';
  readonly errorType: ApiErrorType;
  /** In place of that of its kind. */
  readonly status: number | undefined;

  constructor(errorType: ApiErrorType, message: string, options: { cause?: unknown; status?: number } = {}) {
    super(errorType, message, options);
    this.errorType = errorType;
    this.status = options.status;
  }
}

/** Codes of other rooms that mean "not now": the same question may be answered later. */
const unavailableCodes: ReadonlySet<string> = new Set([
  'shard_unavailable',
  'too_many_queries',
  'mailbox_full',
  'actor_stopped',
  'actor_link_lost',
  'stale_table',
  'incomplete_answer',
]);

/** The error kind of anything that was thrown: what carries one says so itself. */
export function errorTypeOf(error: unknown): ApiErrorType {
  if (error instanceof Error && 'errorType' in error && typeof error.errorType === 'string') {
    return Object.hasOwn(statusOfErrorType, error.errorType) ? (error.errorType as ApiErrorType) : 'internal';
  }
  if (error instanceof CodedError) {
    if (Object.hasOwn(statusOfErrorType, error.code)) return error.code as ApiErrorType;
    if (error.code === 'ask_deadline') return 'timeout';
    if (unavailableCodes.has(error.code)) return 'unavailable';
  }
  return 'internal';
}

/** The HTTP status of anything that was thrown. */
export function statusOfError(error: unknown): number {
  const own = error instanceof ApiError ? error.status : undefined;
  return own ?? statusOfErrorType[errorTypeOf(error)];
}

export interface ErrorBody {
  readonly status: 'error';
  readonly errorType: ApiErrorType;
  readonly error: string;
}

export function errorBody(error: unknown): ErrorBody {
  return { status: 'error', errorType: errorTypeOf(error), error: errorText(error) };
}
