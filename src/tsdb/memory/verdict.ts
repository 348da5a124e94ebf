/**
 * What became of a sample, as Prometheus' head judges it. Numbers, because there is one per sample; they can index an
 * array of counters.
 */
export const Verdict = {
  ok: 0,
  /** Same time and same value as a sample that is there: accepted silently. */
  duplicate: 1,
  /** Same time as a sample that stands, another value. */
  conflict: 2,
  /** Older than the series' newest. */
  outOfOrder: 3,
  /** The store keeps no more late samples. */
  limited: 4,
  /** The series is gone: look its labels up anew. */
  unknown: 5,
  /** Older than the shard's floor: what there was is sealed. */
  belowFloor: 6,
  /** Took the place of a sample that was written under a lower epoch. */
  replaced: 7,
  /** Says what stands already, now under a higher epoch: a duplicate that has to be remembered. */
  raised: 8,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];
