/**
 * OTLP metrics as a write batch, series for series as Prometheus 3.5 makes them (its storage/remote/otlptranslator, which
 * is the collector's prometheusremotewrite translator).
 */
import {
  exemplarLabels,
  type FloatHistogram,
  formatFloat,
  HistogramError,
  type Labels,
  setStaleNaN,
  type WriteBatch,
  WriteBatchBuilder,
} from '../../model/index.ts';
import {
  type LabelRules,
  ResourceLabels,
  seriesLabels,
  serviceInstance,
  serviceName,
  serviceNamespace,
} from './labels.ts';
import {
  type Attributes,
  type HistogramPoint,
  type NumberPoint,
  type OtlpData,
  type OtlpExemplar,
  type OtlpMetric,
  type OtlpResource,
  type OtlpScope,
  type SummaryPoint,
  Temporality,
} from './model.ts';
import { metricName } from './names.ts';
import { fromExplicit, fromExponential } from './native.ts';

export interface OtlpRules extends LabelRules {
  readonly keepIdentifyingAttributes: boolean;
  /** Histograms become native ones with custom buckets. */
  readonly convertToNhcb: boolean;
  /** Delta temporality is taken as it is (otlp-native-delta-ingestion). */
  readonly allowDelta: boolean;
}

export interface TranslatedOtlp {
  readonly batch: WriteBatch;
  /** Samples that were refused here, and metrics that can't be taken; `firstError` tells why. */
  readonly refused: number;
  readonly firstError?: string;
}

const identifying: readonly string[] = [serviceNamespace, serviceName, serviceInstance];
/** Beyond it an exemplar's attributes are left out, the ids are not (OpenMetrics 1.0, "Exemplars"). */
const exemplarCharactersMax = 128;

export function translateOtlp(resources: readonly OtlpResource[], rules: OtlpRules): TranslatedOtlp {
  const translator = new Translator(rules);
  for (const resource of resources) translator.addResource(resource);
  return translator.finish();
}

class Translator {
  readonly #rules: OtlpRules;
  readonly #builder = new WriteBatchBuilder();
  readonly #value = new Float64Array(1);
  readonly #stale = new Float64Array(1);
  #refused = 0;
  #firstError: string | undefined;

  constructor(rules: OtlpRules) {
    this.#rules = rules;
    setStaleNaN(this.#stale, 0);
  }

  finish(): TranslatedOtlp {
    const done = { batch: this.#builder.finish(), refused: this.#refused };
    return this.#firstError === undefined ? done : { ...done, firstError: this.#firstError };
  }

  addResource({ attributes, scopes }: OtlpResource): void {
    const labels = new ResourceLabels(attributes, this.#rules);
    let newestMs = 0;
    for (const scope of scopes) {
      for (const metric of scope.metrics) {
        for (const { timestampMs } of metric.data?.points ?? []) newestMs = Math.max(newestMs, timestampMs);
        this.#addMetric(metric, labels, scope);
      }
    }
    this.#addTargetInfo(attributes, labels, newestMs);
  }

  /** What is known of a resource beside its identity, as a series. */
  #addTargetInfo(attributes: Attributes, labels: ResourceLabels, newestMs: number): void {
    const others = attributes.filter(([key]) => !identifying.includes(key));
    if (newestMs === 0 || others.length === 0) return;
    const kept = this.#rules.keepIdentifyingAttributes ? attributes : others;
    const base = labels.ofTarget(kept);
    if (!labels.isIdentified && !base.has('job') && !base.has('instance')) return;
    this.#add(seriesLabels(base, 'target_info'), newestMs, 1, false);
  }

  #addMetric(metric: OtlpMetric, resource: ResourceLabels, scope: OtlpScope): void {
    const { data } = metric;
    if (data === undefined) {
      this.#refuse(`metric ${JSON.stringify(metric.name)} has an unsupported type`);
      return;
    }
    if (!this.#takes(data)) {
      this.#refuse(`invalid temporality and type combination for metric ${JSON.stringify(metric.name)}`);
      return;
    }
    const name = metricName(metric, this.#rules);
    const { description: help, unit } = metric;
    if (name !== '') this.#builder.addMetadata({ metric: name, type: typeOf(data), help, unit });
    const labelsOf = ({ attributes }: { readonly attributes: Attributes }): Map<string, string> =>
      resource.ofPoint(attributes, scope);
    switch (data.kind) {
      case 'gauge':
      case 'sum':
        for (const point of data.points) this.#addNumber(point, labelsOf(point), name, data.kind);
        break;
      case 'histogram':
        for (const point of data.points) this.#addHistogram(point, labelsOf(point), name, isDelta(data));
        break;
      case 'exponential':
        for (const point of data.points) {
          this.#addNative(point, seriesLabels(labelsOf(point), name), () =>
            fromExponential(point, isDelta(data)),
          );
        }
        break;
      case 'summary':
        for (const point of data.points) this.#addSummary(point, labelsOf(point), name);
    }
  }

  /** Cumulative values are what series are made of; others only where the user wants them. */
  #takes(data: OtlpData): boolean {
    if (data.kind === 'gauge' || data.kind === 'summary') return true;
    return data.temporality === Temporality.Cumulative || (this.#rules.allowDelta && isDelta(data));
  }

  #addNumber(point: NumberPoint, base: Map<string, string>, name: string, kind: 'gauge' | 'sum'): void {
    const labels = seriesLabels(base, name);
    this.#add(labels, point.timestampMs, point.value, point.isStale);
    if (kind === 'sum') for (const exemplar of point.exemplars) this.#addExemplar(labels, exemplar);
  }

