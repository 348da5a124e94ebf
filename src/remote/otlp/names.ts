/**
 * Names of series and labels from those of OpenTelemetry, as prometheus/otlptranslator makes them ("Prometheus and
 * OpenMetrics Compatibility" of the OpenTelemetry specification): units and types become suffixes, other characters
 * underscores, each only where the strategy says so.
 */
import type { OtlpData, OtlpMetric } from './model.ts';

export interface NameRules {
  /** Units and `_total`, `_ratio` are added. */
  readonly withSuffixes: boolean;
  /** Characters that classic names have not stay. */
  readonly allowUtf8: boolean;
  /** A label that begins with one underscore gets `key` before it. */
  readonly sanitizeUnderscore: boolean;
  /** Several underscores in a row stay so in label names. */
  readonly preserveUnderscores: boolean;
}

const units: ReadonlyMap<string, string> = new Map([
  ['d', 'days'],
  ['h', 'hours'],
  ['min', 'minutes'],
  ['s', 'seconds'],
  ['ms', 'milliseconds'],
  ['us', 'microseconds'],
  ['ns', 'nanoseconds'],
  ['By', 'bytes'],
  ['KiBy', 'kibibytes'],
  ['MiBy', 'mebibytes'],
  ['GiBy', 'gibibytes'],
  ['TiBy', 'tibibytes'],
  ['KBy', 'kilobytes'],
  ['MBy', 'megabytes'],
  ['GBy', 'gigabytes'],
  ['TBy', 'terabytes'],
  ['m', 'meters'],
  ['V', 'volts'],
  ['A', 'amperes'],
  ['J', 'joules'],
  ['W', 'watts'],
  ['g', 'grams'],
  ['Cel', 'celsius'],
  ['Hz', 'hertz'],
  ['1', ''],
  ['%', 'percent'],
]);

const perUnits: ReadonlyMap<string, string> = new Map([
  ['s', 'second'],
  ['m', 'minute'],
  ['h', 'hour'],
  ['d', 'day'],
  ['w', 'week'],
  ['mo', 'month'],
  ['y', 'year'],
]);

/** `By/s`: `bytes` and `per_second`; what stands in braces is a remark. */
function unitSuffixes(unit: string): { readonly main: string; readonly per: string } {
  const slash = unit.indexOf('/');
  const mainUnit = (slash < 0 ? unit : unit.slice(0, slash)).trim();
  const perUnit = slash < 0 ? '' : unit.slice(slash + 1).trim();
  const isRemark = (text: string): boolean => text.includes('{') || text.includes('}');
  const main = mainUnit === '' || isRemark(mainUnit) ? '' : (units.get(mainUnit) ?? mainUnit);
  const per = perUnit === '' || isRemark(perUnit) ? '' : (perUnits.get(perUnit) ?? perUnit);
  return { main, per: per === '' ? '' : `per_${per}` };
}

function isCounter(data: OtlpData | undefined): boolean {
  return data?.kind === 'sum' && data.isMonotonic;
}

/** Gauges of unit 1 alone: for counters many give that unit without a ratio in mind. */
function isRatio({ unit, data }: OtlpMetric): boolean {
  return unit === '1' && data?.kind === 'gauge';
}

/** The name of the metric's series, without what histograms and summaries add to it. */
export function metricName(metric: OtlpMetric, { withSuffixes, allowUtf8 }: NameRules): string {
  if (allowUtf8) return withSuffixes ? suffixed(metric) : metric.name;
  const tokens = metric.name.split(withSuffixes ? /[^a-zA-Z0-9:]+/u : /[^a-zA-Z0-9:_]+/u);
  const parts = tokens.filter((token) => token !== '');
  const name = (withSuffixes ? normalized(parts, metric) : parts).join('_');
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

function suffixed(metric: OtlpMetric): string {
  const { main, per } = unitSuffixes(metric.unit);
  const parts = [
    metric.name,
    main,
    per,
    isCounter(metric.data) ? 'total' : '',
    isRatio(metric) ? 'ratio' : '',
  ];
  return [parts[0], ...parts.slice(1).filter((part) => part !== '')].join('_');
}

function cleanUnit(unit: string): string {
  return unit
    .replace(/[^a-zA-Z0-9:]/gu, '_')
    .replace(/__+/g, '_')
    .replace(/^_/, '');
}

function normalized(tokens: readonly string[], metric: OtlpMetric): string[] {
  const suffixes = unitSuffixes(metric.unit);
  let main = cleanUnit(suffixes.main);
  let per = cleanUnit(suffixes.per);
  if (tokens.includes(main)) main = '';
  per = per === 'per_' ? '' : per.replace(/_$/, '');
  if (tokens.includes(per)) per = '';
  if (per !== '') main = main.replace(/_$/, '');
  let parts = [...tokens, main, per].filter((part, i) => i < tokens.length || part !== '');
  const atEnd = (suffix: string): void => {
    parts = [...parts.filter((part) => part !== suffix), suffix];
  };
  if (isCounter(metric.data)) atEnd('total');
  if (isRatio(metric)) atEnd('ratio');
  return parts;
}

/** The name of the label that an attribute becomes. */
export function labelName(key: string, rules: NameRules): string {
  if (rules.allowUtf8 || key === '') return key;
  let name = key.replace(/[^a-zA-Z0-9]/gu, '_');
  if (!rules.preserveUnderscores) name = name.replace(/__+/g, '_');
  if (/^[0-9]/.test(name)) return `key_${name}`;
  return rules.sanitizeUnderscore && /^_(?!_)/.test(name) ? `key${name}` : name;
}
