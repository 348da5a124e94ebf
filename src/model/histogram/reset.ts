/**
 * Whether a counter histogram was reset since the one before it: some count went down, or a populated bucket is
 * gone. Finer resolution or a narrower zero bucket than before can only come with a restart of the source.
 */
import { alignSide } from './arithmetic.ts';
import { intersectBounds, isCustomSchema, sameBounds } from './bounds.ts';
import { CounterResetHint, type HistogramFields } from './fields.ts';
import { mapCustomSide, zeroCountAt } from './reconcile.ts';
import { type Side, sideOf } from './spans.ts';

/** Trusts a hint of reset or not-reset; otherwise compares (gauges too, as PromQL lets one take their rate). */
export function detectReset(current: HistogramFields, previous: HistogramFields): boolean {
  if (current.counterResetHint === CounterResetHint.Reset) return true;
  if (current.counterResetHint === CounterResetHint.NotReset) return false;
  if (current.count < previous.count) return true;
  if (isCustomSchema(current.schema))
    return !isCustomSchema(previous.schema) || customReset(current, previous);
  if (current.schema > previous.schema || current.zeroThreshold < previous.zeroThreshold) return true;
  const before = zeroCountAt(previous, current.zeroThreshold);
  // The threshold moved: it would cut a populated bucket of the previous histogram in two.
  if (before.threshold !== current.zeroThreshold || current.zeroCount < before.zeroCount) return true;
  return (
    sideReset(alignedPositive(current, current), alignedPositive(previous, current)) ||
    sideReset(alignedNegative(current, current), alignedNegative(previous, current))
  );
}

function alignedPositive(of: HistogramFields, to: HistogramFields): Side {
  return alignSide(sideOf(of.positiveSpans, of.positiveBuckets), of, to.zeroThreshold, to.schema);
}

function alignedNegative(of: HistogramFields, to: HistogramFields): Side {
  return alignSide(sideOf(of.negativeSpans, of.negativeBuckets), of, to.zeroThreshold, to.schema);
}

function sideReset(current: Side, previous: Side): boolean {
  let at = 0;
  for (let i = 0; i < previous.indices.length; i++) {
    const index = previous.indices[i] as number;
    const before = previous.counts[i] as number;
    while (at < current.indices.length && (current.indices[at] as number) < index) at++;
    const now = current.indices[at] === index ? (current.counts[at] as number) : undefined;
    if (now === undefined ? before !== 0 : now < before) return true;
  }
  return false;
}

function customReset(current: HistogramFields, previous: HistogramFields): boolean {
  const now = sideOf(current.positiveSpans, current.positiveBuckets);
  const before = sideOf(previous.positiveSpans, previous.positiveBuckets);
  if (sameBounds(current.customValues, previous.customValues)) return sideReset(now, before);
  const bounds = intersectBounds(current.customValues, previous.customValues);
  const mapped = mapCustomSide(now, current.customValues, bounds);
  const mappedBefore = mapCustomSide(before, previous.customValues, bounds);
  return mapped.some((count, i) => count < (mappedBefore[i] as number));
}
