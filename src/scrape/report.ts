/**
 * The series that every scrape writes about itself. They carry the target's labels only and no relabeling
 * touches them, so that `up` is there whatever the target exposes.
 */
import { type Labels, LabelsBuilder, metricNameLabel } from '../model/index.ts';

export interface ScrapeReport {
  readonly isUp: boolean;
  readonly durationMs: number;
  readonly scraped: number;
  readonly kept: number;
  readonly seriesAdded: number;
  /** Uncompressed; 0 when the scrape failed, -1 when it was too large. */
  readonly bodyBytes: number;
}

export interface ReportLimits {
  readonly timeoutMs: number;
  readonly sampleLimit: number;
}

type Measure = (report: ScrapeReport, limits: ReportLimits) => number;

const measures: readonly (readonly [string, Measure])[] = [
  ['up', (report) => (report.isUp ? 1 : 0)],
  ['scrape_duration_seconds', (report) => report.durationMs / 1000],
  ['scrape_samples_scraped', (report) => report.scraped],
  ['scrape_samples_post_metric_relabeling', (report) => report.kept],
  ['scrape_series_added', (report) => report.seriesAdded],
];

const extraMeasures: readonly (readonly [string, Measure])[] = [
  ['scrape_timeout_seconds', (_, limits) => limits.timeoutMs / 1000],
  ['scrape_sample_limit', (_, limits) => limits.sampleLimit],
  ['scrape_body_size_bytes', (report) => report.bodyBytes],
];

export class ReportSeries {
  readonly #series: readonly (readonly [Labels, Measure])[];
  readonly #limits: ReportLimits;

  /** `withExtra`: the feature `extra-scrape-metrics`. */
  constructor(targetLabels: Labels, limits: ReportLimits, withExtra: boolean) {
    this.#limits = limits;
    this.#series = (withExtra ? [...measures, ...extraMeasures] : measures).map(([name, measure]) => [
      new LabelsBuilder(targetLabels).set(metricNameLabel, name).labels(),
      measure,
    ]);
  }

  /** The series are numbered by the order in which they are always written. */
  write(report: ScrapeReport, add: (index: number, labels: Labels, value: number) => void): void {
    for (const [index, [labels, measure]] of this.#series.entries()) {
      add(index, labels, measure(report, this.#limits));
    }
  }

  writeStale(addStale: (index: number, labels: Labels) => void): void {
    for (const [index, [labels]] of this.#series.entries()) addStale(index, labels);
  }
}
