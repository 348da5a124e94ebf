/** What the room's tests share: a job's configuration, a sink that remembers, and a loop over a real server. */
import { Registry } from 'prom-client';
import { systemClock } from '../../base/index.ts';
import { decodeUtf8, httpClient, Labels, type WriteBatch } from '../../model/index.ts';
import type { ScrapeConfig } from '../config_types.ts';
import type { ExpositionSink, HistogramSource } from '../exposition/sink.ts';
import { noScrapeFeatures } from '../features.ts';
import { createHttpClient } from '../http_client.ts';
import { ScrapeLoop, type ScrapeLoopDeps } from '../loop.ts';
import { createScrapeMetrics } from '../metrics.ts';
import { Relabeler } from '../relabel.ts';
import { populateTarget, type Target } from '../target.ts';

export const httpDefaults: ScrapeConfig['httpClientConfig'] = httpClient().initial();

const configDefaults: ScrapeConfig = {
  jobName: 'test',
  honorLabels: false,
  honorTimestamps: true,
  trackTimestampsStaleness: false,
  params: {},
  scrapeIntervalMs: 10_000,
  scrapeTimeoutMs: 5_000,
  scrapeProtocols: [
    'OpenMetricsText1.0.0',
    'OpenMetricsText0.0.1',
    'PrometheusText1.0.0',
    'PrometheusText0.0.4',
  ],
  fallbackScrapeProtocol: undefined,
  scrapeNativeHistograms: false,
  extraScrapeMetrics: false,
  features: noScrapeFeatures,
  alwaysScrapeClassicHistograms: false,
  convertClassicHistogramsToNhcb: false,
  scrapeFailureLogFile: '',
  metricsPath: '/metrics',
  scheme: 'http',
  enableCompression: true,
  bodySizeLimitBytes: 0,
  sampleLimit: 0,
  targetLimit: 0,
  labelLimit: 0,
  labelNameLengthLimit: 0,
  labelValueLengthLimit: 0,
  nativeHistogramBucketLimit: 0,
  nativeHistogramMinBucketFactor: 0,
  keepDroppedTargets: 0,
  metricNameValidationScheme: 'utf8',
  metricNameEscapingScheme: 'allow-utf-8',
  httpClientConfig: httpDefaults,
  serviceDiscoveryConfigs: [],
  relabelConfigs: [],
  metricRelabelConfigs: [],
};

export const scrapeConfig = (changes: Partial<ScrapeConfig> = {}): ScrapeConfig => ({
  ...configDefaults,
  ...changes,
});

export function targetAt(address: string, config: ScrapeConfig): Target {
  const target = populateTarget(Labels.fromRecord({ __address__: address }), config);
  if (target.kind !== 'target') throw new Error(`not a target: ${target.kind}`);
  return target;
}

/** A loop over the server at `address`. The caller closes the client. */
export async function loopOver(
  address: string,
  config: ScrapeConfig,
  changes: Partial<ScrapeLoopDeps> = {},
): Promise<ScrapeLoop & AsyncDisposable> {
  const client = changes.client ?? (await createHttpClient(config.httpClientConfig, systemClock));
  const loop = new ScrapeLoop({
    target: targetAt(address, config),
    config,
    metricRelabeler: new Relabeler(config.metricRelabelConfigs),
    client,
    clock: systemClock,
    metrics: createScrapeMetrics(new Registry()),
    version: '0.0.0',
    ...changes,
  });
  return Object.assign(loop, { [Symbol.asyncDispose]: () => client.close() });
}

/** A client that answers from memory. */
export function clientOf(
  answers: Iterable<string | Uint8Array | Error>,
  contentType: string = 'text/plain',
): ScrapeLoopDeps['client'] {
  const rest = [...answers];
  return {
    get: () => {
      const answer = rest.shift();
      if (answer === undefined) throw new Error('no more answers');
      if (answer instanceof Error) return Promise.reject(answer);
      const body = typeof answer === 'string' ? new TextEncoder().encode(answer) : answer;
      return Promise.resolve({ contentType, body });
    },
    close: () => Promise.resolve(),
  };
}

const stale = new DataView(new ArrayBuffer(8));

/** `name{labels} value @timestamp` per sample, in the batch's order; markers are shown as `stale`. */
export function batchLines(batch: WriteBatch): string[] {
  return Array.from(batch.refs, (ref, index) => {
    new Float64Array(stale.buffer).set(batch.values.subarray(index, index + 1));
    const bits = new BigUint64Array(stale.buffer)[0];
    const value = bits === 0x7ff0_0000_0000_0002n ? 'stale' : String(batch.values[index]);
    return `${batch.series[ref]} ${value} @${batch.timestamps[index]}`;
  });
}

/** Remembers what a parser says, as text. */
export class RecordingSink implements ExpositionSink {
  readonly lines: string[] = [];
  readonly expectedId = -1;
  readonly #names: string[] = [];
  readonly #ids = new Map<string, number>();

  expectedEnd(): number {
    return -1;
  }

  find(body: Uint8Array, start: number, end: number): number {
    return this.#ids.get(Buffer.from(body.subarray(start, end)).toString('latin1')) ?? -1;
  }

  define(body: Uint8Array, start: number, end: number, pairs: readonly string[]): number {
    const id = this.#names.push(JSON.stringify(pairs.slice(1))) - 1;
    this.#ids.set(Buffer.from(body.subarray(start, end)).toString('latin1'), id);
    return id;
  }

  text(body: Uint8Array, start: number, end: number): string | undefined {
    return decodeUtf8(body, start, end);
  }

  sample(id: number, [value = 0, timestampMs = 0, startTimeMs = 0]: Float64Array): void {
    const at = Number.isNaN(timestampMs) ? '' : ` @${timestampMs}`;
    const since = startTimeMs === 0 ? '' : ` since ${startTimeMs}`;
    this.lines.push(`${this.#names[id]} ${Object.is(value, -0) ? '-0' : value}${at}${since}`);
  }

  histogram(id: number, source: HistogramSource, [, timestampMs = 0, startTimeMs = 0]: Float64Array): void {
    const at = Number.isNaN(timestampMs) ? '' : ` @${timestampMs}`;
    const since = startTimeMs === 0 ? '' : ` since ${startTimeMs}`;
    this.lines.push(`${this.#names[id]} ${source.build()}${at}${since}`);
  }

  exemplar(pairs: readonly string[], value: number, timestampMs: number): void {
    const at = Number.isNaN(timestampMs) ? '' : ` @${timestampMs}`;
    this.lines.push(`exemplar ${JSON.stringify(pairs)} ${value}${at}`);
  }

  metadata(
    kind: string,
    body: Uint8Array,
    nameStart: number,
    nameEnd: number,
    textStart: number,
    textEnd: number,
  ): void {
    const text = (start: number, end: number): string => Buffer.from(body.subarray(start, end)).toString();
    this.lines.push(`${kind} ${text(nameStart, nameEnd)}: ${text(textStart, textEnd)}`);
  }
}
