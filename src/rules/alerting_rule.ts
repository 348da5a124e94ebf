/**
 * An alerting rule: inactive → pending (while `for` lasts) → firing → resolved, per label set that the
 * expression returns. Its state is also written as series: `ALERTS{alertstate}` = 1 and `ALERTS_FOR_STATE` =
 * when it became active, in seconds, from which a restarted rule restores how long it has been pending.
 */
import { errorText } from '../base/index.ts';
import { Labels, LabelsBuilder, metricNameLabel } from '../model/index.ts';
import {
  type CompiledTemplate,
  compileTemplate,
  type PrometheusTemplateDeps,
  prometheusFunctions,
  prometheusFunctionsForCheck,
  TemplateMap,
  TemplateStruct,
  type TemplateValue,
} from '../template/index.ts';
import { type Alert, type AlertState, needsSending, resolvedRetentionMs } from './alert.ts';
import type { RuleConfig } from './config.ts';
import { DuplicateAlertLabelsError, PartialDataError, RuleLimitError } from './errors.ts';
import { RuleStatus } from './rule_status.ts';
import type { PartialDataPolicy, QueryFunc, VectorSample } from './types.ts';

export const alertNameLabel = 'alertname';
const alertStateLabel = 'alertstate';
export const alertsMetric = 'ALERTS';
export const alertsForStateMetric = 'ALERTS_FOR_STATE';

/** Variables that every label and annotation finds set. */
export const templateVariables: readonly string[] = ['labels', 'externalLabels', 'externalURL', 'value'];

export interface AlertingRuleOptions {
  readonly config: RuleConfig;
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly externalLabels: Labels;
  readonly externalUrl: string;
}

export interface EvaluationContext {
  readonly timeMs: number;
  readonly queryOffsetMs: number;
  /** 0: none. */
  readonly limit: number;
  readonly query: QueryFunc;
  readonly partialData: PartialDataPolicy;
  readonly signal: AbortSignal;
}

/** A label or annotation; a text that doesn't compile expands to its error, as any failing template does. */
interface ExpandableText {
  readonly name: string;
  readonly template: CompiledTemplate | undefined;
  readonly compileError: string;
}

function compileText(rule: string, name: string, text: string): ExpandableText {
  const templateName = `__alert_${rule}`;
  try {
    const template = compileTemplate(text, prometheusFunctionsForCheck, {
      name: templateName,
      variables: templateVariables,
    });
    return { name, template, compileError: '' };
  } catch (error) {
    return {
      name,
      template: undefined,
      compileError: `error parsing template ${templateName}: ${errorText(error)}`,
    };
  }
}

/** The answer's vector. Throws PartialDataError when it is incomplete and the policy is to hold. */
export async function queryVector(
  expr: string,
  context: EvaluationContext,
): Promise<readonly VectorSample[]> {
  const answer = await context.query(expr, context.timeMs - context.queryOffsetMs, context.signal);
  if (answer.incomplete && context.partialData === 'hold') throw new PartialDataError(answer.warnings);
  return answer.vector;
}

export class AlertingRule {
  readonly type = 'alerting';
  readonly name: string;
  readonly config: RuleConfig;
  /** Group labels under the rule's own, unexpanded. */
  readonly labels: Labels;
  readonly status: RuleStatus = new RuleStatus();
  /** Until the `for` state was restored no series are written, or they would overwrite what is to be read. */
  restored = true;
  readonly #options: AlertingRuleOptions;
  readonly #labelTexts: readonly ExpandableText[];
  readonly #annotationTexts: readonly ExpandableText[];
  #active = new Map<string, Alert>();

