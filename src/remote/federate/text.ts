/** Federated samples in the text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */
import {
  type EscapingScheme,
  escapeName,
  formatFloatG,
  isValidLabelName,
  isValidMetricName,
} from '../../model/index.ts';
import type { Family } from './families.ts';

const special = /[\\"\n]/g;
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

function quoted(text: string): string {
  return `"${text.replace(special, (char) => escapes[char] as string)}"`;
}

/** Go's %g for what Prometheus exposes. */
function valueText(value: number): string {
  if (value === 0) return '0';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return Number.isNaN(value) ? 'NaN' : formatFloatG(value);
}

/** Native histograms have no form here and are left out, as with Prometheus. */
export function federateText(families: Iterable<Family>, escaping: EscapingScheme): string {
  const lines: string[] = [];
  for (const { name, kind, samples } of families) {
    if (kind !== 'untyped') continue;
    const metric = escapeName(name, escaping);
    const isClassic = isValidMetricName(metric, 'legacy');
    const shown = isClassic ? metric : quoted(metric);
    lines.push(`# TYPE ${shown} untyped\n`);
    for (const { labels, timestampMs, value } of samples) {
      const pairs = isClassic ? [] : [shown];
      for (let i = 0; i < labels.length; i += 2) {
        const label = escapeName(labels[i] as string, escaping);
        const labelText = isValidLabelName(label, 'legacy') ? label : quoted(label);
        pairs.push(`${labelText}=${quoted(labels[i + 1] as string)}`);
      }
      const braces = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
      lines.push(`${isClassic ? metric : ''}${braces} ${valueText(value)} ${timestampMs}\n`);
    }
  }
  return lines.join('');
}
