/** What an operator can get wrong in discovery. */
import { CodedError } from '../base/index.ts';

/** A list of target groups (file, HTTP answer) that is not one. */
export class BadTargetsError extends CodedError {
  override readonly name = 'BadTargetsError';
  constructor(message: string, options?: { cause?: unknown }) {
    super('bad_target_groups', message, options);
  }
}
