import { CodedError } from '../base/index.ts';

export class BadSilenceError extends CodedError {
  override readonly name = 'BadSilenceError';
  constructor(reason: string, options?: { cause?: unknown }) {
    super('bad_silence', `invalid silence: ${reason}`, options);
  }
}

export class SilenceNotFoundError extends CodedError {
  override readonly name = 'SilenceNotFoundError';
  constructor(id: string) {
    super('silence_not_found', `silence ${id} not found`);
  }
}

/** A body posted to the API has the wrong form. */
export class BadAlertError extends CodedError {
  override readonly name = 'BadAlertError';
  constructor(reason: string) {
    super('bad_alert', reason);
  }
}

export class LogFormatError extends CodedError {
  override readonly name = 'LogFormatError';
  constructor(reason: string) {
    super('notification_log_format', `notification log snapshot cannot be read: ${reason}`);
  }
}

/** A notification that was not delivered. */
export class NotifyError extends CodedError {
  override readonly name = 'NotifyError';
  readonly reason: FailureReason;
  readonly retry: boolean;

  constructor(reason: FailureReason, retry: boolean, message: string, options?: { cause?: unknown }) {
    super('notify_failed', message, options);
    this.reason = reason;
    this.retry = retry;
  }
}

/** Alertmanager's values of the `reason` label of failed notifications. */
export type FailureReason =
  | 'clientError'
  | 'serverError'
  | 'contextCanceled'
  | 'contextDeadlineExceeded'
  | 'other';
