/** The statistics of a query as Prometheus' HTTP API and query log show them. */
import type { QueryStats } from '../promql/index.ts';

/** Steps as the query asked for them. */
interface Steps {
  readonly startMs: number;
  readonly stepMs: number;
}

/** In seconds; the keys stand in Prometheus' order. */
export interface StatsJson {
  readonly timings: {
    readonly evalTotalTime: number;
    readonly resultSortTime: number;
    readonly queryPreparationTime: number;
    readonly innerEvalTime: number;
    readonly execQueueTime: number;
    readonly execTotalTime: number;
  };
  readonly samples: {
    readonly totalQueryableSamplesPerStep?: readonly (readonly [number, number])[];
    readonly totalQueryableSamples: number;
    readonly peakSamples: number;
  };
}

/** `stats` is undefined for a query that failed: `otherSeconds` is then all that is known of it. */
export function statsJson(
  stats: QueryStats | undefined,
  { startMs, stepMs }: Steps,
  queueSeconds: number,
  otherSeconds = 0,
): StatsJson {
  const { preparation, evaluation, sorting } = stats?.timings ?? noTimings;
  const evalTotalTime = stats === undefined ? otherSeconds : preparation + evaluation;
  const perStep = stats?.samples.samplesPerStep;
  const steps =
    perStep === undefined
      ? undefined
      : Array.from(perStep, (n, i) => [(startMs + i * stepMs) / 1000, n] as const);
  return {
    timings: {
      evalTotalTime: nanoseconds(evalTotalTime),
      resultSortTime: nanoseconds(sorting),
      queryPreparationTime: nanoseconds(preparation),
      innerEvalTime: nanoseconds(Math.max(0, evaluation - sorting)),
      execQueueTime: nanoseconds(queueSeconds),
      execTotalTime: nanoseconds(queueSeconds + evalTotalTime),
    },
    samples: {
      ...(steps === undefined ? {} : { totalQueryableSamplesPerStep: steps }),
      totalQueryableSamples: stats?.samples.totalSamples ?? 0,
      peakSamples: stats?.samples.peakSamples ?? 0,
    },
  };
}

const noTimings = { preparation: 0, evaluation: 0, sorting: 0 };

/** Seconds to the nanosecond: more digits are those of the arithmetic. */
function nanoseconds(seconds: number): number {
  return Math.round(seconds * 1e9) / 1e9;
}
