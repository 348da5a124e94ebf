import { CodedError } from '../base/index.ts';

/** The executor knows a newer shard table in which the asked shards have moved; ask again by that table. */
export class StaleTableError extends CodedError {
  override readonly name = 'StaleTableError';
  readonly asked: number;
  readonly known: number;

  constructor(asked: number, known: number) {
    super('stale_table', `shards were chosen by table version ${asked}, version ${known} has moved them`);
    this.asked = asked;
    this.known = known;
  }
}

/** The answer lacks data and the caller asked for all or nothing. */
export class IncompleteAnswerError extends CodedError {
  override readonly name = 'IncompleteAnswerError';
  readonly errorType = 'unavailable';

  constructor(warnings: readonly string[]) {
    super('incomplete_answer', `the answer would be incomplete: ${warnings.join('; ')}`);
  }
}