  constructor(options: AlertingRuleOptions) {
    const { config } = options;
    this.#options = options;
    this.name = config.alert;
    this.config = config;
    this.labels = Labels.fromRecord({ ...options.groupLabels, ...config.labels });
    this.#labelTexts = [...this.labels].map(([name, text]) => compileText(config.alert, name, text));
    this.#annotationTexts = Object.entries(config.annotations).map(([name, text]) =>
      compileText(config.alert, name, text),
    );
  }

  /** All alerts, resolved ones that are still kept included. */
  get alerts(): readonly Alert[] {
    return [...this.#active.values()];
  }

  replaceAlerts(alerts: Iterable<Alert>): void {
    this.#active = new Map();
    for (const alert of alerts) this.#active.set(alert.labels.key(), alert);
  }

  /** The worst state of its alerts; unknown before the first evaluation. */
  get state(): AlertState | 'unknown' {
    if (this.status.lastEvaluationMs === undefined) return 'unknown';
    let worst: AlertState = 'inactive';
    for (const alert of this.#active.values()) {
      if (alert.state === 'firing') return 'firing';
      if (alert.state === 'pending') worst = 'pending';
    }
    return worst;
  }

  /**
   * Moves every alert on and returns the samples to write, timestamped by the caller. The state is untouched
   * when the query fails or its answer is incomplete (then throws PartialDataError).
   */
  async evaluate(context: EvaluationContext): Promise<VectorSample[]> {
    const vector = await queryVector(this.config.expr, context);
    const found = await this.#foundAlerts(vector, context);
    for (const [key, alert] of found) {
      const known = this.#active.get(key);
      if (known !== undefined && known.state !== 'inactive') {
        known.value = alert.value;
        known.annotations = alert.annotations;
      } else {
        this.#active.set(key, alert);
      }
    }
    const samples: VectorSample[] = [];
    let activeCount = 0;
    for (const [key, alert] of this.#active) {
      if (!this.#advance(key, alert, found.has(key), context.timeMs)) continue;
      activeCount++;
      if (this.restored) samples.push(...this.#samples(alert));
    }
    if (context.limit > 0 && activeCount > context.limit) {
      this.#active.clear();
      throw new RuleLimitError(context.limit, activeCount, 'alerts');
    }
    return samples;
  }

  async #foundAlerts(
    vector: readonly VectorSample[],
    context: EvaluationContext,
  ): Promise<Map<string, Alert>> {
    const found = new Map<string, Alert>();
    for (const sample of vector) {
      const alert = await this.#newAlert(sample, context);
      const key = alert.labels.key();
      if (found.has(key)) throw new DuplicateAlertLabelsError();
      found.set(key, alert);
    }
    return found;
  }

  async #newAlert(sample: VectorSample, context: EvaluationContext): Promise<Alert> {
    const expand = this.#expander(sample, context);
    const builder = new LabelsBuilder(sample.labels).delete(metricNameLabel);
    for (const text of this.#labelTexts) builder.set(text.name, await expand(text));
    builder.set(alertNameLabel, this.name);
    const annotations: [string, string][] = [];
    for (const text of this.#annotationTexts) annotations.push([text.name, await expand(text)]);
    return {
      labels: builder.labels(),
      // Not by assignment, which for a name like __proto__ means something else.
      annotations: Object.fromEntries(annotations),
      state: 'pending',
      value: sample.value,
      activeAtMs: context.timeMs,
      firedAtMs: undefined,
      resolvedAtMs: undefined,
      lastSentAtMs: undefined,
      validUntilMs: undefined,
      keepFiringSinceMs: undefined,
    };
  }

  #expander(sample: VectorSample, context: EvaluationContext): (text: ExpandableText) => Promise<string> {
    const { externalLabels, externalUrl } = this.#options;
    const labels = TemplateMap.ofStrings(sample.labels);
    const external = TemplateMap.ofStrings(externalLabels);
    const data = new TemplateStruct('AlertTemplateData', {
      Labels: labels,
      ExternalLabels: external,
      ExternalURL: externalUrl,
      Value: sample.value,
    });
    const variables: Record<string, TemplateValue> = {
      labels,
      externalLabels: external,
      externalURL: externalUrl,
      value: sample.value,
    };
    const deps: PrometheusTemplateDeps = {
      externalUrl,
      timeMs: context.timeMs,
      query: async (expr) => (await context.query(expr, context.timeMs, context.signal)).vector,
    };
    const functions = prometheusFunctions(deps);
    return async (text) => {
      if (text.template === undefined) return `<error expanding template: ${text.compileError}>`;
      try {
        return await text.template.execute(data, { variables, functions, signal: context.signal });
      } catch (error) {
        context.signal.throwIfAborted();
        return `<error expanding template: error executing template ${text.template.name}: ${errorText(error)}>`;
      }
    };
  }

  /** One step of one alert's life; whether it is pending or firing afterwards. */
  #advance(key: string, alert: Alert, found: boolean, timeMs: number): boolean {
    const { forMs } = this.config;
    if (found) alert.keepFiringSinceMs = undefined;
    else if (!this.#keepsFiring(alert, timeMs)) {
      this.#resolve(key, alert, timeMs);
      return false;
    }
    if (alert.state === 'pending' && timeMs - alert.activeAtMs >= forMs) {
      alert.state = 'firing';
      alert.firedAtMs = timeMs;
    } else if (alert.state === 'firing' && timeMs - alert.activeAtMs < forMs) {
      // `for` has been lengthened, or the restored activation lies later.
      alert.state = 'pending';
      alert.firedAtMs = undefined;
      alert.lastSentAtMs = undefined;
      alert.keepFiringSinceMs = undefined;
    }
    return true;
  }

  #keepsFiring(alert: Alert, timeMs: number): boolean {
    const { keepFiringForMs } = this.config;
    if (alert.state !== 'firing' || keepFiringForMs === 0) return false;
    alert.keepFiringSinceMs ??= timeMs;
    return timeMs - alert.keepFiringSinceMs < keepFiringForMs;
  }

  #resolve(key: string, alert: Alert, timeMs: number): void {
    const expired = alert.resolvedAtMs !== undefined && timeMs - alert.resolvedAtMs > resolvedRetentionMs;
    if (alert.state === 'pending' || expired) this.#active.delete(key);
    if (alert.state !== 'inactive') {
      alert.state = 'inactive';
      alert.resolvedAtMs = timeMs;
    }
  }

  #samples(alert: Alert): VectorSample[] {
    const state = new LabelsBuilder(alert.labels)
      .set(metricNameLabel, alertsMetric)
      .set(alertNameLabel, this.name)
      .set(alertStateLabel, alert.state);
    const forState = new LabelsBuilder(alert.labels)
      .set(metricNameLabel, alertsForStateMetric)
      .set(alertNameLabel, this.name);
    return [
      { labels: state.labels(), value: 1 },
      { labels: forState.labels(), value: Math.floor(alert.activeAtMs / 1000) },
    ];
  }

  /**
   * Alerts to send now, each with a fresh end of validity: two evaluations or deliveries may fail before the
   * receiver takes it for resolved.
   */
  alertsToSend(timeMs: number, resendDelayMs: number, intervalMs: number): Alert[] {
    const due = this.alerts.filter((alert) => needsSending(alert, timeMs, resendDelayMs));
    for (const alert of due) alert.validUntilMs = timeMs + 4 * Math.max(intervalMs, resendDelayMs);
    return due;
  }
}
