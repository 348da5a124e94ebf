import type { AlertingRule } from './alerting_rule.ts';
import type { RecordingRule } from './recording_rule.ts';

/** What a rule group is made of. */
export type Rule = AlertingRule | RecordingRule;
