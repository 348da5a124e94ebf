/**
 * What became of a sample, as Prometheus' head judges it. Numbers, because there is one per sample; they can index an
 * array of counters.
 */
export const Verdict = {
  ok: 0,
  /** Same time and same bits as a sample that is there: accepted silently. */
  duplicate: 1,
  /** Same time as a sample that is there, other bits. */
  conflict: 2,
  /** Older than the series' newest. */
  outOfOrder: 3,
  /** The store keeps no more samples aside. */
  limited: 4,
  /** The series is gone: look its labels up anew. */
  unknown: 5,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];
