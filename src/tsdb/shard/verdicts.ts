/** What became of the samples of a batch: one verdict per sample, and how many there are of each. */

/** Numbers, because there is one per sample; they can index an array of counters. */
export const SampleVerdict = {
  ok: 0,
  /** Same time and same value as a sample that is there: accepted silently. */
  duplicate: 1,
  /** Older than the series' newest sample. */
  outOfOrder: 2,
  /** Older than what the shard takes at all: past retention, before the head, or outside the out-of-order window. */
  tooOld: 3,
  tooFarInFuture: 4,
  /** Same time as a sample that is there, another value. */
  conflict: 5,
  /** There is no room for the sample's series, or for so many late samples. */
  limited: 6,
} as const;
export type SampleVerdict = (typeof SampleVerdict)[keyof typeof SampleVerdict];

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
  /** A SampleVerdict per sample of the batch; absent when all of them are `ok`. */
  verdicts?: Uint8Array;
}

type Count = Exclude<keyof AppendOutcome, 'firstError' | 'verdicts'>;

const countOf: readonly Count[] = [
  'appended',
  'duplicates',
  'outOfOrder',
  'tooOld',
  'tooFarInFuture',
  'conflicts',
  'limited',
];

export function emptyOutcome(): AppendOutcome {
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

export function countVerdict(outcome: AppendOutcome, verdict: SampleVerdict): void {
  outcome[countOf[verdict] as Count]++;
}
