/** What may happen to a shard in a model test, as plain data that fast-check draws, shrinks and prints. */
import fc from 'fast-check';
import {
  CounterResetHint,
  customBucketsSchema,
  FloatHistogram,
  Labels,
  Matcher,
  MatchType,
} from '../../model/index.ts';

export const minuteMs = 60_000;
export const hourMs: number = 60 * minuteMs;
/** All times are multiples of it, so that samples meet. */
export const tickMs: number = 10 * minuteMs;
/** The start of a day, and so of a window. */
export const beginMs = 1_700_006_400_000;

export const labelSets: readonly Labels[] = [
  Labels.fromRecord({ __name__: 'up', job: 'a', Zone: 'x' }),
  Labels.fromRecord({ __name__: 'up', job: 'b' }),
  Labels.fromRecord({ __name__: 'a_total', job: 'a', code: '200' }),
  Labels.fromRecord({ __name__: 'a_total', job: 'é', code: '500', Zone: 'y' }),
  Labels.fromRecord({ job: 'a' }),
];

/** Bits of floats. */
export const floats: readonly bigint[] = [
  0n,
  0x8000000000000000n,
  0x3ff0000000000000n,
  0x7ff0000000000002n,
  0x7ff8000000000001n,
  0x40091eb851eb851fn,
];

const spans = [
  { offset: -2, length: 2 },
  { offset: 3, length: 1 },
];

export const histograms: readonly FloatHistogram[] = [
  new FloatHistogram({
    schema: 1,
    count: 9,
    sum: 4.5,
    zeroThreshold: 0.001,
    zeroCount: 2,
    positiveSpans: spans,
    positiveBuckets: Float64Array.of(1, 2, 4),
    isInteger: true,
  }),
  new FloatHistogram({
    schema: 0,
    count: 2.5,
    sum: -3,
    negativeSpans: [{ offset: 0, length: 2 }],
    negativeBuckets: Float64Array.of(0.5, 2),
    counterResetHint: CounterResetHint.Gauge,
  }),
  new FloatHistogram({
    schema: customBucketsSchema,
    count: 3,
    sum: 7,
    positiveSpans: [{ offset: 0, length: 2 }],
    positiveBuckets: Float64Array.of(1, 2),
    customValues: Float64Array.of(1, 2.5),
    isInteger: true,
  }),
  FloatHistogram.stale,
];

/** An index into `floats`, or behind them into `histograms`. */
export type ValueIndex = number;

export interface SampleSpec {
  readonly series: number;
  /** So many ticks before now. */
  readonly back: number;
  readonly value: ValueIndex;
  /** In hours after the beginning; 0: unknown. */
  readonly start: number;
}

export interface MatchSpec {
  readonly type: MatchType;
  readonly name: string;
  readonly value: string;
}

export interface RangeSpec {
  readonly matchers: readonly MatchSpec[];
  /** In ticks before now; the newer end may be in the future. */
  readonly from: number;
  readonly to: number;
}

interface OfShard {
  readonly shard: number;
}

export type Step =
  | (OfShard & {
      readonly kind: 'append';
      readonly samples: readonly SampleSpec[];
      readonly epoch: number;
      readonly merge: boolean;
    })
  /** Time goes on by steps, at each of which all series of the mask have a sample. */
  | (OfShard & {
      readonly kind: 'scrapes';
      readonly count: number;
      readonly ticks: number;
      readonly mask: number;
      readonly value: ValueIndex;
      readonly epoch: number;
    })
  /** `isHeldOpen`: what is read while the deletion is under way. */
  | (OfShard & RangeSpec & { readonly kind: 'delete'; readonly isHeldOpen: boolean })
  | (OfShard & { readonly kind: 'read' });

export type Work =
  | { readonly kind: 'maintain' }
  | (OfShard & { readonly kind: 'sealNow' })
  | (OfShard & { readonly kind: 'deleteAll' });

export type Command =
  | Step
  | Work
  | { readonly kind: 'pass'; readonly ticks: number }
  | { readonly kind: 'reopen' }
  | { readonly kind: 'crash'; readonly isPowerCut: boolean }
  /** The disk takes so many writes, then none; in the end it does again, or the process dies. */
  | {
      readonly kind: 'fullDisk';
      readonly writes: number;
      readonly change: Step | Work;
      readonly end: 'recover' | 'kill' | 'powerCut';
    }
  /** The disk gives so many reads, then none, until this is over. */
  | {
      readonly kind: 'unreadable';
      readonly reads: number;
      readonly change: { readonly kind: 'reopen' } | Work | (OfShard & { readonly kind: 'read' });
    }
  /** Work in the background while steps are taken. */
  | {
      readonly kind: 'meanwhile';
      readonly work: Work | (OfShard & { readonly kind: 'snapshot' });
      readonly steps: readonly Step[];
    }
  | (OfShard & { readonly kind: 'handOver'; readonly samplesMax: number })
  | (OfShard & { readonly kind: 'copy' });

