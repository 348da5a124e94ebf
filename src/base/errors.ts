/**
 * Errors that a user or operator sees carry a stable code. Each room lists its codes in its own
 * `errors.ts`; the message names the file, line or parameter and what was expected.
 */
export class CodedError extends Error {
  override readonly name: string = 'CodedError';
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The text of anything that was thrown, for a log line or an API answer. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
