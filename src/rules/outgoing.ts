/** Alerts on their way out: external labels where absent, then `alert_relabel_configs`, then the wire's form. */
import { type Labels, LabelsBuilder } from '../model/index.ts';
import type { Alert } from './alert.ts';
import type { PostedAlert } from './types.ts';

export interface OutgoingOptions {
  readonly externalLabels: Labels;
  readonly externalUrl: string;
  /** undefined: the alert is dropped. */
  readonly relabel: (labels: Labels) => Labels | undefined;
}

const isoTime = (timeMs: number): string => new Date(timeMs).toISOString();

/** Link to the expression in this server's own page. */
function generatorUrl(externalUrl: string, expr: string): string {
  const query = new URLSearchParams([['g0.expr', expr]]).toString();
  return `${externalUrl.replace(/\/$/, '')}/graph?${query}&g0.tab=1`;
}

/** undefined when relabeling dropped it. */
export function postedAlert(alert: Alert, expr: string, options: OutgoingOptions): PostedAlert | undefined {
  const builder = new LabelsBuilder(alert.labels);
  for (const [name, value] of options.externalLabels) if (builder.get(name) === '') builder.set(name, value);
  const labels = options.relabel(builder.labels());
  if (labels === undefined) return undefined;
  return {
    labels: labels.toRecord(),
    annotations: alert.annotations,
    startsAt: isoTime(alert.firedAtMs ?? alert.activeAtMs),
    endsAt: isoTime(alert.resolvedAtMs ?? alert.validUntilMs ?? alert.activeAtMs),
    generatorURL: generatorUrl(options.externalUrl, expr),
  };
}
