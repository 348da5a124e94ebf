import { CodedError } from '../base/index.ts';

export class DuplicateAlertLabelsError extends CodedError {
  override readonly name = 'DuplicateAlertLabelsError';
  constructor() {
    super(
      'duplicate_alert_labels',
      'vector contains metrics with the same labelset after applying alert labels',
    );
  }
}

export class DuplicateRecordingLabelsError extends CodedError {
  override readonly name = 'DuplicateRecordingLabelsError';
  constructor() {
    super(
      'duplicate_recording_labels',
      'vector contains metrics with the same labelset after applying rule labels',
    );
  }
}

export class RuleLimitError extends CodedError {
  override readonly name = 'RuleLimitError';
  constructor(limit: number, count: number, what: 'alerts' | 'series') {
    super('rule_limit', `exceeded limit of ${limit} with ${count} ${what}`);
  }
}

/** The rule's query could not see all data; the rule keeps its state. */
export class PartialDataError extends CodedError {
  override readonly name = 'PartialDataError';
  constructor(warnings: readonly string[]) {
    const why = warnings.length > 0 ? `: ${warnings.join('; ')}` : '';
    super('partial_data', `query answer is incomplete, the rule holds its state${why}`);
  }
}

export class SnapshotFormatError extends CodedError {
  override readonly name = 'SnapshotFormatError';
  constructor(reason: string) {
    super('rule_snapshot_format', `rule group snapshot cannot be read: ${reason}`);
  }
}
