/**
 * What can go wrong in a scrape, with stable codes. The message is what the targets page shows as
 * `lastError`, so where Prometheus has a well-known text for the same failure it is used.
 */
import { CodedError } from '../base/index.ts';

/** A body that is not what its format allows. */
export class ExpositionError extends CodedError {
  override readonly name = 'ExpositionError';

  constructor(reason: string) {
    super('bad_exposition', reason);
  }
}

export type ScrapeErrorCode =
  | 'body_size_limit'
  | 'bucket_limit'
  | 'content_type'
  | 'failure_log'
  | 'http_status'
  | 'label_limit'
  | 'request'
  | 'sample_limit'
  | 'series_name'
  | 'target'
  | 'timeout';

export class ScrapeError extends CodedError {
  override readonly name = 'ScrapeError';

  constructor(code: ScrapeErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}