export interface Query extends RangeSpec {
  readonly label: string;
}

export interface Scenario {
  readonly outOfOrderWindowMs: number;
  readonly fsync: 'always' | 'interval' | 'os';
  readonly retentionMs: number;
  /** 0: no limit. */
  readonly retentionBytes: number;
  readonly commands: readonly (readonly [Command, Query])[];
}

const shard = fc.constantFrom(0, 0, 0, 1);
const value = fc.nat(floats.length + histograms.length - 1);
const epoch = fc.constantFrom(1, 1, 1, 2, 3);
const back = fc.oneof(fc.nat(6), fc.nat(30), fc.nat(300), fc.constantFrom(-1, -2));
const sample: fc.Arbitrary<SampleSpec> = fc.record({
  series: fc.nat(labelSets.length - 1),
  back,
  value,
  start: fc.constantFrom(0, 0, 1, 2),
});
const append: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('append' as const),
  shard,
  samples: fc.array(sample, { minLength: 1, maxLength: 10 }),
  epoch,
  merge: fc.boolean(),
});
const scrapes: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('scrapes' as const),
  shard,
  count: fc.integer({ min: 1, max: 12 }),
  ticks: fc.integer({ min: 1, max: 4 }),
  mask: fc.integer({ min: 1, max: 2 ** labelSets.length - 1 }),
  value,
  epoch,
});
const matcher: fc.Arbitrary<MatchSpec> = fc.record({
  type: fc.constantFrom(...Object.values(MatchType)),
  name: fc.constantFrom('__name__', 'job', 'Zone', 'code'),
  value: fc.constantFrom('up', 'a_total', 'a', 'a|é', '', '.+', 'x', '500'),
});
const matchers = fc.array(matcher, { minLength: 1, maxLength: 2 });
const range = {
  from: fc.oneof(back, fc.constant(Number.MAX_SAFE_INTEGER)),
  to: fc.oneof(back, fc.constant(-100)),
};
const deletion: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('delete' as const),
  shard,
  matchers,
  ...range,
  isHeldOpen: fc.boolean(),
});
const read = fc.record({ kind: fc.constant('read' as const), shard });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: append },
  { weight: 4, arbitrary: scrapes },
  { weight: 2, arbitrary: deletion },
  { weight: 1, arbitrary: read },
);
const work: fc.Arbitrary<Work> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('maintain' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('sealNow' as const), shard }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deleteAll' as const), shard }) },
);
const reopen = fc.record({ kind: fc.constant('reopen' as const) });
const fullDisk: fc.Arbitrary<Command> = fc.record({
  kind: fc.constant('fullDisk' as const),
  writes: fc.nat(5),
  change: fc.oneof(step, work, work),
  end: fc.constantFrom('recover', 'kill', 'powerCut'),
});
const unreadable: fc.Arbitrary<Command> = fc.record({
  kind: fc.constant('unreadable' as const),
  reads: fc.nat(12),
  change: fc.oneof(reopen, work, read),
});
const meanwhile: fc.Arbitrary<Command> = fc.record({
  kind: fc.constant('meanwhile' as const),
  work: fc.oneof(
    { weight: 3, arbitrary: work },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('snapshot' as const), shard }) },
  ),
  steps: fc.array(step, { minLength: 1, maxLength: 4 }),
});
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 20, arbitrary: step },
  { weight: 6, arbitrary: work },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ticks: fc.integer({ min: 1, max: 90 }) }),
  },
  { weight: 2, arbitrary: reopen },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), isPowerCut: fc.boolean() }) },
  { weight: 4, arbitrary: fullDisk },
  { weight: 3, arbitrary: unreadable },
  { weight: 5, arbitrary: meanwhile },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('handOver' as const),
      shard,
      samplesMax: fc.constantFrom(1, 7, 1000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('copy' as const), shard }) },
);
const query: fc.Arbitrary<Query> = fc.record({
  matchers: fc.array(matcher, { maxLength: 2 }),
  ...range,
  label: fc.constantFrom('__name__', 'job', 'Zone', 'none'),
});

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  outOfOrderWindowMs: fc.constantFrom(0, hourMs, 30 * hourMs),
  fsync: fc.constantFrom('always', 'interval', 'os'),
  retentionMs: fc.constantFrom(40 * hourMs, 1000 * hourMs),
  retentionBytes: fc.constantFrom(0, 0, 0, 3000),
  commands: fc.array(fc.tuple(command, query), { maxLength: 24, size: 'max' }),
});

export function matchersOf(specs: readonly MatchSpec[]): Matcher[] {
  return specs.map(({ type, name, value: text }) => Matcher.create(type, name, text));
}
