/**
 * From a discovered label set to a target: the job's defaults, relabeling, and the checks that decide whether
 * there is something to scrape. The special labels (`__address__`, `__scheme__`, ...) steer the scrape and are
 * what relabeling rules may rewrite.
 */
import { errorText } from '../base/index.ts';
import { formatDuration, Labels, LabelsBuilder, parseDuration } from '../model/index.ts';
import type { ScrapeConfig } from './config_types.ts';
import { ScrapeError } from './errors.ts';
import { Relabeler } from './relabel.ts';

const addressLabel = '__address__';
const schemeLabel = '__scheme__';
const metricsPathLabel = '__metrics_path__';
const scrapeIntervalLabel = '__scrape_interval__';
const scrapeTimeoutLabel = '__scrape_timeout__';
const paramLabelPrefix = '__param_';
const metaLabelPrefix = '__meta_';
const reservedLabelPrefix = '__';

export interface Target {
  readonly kind: 'target';
  /** As found, with the job's defaults, before relabeling. */
  readonly discoveredLabels: Labels;
  /** After relabeling, without `__meta_*`, with the other special labels. Identifies the target in its job. */
  readonly labels: Labels;
  /** What its series carry: `labels` without names that begin with `__`. */
  readonly publicLabels: Labels;
  readonly url: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

export interface DroppedTarget {
  readonly kind: 'dropped';
  readonly discoveredLabels: Labels;
}

export interface InvalidTarget {
  readonly kind: 'invalid';
  readonly discoveredLabels: Labels;
  readonly error: ScrapeError;
}

export type TargetOrDropped = Target | DroppedTarget | InvalidTarget;

/** The discovered labels and the job's defaults where they are absent. */
function populateDiscoveredLabels(discovered: Labels, config: ScrapeConfig): Labels {
  const builder = new LabelsBuilder(discovered);
  const setDefault = (name: string, value: string): void => {
    if (builder.get(name) === '') builder.set(name, value);
  };
  setDefault('job', config.jobName);
  setDefault(scrapeIntervalLabel, formatDuration(config.scrapeIntervalMs));
  setDefault(scrapeTimeoutLabel, formatDuration(config.scrapeTimeoutMs));
  setDefault(metricsPathLabel, config.metricsPath);
  setDefault(schemeLabel, config.scheme);
  for (const [name, values] of Object.entries(config.params)) {
    const first = values[0];
    if (first !== undefined) setDefault(paramLabelPrefix + name, first);
  }
  return builder.labels();
}

/**
 * The target that `discovered` (its own labels over its group's) becomes in a job. For many targets of a job
 * pass its `Relabeler` of `relabelConfigs`, compiled once.
 */
export function populateTarget(
  discovered: Labels,
  config: ScrapeConfig,
  relabeler: Relabeler = new Relabeler(config.relabelConfigs, config.metricNameValidationScheme),
): TargetOrDropped {
  const discoveredLabels = populateDiscoveredLabels(discovered, config);
  const builder = new LabelsBuilder(discoveredLabels);
  if (!relabeler.apply(builder)) return { kind: 'dropped', discoveredLabels };
  try {
    return { kind: 'target', discoveredLabels, ...checkedTarget(builder, config) };
  } catch (error) {
    if (!(error instanceof ScrapeError)) throw error;
    return { kind: 'invalid', discoveredLabels, error };
  }
}

function checkedTarget(
  builder: LabelsBuilder,
  config: ScrapeConfig,
): Pick<Target, 'labels' | 'publicLabels' | 'url' | 'intervalMs' | 'timeoutMs'> {
  const address = builder.get(addressLabel);
  if (address === '') throw new ScrapeError('target', 'no address');
  if (address.includes('/')) {
    throw new ScrapeError('target', `"${address}" is not a valid hostname`);
  }
  const interval = builder.get(scrapeIntervalLabel);
  const timeout = builder.get(scrapeTimeoutLabel);
  const intervalMs = durationLabel(interval, 'scrape interval');
  const timeoutMs = durationLabel(timeout, 'scrape timeout');
  if (timeoutMs > intervalMs) {
    throw new ScrapeError(
      'target',
      `scrape timeout cannot be greater than scrape interval ("${timeout}" > "${interval}")`,
    );
  }
  for (const [name, value] of [...builder.entries()]) {
    if (name.startsWith(metaLabelPrefix)) builder.delete(name);
    else if (!value.isWellFormed()) throw new ScrapeError('target', `invalid label value for "${name}"`);
  }
  if (builder.get('instance') === '') builder.set('instance', address);
  const labels = builder.labels();
  return { labels, publicLabels: publicOf(labels), url: targetUrl(labels, config), intervalMs, timeoutMs };
}

function durationLabel(text: string, what: string): number {
  let durationMs: number;
  try {
    durationMs = parseDuration(text);
  } catch (cause) {
    throw new ScrapeError('target', `error parsing ${what}: ${errorText(cause)}`, { cause });
  }
  if (durationMs === 0) throw new ScrapeError('target', `${what} cannot be 0`);
  return durationMs;
}

function publicOf(labels: Labels): Labels {
  const flat: string[] = [];
  for (const [name, value] of labels) if (!name.startsWith(reservedLabelPrefix)) flat.push(name, value);
  return Labels.fromSortedFlat(flat);
}

/** Scheme, address, path and parameters; a `__param_x` label replaces the first configured value of x. */
function targetUrl(labels: Labels, config: ScrapeConfig): string {
  const params = new Map<string, string[]>();
  for (const [name, values] of Object.entries(config.params)) params.set(name, [...values]);
  for (const [name, value] of labels) {
    if (!name.startsWith(paramLabelPrefix)) continue;
    const key = name.slice(paramLabelPrefix.length);
    const values = params.get(key);
    if (values === undefined || values.length === 0) params.set(key, [value]);
    else values[0] = value;
  }
  const query = [...params.keys()]
    .sort()
    .flatMap((key) => (params.get(key) ?? []).map((value) => `${escapeQuery(key)}=${escapeQuery(value)}`))
    .join('&');
  const path = labels.get(metricsPathLabel);
  const scheme = labels.get(schemeLabel);
  const origin = `${scheme === '' ? '' : `${scheme}:`}//${escapeHost(labels.get(addressLabel))}`;
  const slash = path === '' || path.startsWith('/') ? '' : '/';
  return `${origin}${slash}${escapePath(path)}${query === '' ? '' : `?${query}`}`;
}

// As Go writes URLs, so that a target is shown as Prometheus shows it. What makes no URL fails when it is scraped.
const escapeQuery = (text: string): string => escapeOthers(text, /[^A-Za-z0-9\-_.~ ]/gu).replaceAll(' ', '+');
const escapePath = (text: string): string => escapeOthers(text, /[^A-Za-z0-9\-_.~$&+,/:;=@]/gu);
const escapeHost = (text: string): string => escapeOthers(text, /[^A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/gu);

function escapeOthers(text: string, others: RegExp): string {
  return text.replace(others, (char) =>
    [...new TextEncoder().encode(char)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}
