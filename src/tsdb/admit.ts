/**
 * Judges a batch sample by sample as Prometheus' head does, puts the good ones into the head, and tells which they
 * were, so that exactly these are logged. Within a batch earlier samples count for later ones.
 */
import type { Labels, WriteBatch } from '../model/index.ts';
import { StoreError, storeErrorCodes } from './errors.ts';
import type { Head } from './head.ts';
import type { HeadSeries } from './head_series.ts';

/** How far ahead of this node's clock a sample may be. */
export const futureToleranceMs: number = 10 * 60 * 1000;

export interface AppendOutcome {
  appended: number;
  duplicates: number;
  outOfOrder: number;
  tooOld: number;
  tooFarInFuture: number;
  /** Same timestamp, other value. */
  conflicts: number;
  /** Samples of series that the shard has no room for. */
  limited: number;
  firstError?: string;
}

export interface AdmitRules {
  readonly epoch: number;
  /** Samples older than this are refused. */
  readonly floorMs: number;
  /** Samples newer than this are refused. */
  readonly ceilingMs: number;
  readonly seriesMax: number;
  /** Handed-over data: merged in at any age, never out of order. */
  readonly merge: boolean;
}

type Verdict = Exclude<keyof AppendOutcome, 'firstError'>;

/** What Prometheus calls each refusal. */
const refusalTexts: Partial<Record<Verdict, string>> = {
  outOfOrder: 'out of order sample',
  tooOld: 'too old sample',
  tooFarInFuture: 'out of bounds',
  conflicts: 'duplicate sample for timestamp',
  limited: 'too many series in the shard',
};

/** Judges and applies the whole batch. `kept` holds the positions in the batch of the samples that were appended. */
export function admit(
  head: Head,
  batch: WriteBatch,
  rules: AdmitRules,
): { outcome: AppendOutcome; kept: Uint32Array } {
  assertConsistent(batch);
  const words = valueWords(batch);
  const resolved = batch.series.map((labels) => head.find(labels));
  const outcome = emptyOutcome();
  const kept = new Uint32Array(batch.refs.length);
  for (let i = 0; i < batch.refs.length; i++) {
    const ref = batch.refs[i] as number;
    const timestampMs = batch.timestamps[i] as number;
    const labels = batch.series[ref] as Labels;
    let verdict = outOfBounds(timestampMs, rules);
    if (verdict === undefined && resolved[ref] === undefined && head.seriesCount >= rules.seriesMax) {
      // Another entry of the batch may carry the same labels, so look again before refusing.
      resolved[ref] = head.find(labels);
      if (resolved[ref] === undefined) verdict = 'limited';
    }
    if (verdict === undefined) {
      const series = resolved[ref] ?? head.find(labels) ?? head.create(labels);
      resolved[ref] = series;
      verdict = place(head, series, timestampMs, words, i * 2, rules);
    }
    if (verdict === 'appended') kept[outcome.appended] = i;
    else if (verdict !== 'duplicates' && !(rules.merge && verdict === 'conflicts')) {
      outcome.firstError ??= `${refusalTexts[verdict]}: ${labels.toString()} at ${timestampMs} ms`;
    }
    outcome[verdict]++;
  }
  return { outcome, kept: kept.subarray(0, outcome.appended) };
}

/** The samples of a batch at the given positions, with only the series that they need. */
export function pick(batch: WriteBatch, positions: Uint32Array): WriteBatch {
  if (positions.length === batch.refs.length) return batch;
  const series: Labels[] = [];
  const newRefs = new Map<number, number>();
  const refs = new Uint32Array(positions.length);
  const timestamps = new Float64Array(positions.length);
  const words = new Uint32Array(positions.length * 2);
  const from = valueWords(batch);
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i] as number;
    const ref = batch.refs[position] as number;
    let newRef = newRefs.get(ref);
    if (newRef === undefined) {
      newRef = series.push(batch.series[ref] as Labels) - 1;
      newRefs.set(ref, newRef);
    }
    refs[i] = newRef;
    timestamps[i] = batch.timestamps[position] as number;
    words[i * 2] = from[position * 2] as number;
    words[i * 2 + 1] = from[position * 2 + 1] as number;
  }
  return { series, refs, timestamps, values: new Float64Array(words.buffer) };
}

/** The bits of a batch's values, two words each. */
function valueWords(batch: WriteBatch): Uint32Array {
  const { values } = batch;
  return new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
}

function emptyOutcome(): AppendOutcome {
  return {
    appended: 0,
    duplicates: 0,
    outOfOrder: 0,
    tooOld: 0,
    tooFarInFuture: 0,
    conflicts: 0,
    limited: 0,
  };
}

function outOfBounds(timestampMs: number, rules: AdmitRules): Verdict | undefined {
  if (timestampMs < rules.floorMs) return 'tooOld';
  return timestampMs > rules.ceilingMs ? 'tooFarInFuture' : undefined;
}

function place(
  head: Head,
  series: HeadSeries,
  timestampMs: number,
  words: Uint32Array,
  from: number,
  rules: AdmitRules,
): Verdict {
  const { newestMs } = series;
  if (timestampMs > newestMs) {
    series.append(timestampMs, words, from, rules.epoch);
    head.countSample();
    return 'appended';
  }
  if (!rules.merge) {
    if (timestampMs < newestMs) return 'outOfOrder';
    return series.newestEquals(words, from) ? 'duplicates' : 'conflicts';
  }
  const verdict = series.merge(timestampMs, words, from, rules.epoch);
  if (verdict === 'duplicate') return 'duplicates';
  if (verdict === 'conflict') return 'conflicts';
  if (verdict === 'inserted') head.countSample();
  return 'appended';
}

/** A batch comes from other threads and nodes: refuses one whose columns contradict each other. */
function assertConsistent(batch: WriteBatch): void {
  const { refs, timestamps, values, series } = batch;
  let fault: string | undefined;
  if (timestamps.length !== refs.length || values.length !== refs.length) {
    fault = `columns of ${refs.length}, ${timestamps.length} and ${values.length} samples`;
  }
  for (let i = 0; i < refs.length && fault === undefined; i++) {
    if ((refs[i] as number) >= series.length)
      fault = `sample ${i} names series ${refs[i]} of ${series.length}`;
    else if (!Number.isSafeInteger(timestamps[i])) fault = `sample ${i} has time ${timestamps[i]}`;
  }
  if (fault !== undefined)
    throw new StoreError(storeErrorCodes.badBatch, `the write batch is inconsistent: ${fault}`);
}