  #addHistogram(point: HistogramPoint, base: Map<string, string>, name: string, delta: boolean): void {
    if (this.#rules.convertToNhcb) {
      this.#addNative(point, seriesLabels(base, name), () => fromExplicit(point, delta));
      return;
    }
    const { timestampMs, isStale, bucketCounts, explicitBounds } = point;
    if (point.sum !== undefined)
      this.#add(seriesLabels(base, `${name}_sum`), timestampMs, point.sum, isStale);
    this.#add(seriesLabels(base, `${name}_count`), timestampMs, point.count, isStale);
    const buckets: { bound: number; labels: Labels | undefined }[] = [];
    let cumulative = 0;
    const addBucket = (bound: number, le: string, count: number): void => {
      const labels = seriesLabels(base, `${name}_bucket`, ['le', le]);
      this.#add(labels, timestampMs, count, isStale);
      buckets.push({ bound, labels });
    };
    for (const [i, bound] of explicitBounds.slice(0, bucketCounts.length).entries()) {
      cumulative += bucketCounts[i] as number;
      addBucket(bound, formatFloat(bound), cumulative);
    }
    addBucket(Number.POSITIVE_INFINITY, '+Inf', point.count);
    buckets.sort((a, b) => a.bound - b.bound);
    for (const exemplar of point.exemplars) {
      this.#addExemplar(buckets.find(({ bound }) => exemplar.value <= bound)?.labels, exemplar);
    }
  }

  #addNative(
    point: Pick<HistogramPoint, 'timestampMs' | 'exemplars'>,
    labels: Labels | undefined,
    build: () => FloatHistogram,
  ): void {
    let histogram: FloatHistogram;
    try {
      histogram = build();
    } catch (error) {
      if (!(error instanceof HistogramError)) throw error;
      this.#refuse(error.message);
      return;
    }
    if (labels === undefined) this.#refuseLabels();
    else this.#builder.addHistogram(labels, point.timestampMs, histogram);
    for (const exemplar of point.exemplars) this.#addExemplar(labels, exemplar);
  }

  #addSummary(point: SummaryPoint, base: Map<string, string>, name: string): void {
    const { timestampMs, isStale } = point;
    this.#add(seriesLabels(base, `${name}_sum`), timestampMs, point.sum, isStale);
    this.#add(seriesLabels(base, `${name}_count`), timestampMs, point.count, isStale);
    for (const { quantile, value } of point.quantiles) {
      const labels = seriesLabels(base, name, ['quantile', formatFloat(quantile)]);
      this.#add(labels, timestampMs, value, isStale);
    }
  }

  #add(labels: Labels | undefined, timestampMs: number, value: number, isStale: boolean): void {
    if (labels === undefined) {
      this.#refuseLabels();
      return;
    }
    this.#value[0] = value;
    this.#builder.addFrom(labels, timestampMs, isStale ? this.#stale : this.#value, 0);
  }

  /** One that can't be stored is left out. */
  #addExemplar(series: Labels | undefined, exemplar: OtlpExemplar): void {
    const { traceId, spanId, attributes, value, timestampMs } = exemplar;
    const ids = [
      ...(traceId === '' ? [] : ['trace_id', traceId]),
      ...(spanId === '' ? [] : ['span_id', spanId]),
    ];
    const all = [...ids, ...attributes.flat()];
    const labels = exemplarLabels(charactersOf(all) <= exemplarCharactersMax ? all : ids);
    if (series !== undefined && labels !== undefined) {
      this.#builder.addExemplar(series, { labels, value, timestampMs });
    }
  }

  #refuseLabels(): void {
    this.#refuse('a series has labels that are not valid');
  }

  #refuse(reason: string): void {
    this.#refused++;
    this.#firstError ??= reason;
  }
}

function charactersOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + [...text].length, 0);
}

function isDelta(data: OtlpData): boolean {
  return 'temporality' in data && data.temporality === Temporality.Delta;
}

/** Of delta metrics Prometheus says nothing, for there is no type for them. */
function typeOf(data: OtlpData): string {
  if (isDelta(data)) return 'unknown';
  if (data.kind === 'sum') return data.isMonotonic ? 'counter' : 'gauge';
  return data.kind === 'exponential' ? 'histogram' : data.kind;
}
