/** The coded errors of sealed windows. */
import { CodedError, errorText } from '../../base/index.ts';

/** A sealed window can't be read or changed: `code` says why. */
export class WindowError extends CodedError {
  override readonly name = 'WindowError';
}

export const windowErrorCodes = {
  /** A stored page or index chunk is missing or not what was written; nothing of it is served. */
  damaged: 'window_damaged',
  /** The engine failed to read a page or index chunk; another attempt may succeed. */
  unreadable: 'window_unreadable',
  /** More deletions wait for compaction than the bound allows; the sender should try again later. */
  tombstonesFull: 'window_tombstones_full',
  /** The deletion has no matchers, too many of them, or an empty range. */
  badDeletion: 'window_bad_deletion',
} as const;

export function damaged(what: string, reason: string, cause?: unknown): WindowError {
  return new WindowError(windowErrorCodes.damaged, `${what}: ${reason}`, { cause });
}

export function unreadable(what: string, cause: unknown): WindowError {
  return new WindowError(windowErrorCodes.unreadable, `${what}: ${errorText(cause)}`, { cause });
}

/** Whether what is on the disk can't be read, or is not what was written. */
export function isDamage(error: unknown): boolean {
  if (!(error instanceof WindowError)) return false;
  return error.code === windowErrorCodes.damaged || error.code === windowErrorCodes.unreadable;
}
