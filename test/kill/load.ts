/**
 * What the killed process writes: every sample's value follows from its shard, series and step, so that any can be checked.
 * A step is a minute of the samples' time, so that within a second many windows are sealed and days are compacted.
 */
import {
  FloatHistogram,
  Labels,
  Matcher,
  MatchType,
  type SeriesColumns,
  type WriteBatch,
} from '../../src/model/index.ts';

export const killShards: readonly number[] = [1, 2, 3];
export const storeRetentionMs: number = Number.MAX_SAFE_INTEGER / 4;
export const outOfOrderWindowMs = 3_600_000;
/** The start of a day. */
const beginMs = 1_700_006_400_000;
const stepMs = 60_000;
/** Steps between two deletions of what one series has. */
export const deletionEvery = 700;
/** Every so many steps one series has what it left out, too late. */
const lateEvery = 10;
const lateSteps = 5;
const plainSeries = 18;

const labelsOf = (series: string): Labels => Labels.fromRecord({ __name__: 'kill', series });
const late: Labels = labelsOf('late');
const histogram: Labels = labelsOf('histogram');
const doomed: Labels = labelsOf('doomed');
const allSeries: readonly Labels[] = [
  ...Array.from({ length: plainSeries }, (_, i) => labelsOf(`${i}`)),
  histogram,
  doomed,
  late,
];
export const doomedMatchers: readonly Matcher[] = [Matcher.create(MatchType.Equal, 'series', 'doomed')];

/** Samples in a batch, about. */
export const seriesPerShard: number = allSeries.length;

export function timeOf(step: number): number {
  return beginMs + step * stepMs;
}

export function stepOf(timeMs: number): number {
  return timeMs < beginMs ? 0 : Math.floor((timeMs - beginMs) / stepMs);
}

function sampleValue(shard: number, series: number, step: number): number {
  return shard * 1e9 + series * 1e7 + step;
}

function histogramOf(step: number): FloatHistogram {
  return new FloatHistogram({
    schema: 0,
    count: step,
    sum: step * 2,
    positiveSpans: [{ offset: 0, length: 1 }],
    positiveBuckets: Float64Array.of(step),
  });
}

/** The steps of which the batch has a sample of the series that is late, in the order of the batch. */
function lateStepsOf(step: number): number[] {
  if (step % lateEvery !== 0) return [];
  return [step, ...Array.from({ length: lateSteps }, (_, i) => step - lateSteps + i)].filter(
    (one) => one > 0,
  );
}

/** One sample of each of the shard's series; of the late one several, now and then. */
export function batchFor(shard: number, step: number, storeRefs: Int32Array): WriteBatch {
  const lateAt = allSeries.length - 1;
  const refs = [...Array(lateAt).keys(), ...lateStepsOf(step).map(() => lateAt)];
  const steps = [...Array(lateAt).fill(step), ...lateStepsOf(step)] as number[];
  return {
    series: allSeries,
    refs: Uint32Array.from(refs),
    timestamps: Float64Array.from(steps, timeOf),
    values: Float64Array.from(refs, (series, i) =>
      series === plainSeries ? 0 : sampleValue(shard, series, steps[i] as number),
    ),
    histograms: refs.map((series) => (series === plainSeries ? histogramOf(step) : null)),
    storeRefs,
  };
}

export function newStoreRefs(): Int32Array {
  return new Int32Array(allSeries.length).fill(-1);
}

/** What is known of a shard: steps, each 0 when there is none. */
export interface ShardKnowledge {
  /** Acknowledged up to here. */
  acknowledged: number;
  /** Deletions of the doomed series that were asked for and that were acknowledged, up to here. */
  deletionAsked: number;
  deletionDone: number;
}

/** What is wrong with a shard, if anything. */
export function faultOf(
  shard: number,
  columns: readonly SeriesColumns[],
  known: ShardKnowledge,
): string | undefined {
  const byKey = new Map(columns.map((column) => [column.labels.key(), column]));
  if (byKey.size > allSeries.length) return `${byKey.size} series`;
  const newest = stepOf(byKey.get(labelsOf('0').key())?.timestamps.at(-1) ?? 0);
  if (newest < known.acknowledged) return `it ends at step ${newest}, ${known.acknowledged} was acknowledged`;
  for (const [series, labels] of allSeries.entries()) {
    const fault = seriesFault(shard, series, byKey.get(labels.key()), newest, known);
    if (fault !== undefined) return `series ${labels.get('series')}: ${fault}`;
  }
  return undefined;
}

function seriesFault(
  shard: number,
  series: number,
  found: SeriesColumns | undefined,
  newest: number,
  known: ShardKnowledge,
): string | undefined {
  const name = (allSeries[series] as Labels).get('series');
  const steps = [...(found?.timestamps ?? [])].map(stepOf);
  const isThere = new Set(steps);
  for (let step = 1; step <= newest; step++) {
    if (name === 'late' && !isLateStep(step, newest)) continue;
    if (name === 'doomed' && step <= known.deletionAsked) continue;
    if (!isThere.has(step)) return `step ${step} of ${newest} is missing`;
  }
  for (const [i, step] of steps.entries()) {
    if (step < 1 || step > newest || found?.timestamps[i] !== timeOf(step)) return `a sample of step ${step}`;
    if (name === 'late' && !isLateStep(step, newest)) return `a sample of step ${step}, which never was`;
    if (name === 'doomed' && step <= known.deletionDone) return `step ${step} was deleted`;
    const histogramThere = found?.histograms?.[i] ?? null;
    if (name === 'histogram') {
      if (histogramThere?.equals(histogramOf(step)) !== true) return `${histogramThere} at step ${step}`;
    } else if (found?.values[i] !== sampleValue(shard, series, step)) {
      return `${found?.values[i]} at step ${step}`;
    }
  }
  return undefined;
}

function isLateStep(step: number, newest: number): boolean {
  const carrier = Math.ceil(step / lateEvery) * lateEvery;
  return carrier <= newest && carrier - step <= lateSteps;
}
