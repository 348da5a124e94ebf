/** What rule groups read from and write to: the cluster's query service, and the owners of the series that they make. */
import type {
  IngestOutcome,
  LocalWorkers,
  QueryLimits,
  QueryService,
  SelectMessage,
} from '../actors/index.ts';
import { fromFlat } from '../actors/index.ts';
import { CodedError, type Logger } from '../base/index.ts';
import { encodeWriteBatch, FloatHistogram, type Matcher, type WriteBatch } from '../model/index.ts';
import type { QueryAnswer, SeriesReader } from '../rules/index.ts';

const appendDeadlineMs = 20_000;
const readDeadlineMs = 35_000;

export class RuleSources {
  readonly #queries: QueryService;
  readonly #workers: LocalWorkers;
  readonly #limits: QueryLimits;

  readonly #log: Logger;

  constructor(queries: QueryService, workers: LocalWorkers, limits: QueryLimits, log: Logger) {
    this.#log = log;
    this.#queries = queries;
    this.#workers = workers;
    this.#limits = limits;
  }

  async query(
    expr: string,
    timeMs: number,
    signal: AbortSignal,
    { file, name }: { readonly file: string; readonly name: string },
  ): Promise<QueryAnswer> {
    const { samples, warnings, isUnsettled } = await this.#queries.vector(
      {
        expr,
        startMs: timeMs,
        endMs: timeMs,
        stepMs: 1,
        instant: true,
        limits: this.#limits,
        partialResponse: true,
        seriesMax: 0,
      },
      signal,
      { ruleGroup: { file, name } },
    );
    const vector = samples.map(({ labels, value, histogram }) => ({
      labels: fromFlat(labels),
      value,
      ...(histogram === undefined ? {} : { histogram: new FloatHistogram(histogram) }),
    }));
    return { vector, warnings, incomplete: isUnsettled };
  }

  /** Rejects when some of the samples could not be placed; refused ones are the rule's own mistake and only told. */
  async append(batch: WriteBatch): Promise<void> {
    const bytes = encodeWriteBatch(batch);
    const { unavailable, unavailableReason, firstError } = await this.#workers
      .next()
      .ask<IngestOutcome>((replyTo) => ({ type: 'ingest', batch: bytes, replyTo }), appendDeadlineMs);
    if (firstError !== undefined)
      this.#log.warn({ reason: firstError }, 'some results of rules were refused');
    if (unavailable > 0) {
      throw new CodedError(
        'unavailable',
        `${unavailable} samples were not stored: ${unavailableReason ?? ''}`,
      );
    }
  }

  async read(matchers: readonly Matcher[], fromMs: number, toMs: number): ReturnType<SeriesReader> {
    const spec = { matchers: matchers.map(({ type, name, value }) => ({ type, name, value })), fromMs, toMs };
    const { series, isIncomplete } = await this.#workers
      .next()
      .ask<SelectMessage>((replyTo) => ({ type: 'select', spec, replyTo }), readDeadlineMs);
    const columns = series.map(({ labels, timestamps, values }) => ({
      labels: fromFlat(labels),
      timestamps,
      values,
    }));
    return { series: columns, incomplete: isIncomplete };
  }
}
