/** A recording rule: its expression's vector under a new name, with the rule's labels over the result's. */
import { Labels, LabelsBuilder, metricNameLabel } from '../model/index.ts';
import { type EvaluationContext, queryVector } from './alerting_rule.ts';
import type { RuleConfig } from './config.ts';
import { DuplicateRecordingLabelsError, RuleLimitError } from './errors.ts';
import { RuleStatus } from './rule_status.ts';
import type { VectorSample } from './types.ts';

export class RecordingRule {
  readonly type = 'recording';
  readonly name: string;
  readonly config: RuleConfig;
  readonly labels: Labels;
  readonly status: RuleStatus = new RuleStatus();

  constructor(options: { config: RuleConfig; groupLabels: Readonly<Record<string, string>> }) {
    this.config = options.config;
    this.name = options.config.record;
    this.labels = Labels.fromRecord({ ...options.groupLabels, ...options.config.labels });
  }

  /** Throws when two results have the same labels or the limit is exceeded: then nothing is recorded. */
  async evaluate(context: EvaluationContext): Promise<VectorSample[]> {
    const vector = await queryVector(this.config.expr, context);
    const seen = new Set<string>();
    const samples = vector.map(({ labels, ...sample }) => {
      const builder = new LabelsBuilder(labels).set(metricNameLabel, this.name);
      for (const [name, text] of this.labels) builder.set(name, text);
      const recorded = builder.labels();
      seen.add(recorded.key());
      return { ...sample, labels: recorded };
    });
    if (seen.size < samples.length) throw new DuplicateRecordingLabelsError();
    if (context.limit > 0 && samples.length > context.limit) {
      throw new RuleLimitError(context.limit, samples.length, 'series');
    }
    return samples;
  }
}
