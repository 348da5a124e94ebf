/** Runs queries over the cluster in this worker, and turns results into what the control thread hands out. */

import type { Clock } from '../../base/index.ts';
import { Matcher } from '../../model/index.ts';
import { type Engine, ExecutionError, type QueryValue } from '../../promql/index.ts';
import { type CoordinatedResult, Coordinator, type Replicas, selectSeries } from '../../query/index.ts';
import { statsJson } from '../query_stats.ts';
import { answerJson } from './answer_json.ts';
import type { AnswerMessage, QuerySpec, SelectMessage, SelectSpec, VectorMessage } from './messages.ts';

/** Until the configuration is known: Prometheus' default evaluation interval. */
const subqueryStepMsDefault = 60_000;

export class Queries {
  readonly #engine: Engine;
  /** Follows the global evaluation interval. */
  #subqueryStepMs = subqueryStepMsDefault;
  readonly #replicasFor: (deadlineMs: number) => Replicas;

  readonly #clock: Clock;

  constructor(engine: Engine, replicasFor: (deadlineMs: number) => Replicas, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
    this.#replicasFor = replicasFor;
  }

  setSubqueryStep(stepMs: number): void {
    this.#subqueryStepMs = stepMs;
  }

  /** Rejects with QueryError or IncompleteAnswerError. */
  async answer(spec: QuerySpec, signal: AbortSignal): Promise<AnswerMessage> {
    const result = await this.#run(spec, signal);
    const { stats, infos, explain } = result;
    const { value, isCut } = limited(result.value, spec.seriesMax);
    const more = {
      ...(spec.stats === undefined ? {} : { stats: statsJson(stats, spec, spec.queueSeconds ?? 0) }),
      ...(explain === undefined ? {} : { explain }),
    };
    const bytesMax = spec.limits.memoryMax ?? Number.POSITIVE_INFINITY;
    const data = await answerJson({ value }, spec.instant, more, { clock: this.#clock, signal, bytesMax });
    const warnings = isCut ? [...result.warnings, 'results truncated due to limit'] : result.warnings;
    return { data, warnings, infos, stats };
  }

  /** The instant vector that a rule works with; a scalar becomes one sample without labels, as in Prometheus. */
  async vector(spec: QuerySpec, signal: AbortSignal): Promise<VectorMessage> {
    const { value, warnings, isUnsettled, stats } = await this.#run(spec, signal);
    return { samples: vectorOf(value), warnings, isUnsettled, stats };
  }

  #run(spec: QuerySpec, signal: AbortSignal): Promise<CoordinatedResult> {
    const { expr, startMs, endMs, stepMs, instant, limits, partialResponse, explains = false } = spec;
    const coordinator = new Coordinator(this.#engine, this.#replicasFor(limits.timeoutMs), this.#clock);
    const range = { startMs, endMs, stepMs, instant };
    const countsSteps = spec.stats === 'steps';
    const subqueryStepMs = this.#subqueryStepMs;
    return coordinator.run(
      { expr, range, limits, partialResponse, subqueryStepMs, countsSteps, explains },
      signal,
    );
  }

  /** Raw series of the whole cluster. */
  async select(
    { matchers, fromMs, toMs }: SelectSpec,
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<SelectMessage> {
    const compiled = matchers.map(({ type, name, value }) => Matcher.create(type, name, value));
    const request = { matchers: compiled, fromMs, toMs, stepMs: 0 };
    const replicas = this.#replicasFor(deadlineMs);
    const { series, isIncomplete } = await selectSeries(replicas, request, deadlineMs, signal);
    return {
      series: series.map(({ labels, timestamps, values }) => ({ labels: labels.flat, timestamps, values })),
      isIncomplete,
    };
  }
}

function limited(value: QueryValue, seriesMax: number): { value: QueryValue; isCut: boolean } {
  if (seriesMax <= 0) return { value, isCut: false };
  if (value.type === 'vector' && value.samples.length > seriesMax) {
    return { value: { ...value, samples: value.samples.slice(0, seriesMax) }, isCut: true };
  }
  if (value.type === 'matrix' && value.series.length > seriesMax) {
    return { value: { ...value, series: value.series.slice(0, seriesMax) }, isCut: true };
  }
  return { value, isCut: false };
}

function vectorOf(value: QueryValue): VectorMessage['samples'] {
  if (value.type === 'vector') {
    return value.samples.map(({ labels, value: v, histogram }) => ({
      labels: labels.flat,
      value: v,
      ...(histogram === undefined ? {} : { histogram }),
    }));
  }
  if (value.type === 'scalar') return [{ labels: [], value: value.value }];
  throw new ExecutionError('rule result is not a vector or scalar');
}
