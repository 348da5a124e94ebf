/** What a user can get wrong in the vocabulary: a pattern, a duration, a histogram. Each with a stable code. */
import { CodedError } from '../base/index.ts';

/** A regular expression that RE2 does not accept. */
export class BadRegexError extends CodedError {
  override readonly name = 'BadRegexError';
  readonly pattern: string;
  constructor(pattern: string, message: string, options?: { cause?: unknown }) {
    super('bad_regex', message, options);
    this.pattern = pattern;
  }
}

/** A text that is no Prometheus duration, or one beyond 292 years. */
export class DurationError extends CodedError {
  override readonly name = 'DurationError';
  constructor(message: string, options?: { cause?: unknown }) {
    super('bad_duration', message, options);
  }
}

/** A histogram that contradicts itself, or an operation on two that do not go together. */
export class HistogramError extends CodedError {
  override readonly name = 'HistogramError';
}
