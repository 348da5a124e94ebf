/** The coded errors of the storage engine. Verdicts on single samples are counted, not thrown. */
import { CodedError } from '../base/index.ts';

/** The store can't take or keep data: `code` says why. */
export class StoreError extends CodedError {
  override readonly name = 'StoreError';
}

export const storeErrorCodes = {
  /** The store directory was closed. */
  closed: 'store_closed',
  /** A write to disk failed; nothing more is accepted until the disk takes data again. */
  failed: 'store_failed',
  /** More bytes wait for the disk than the bound allows; the sender should try again later. */
  overloaded: 'store_overloaded',
  /** The directory could not be opened, or was written by a version that this one does not know. */
  open: 'store_open',
  /** The batch contradicts itself (reference without series, time that is not an integer). */
  badBatch: 'bad_batch',
} as const;

/** Whether a write failed, or was not tried because one failed before. */
export function isDiskTrouble(error: unknown): boolean {
  return error instanceof StoreError && error.code === storeErrorCodes.failed;
}
