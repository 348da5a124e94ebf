/**
 * What /federate answers: of each selected series the newest sample within the lookback, unless that is a staleness
 * marker, with the external labels that the series has not itself, in families of one name and kind.
 */
import {
  CounterResetHint,
  type FloatHistogram,
  isStaleNaN,
  metricNameLabel,
  type SeriesColumns,
} from '../../model/index.ts';

export type FamilyKind = 'untyped' | 'histogram' | 'gaugeHistogram';

export interface FederateSample {
  /** Without the metric name: name, value, name, value...; external ones last. */
  readonly labels: readonly string[];
  readonly timestampMs: number;
  readonly value: number;
  readonly histogram: FloatHistogram | undefined;
}

export interface Family {
  readonly name: string;
  readonly kind: FamilyKind;
  readonly samples: readonly FederateSample[];
}

const instanceLabel = 'instance';

/** `series` are sorted by labels; those without a name are left out. `hasHistograms`: whether the format can carry them. */
export function federateFamilies(
  series: readonly SeriesColumns[],
  externalLabels: Readonly<Record<string, string>>,
  hasHistograms: boolean,
): Family[] {
  // A federating server must not take its own `instance` for that of a series that has none.
  const external = Object.entries({ [instanceLabel]: '', ...externalLabels }).sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const named: { name: string; kind: FamilyKind; sample: FederateSample }[] = [];
  for (const { labels, timestamps, values, histograms } of series) {
    const last = timestamps.length - 1;
    const name = labels.metricName;
    const histogram = histograms?.[last] ?? undefined;
    if (last < 0 || name === '' || isStale(values, last, histogram)) continue;
    if (histogram !== undefined && !hasHistograms) continue;
    const sample = {
      labels: withExternal(labels.flat, external),
      timestampMs: timestamps[last] as number,
      value: values[last] as number,
      histogram,
    };
    named.push({ name, kind: kindOf(histogram), sample });
  }
  // By name alone: within a name they stay as they are, by all labels.
  named.sort((a, b) => (a.name === b.name ? 0 : a.name < b.name ? -1 : 1));
  const families: { name: string; kind: FamilyKind; samples: FederateSample[] }[] = [];
  for (const { name, kind, sample } of named) {
    const current = families.at(-1);
    if (current?.name === name && current.kind === kind) current.samples.push(sample);
    else families.push({ name, kind, samples: [sample] });
  }
  return families;
}

function isStale(values: Float64Array, at: number, histogram: FloatHistogram | undefined): boolean {
  return histogram === undefined ? isStaleNaN(values, at) : histogram.isStale;
}

function kindOf(histogram: FloatHistogram | undefined): FamilyKind {
  if (histogram === undefined) return 'untyped';
  return histogram.counterResetHint === CounterResetHint.Gauge ? 'gaugeHistogram' : 'histogram';
}

function withExternal(flat: readonly string[], external: readonly (readonly [string, string])[]): string[] {
  const labels: string[] = [];
  const own = new Set<string>();
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] as string;
    if (name === metricNameLabel) continue;
    labels.push(name, flat[i + 1] as string);
    own.add(name);
  }
  for (const [name, value] of external) if (!own.has(name)) labels.push(name, value);
  return labels;
}
