import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ByteFormatError, systemClock } from '../../base/index.ts';
import type { FloatHistogram, SeriesColumns } from '../../model/index.ts';
import { decodePartial, encodePartial } from '../codec/partial.ts';
import { Engine } from '../engine.ts';
import { ExecutionError } from '../errors.ts';
import type { Fragment } from '../parse/tree.ts';
import { columnsOf, type GivenSeries, mixedSeries } from '../testing/mixed_series.ts';
import { GivenStorage } from '../testing/storage.ts';
import type { MatrixSeries, QueryResult, RemoteResult, Storage } from '../types.ts';
import { distribute } from './distribute.ts';
import { evaluatePartial, finishPartial, mergePartials, type PartialAggregate } from './partial.ts';

const limits = { samplesMax: 1e6, timeoutMs: 60_000, lookbackMs: 30_000 };
const engines = [true, false].map(
  (delayedNameRemoval) =>
    new Engine({ limits, features: { delayedNameRemoval, experimentalFunctions: true }, clock: systemClock }),
);
const steps = 4;
const range = { startMs: 0, endMs: (steps - 1) * 60_000, stepMs: 60_000 };
const never = new AbortController().signal;

const counts = fc.constantFrom('0', '1', '2', '20', 'time() / 60', '-1 + time() / 60');
const plain = fc.constantFrom('sum', 'avg', 'count', 'group', 'min', 'max', 'stddev', 'stdvar');
const operator: fc.Arbitrary<readonly [op: string, parameter: string]> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('sum', 'avg').map((op) => [op, ''] as const) },
  { weight: 8, arbitrary: plain.map((op) => [op, ''] as const) },
  {
    weight: 4,
    arbitrary: fc.tuple(
      fc.constantFrom('topk', 'bottomk', 'limitk'),
      counts.map((k) => `${k}, `),
    ),
  },
  fc.tuple(fc.constant('limit_ratio'), fc.constantFrom('0.5, ', '-0.3, ', '2, ', 'time() / 200, ')),
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constant('quantile'),
      fc.constantFrom('0, ', '0.3, ', '1, ', '2, ', 'NaN, ', 'time() / 100, '),
    ),
  },
  fc.tuple(fc.constant('count_values'), fc.constantFrom('"v", ', '"group", ', '"i", ')),
);
const grouping = fc.constantFrom('', ' by (group)', ' without (i)', ' by (__name__)', ' without (group, i)');
const inner = fc.constantFrom(
  ...['{__name__=~"x|y"}', '-{__name__=~"x|y"}', 'x'],
  ...['max_over_time({__name__=~"x|y"}[2m])', 'last_over_time({__name__=~"x|y"}[2m])'],
);

/** Text with the aggregation not at its beginning, so that positions have to be moved. */
const query = fc
  .tuple(operator, grouping, inner)
  .map(([[op, parameter], by, of]) => `(vector(-7) or\n   ${op}${by}(${parameter}${of}))`);

/** Which two of the remaining partials are merged next, and whether the result travels before the next merge. */
interface Merge {
  readonly a: number;
  readonly b: number;
  readonly travels: boolean;
}
const merges = fc.array(fc.record({ a: fc.nat(), b: fc.nat(), travels: fc.boolean() }), {
  minLength: 4,
  maxLength: 4,
});

function travelled(partial: PartialAggregate): PartialAggregate {
  return decodePartial(encodePartial(partial));
}

/** In the order that `plan` says, then from the left. */
async function mergedBy(partials: PartialAggregate[], plan: readonly Merge[]): Promise<PartialAggregate> {
  const left = [...partials];
  for (const { a, b, travels } of plan) {
    if (left.length < 2) break;
    const [first] = left.splice(a % left.length, 1);
    const [second] = left.splice(b % left.length, 1);
    if (first === undefined || second === undefined) break;
    const merged = await mergePartials(first, second, unhurried);
    left.push(travels ? travelled(merged) : merged);
  }
  return mergeAll(left);
}

const unhurried = { due: false, pause: (): Promise<void> => Promise.resolve() };

async function mergeAll([first, ...others]: PartialAggregate[]): Promise<PartialAggregate> {
  let merged = first as PartialAggregate;
  for (const other of others) merged = await mergePartials(merged, other, unhurried);
  return merged;
}

/** That can also be read part by part. */
function storageInParts(place: readonly SeriesColumns[]): Storage {
  const whole = new GivenStorage(place);
  const parts = [1, 0].map((rest) => new GivenStorage(place.filter((_, i) => i % 2 === rest)));
  return { select: (request) => whole.select(request), parts: () => parts };
}

async function inParts(
  engine: Engine,
  text: string,
  places: readonly (readonly SeriesColumns[])[],
  plan: readonly Merge[],
  instant = false,
): Promise<QueryResult> {
  const asked = instant ? { ...range, endMs: range.startMs } : range;
  const { expr, fragments } = distribute(engine.parse(text), () => true, asked, text);
  assert.equal(fragments.length, 1, text);
  const remote = {
    fetch: async (fragment: Fragment): Promise<RemoteResult> => {
      const partials: PartialAggregate[] = [];
      for (const place of places) {
        const storage = storageInParts(place);
        partials.push(travelled(await evaluatePartial(engine, fragment.text, fragment, storage, never)));
      }
      return finishPartial(await mergedBy(partials, plan), fragment, unhurried, text);
    },
  };
  return engine.evaluate(expr, { ...asked, instant }, { storage: new GivenStorage([]), remote }, never, {
    text,
  });
}

/** The largest finite number among the samples: what the rounding errors of a sum are measured by. */
function scaleOf(series: readonly GivenSeries[]): number {
  const sizes = series.flatMap(({ samples }) =>
    samples.flatMap((sample) => {
      if (sample === null) return [];
      if (typeof sample === 'number') return [sample];
      return [sample.sum, sample.count, ...sample.positiveBuckets, ...sample.negativeBuckets];
    }),
  );
  return sizes.reduce((most, size) => (Number.isFinite(size) ? Math.max(most, Math.abs(size)) : most), 0);
}

/** Equal up to the last digits of a compensated sum of numbers of that scale. */
function assertClose(got: number, wanted: number, scale: number, what: string): void {
  if (Object.is(got, wanted)) return;
  const allowed = 1e-12 * Math.abs(wanted) + 2 ** -98 * scale;
  assert.ok(Math.abs(got - wanted) <= allowed, `${what}: ${got} is not ${wanted}`);
}

function assertSameHistogram(got: FloatHistogram, wanted: FloatHistogram, scale: number, what: string): void {
  const shape = (of: FloatHistogram): unknown[] => [
    of.schema,
    of.zeroThreshold,
    of.counterResetHint,
    of.positiveSpans,
    of.negativeSpans,
    of.customValues,
  ];
  assert.deepEqual(shape(got), shape(wanted), what);
  const numbers = (of: FloatHistogram): number[] => [
    of.count,
    of.sum,
    of.zeroCount,
    ...of.positiveBuckets,
    ...of.negativeBuckets,
  ];
  const expected = numbers(wanted);
  for (const [i, value] of numbers(got).entries()) assertClose(value, expected[i] as number, scale, what);
}

function seriesOf({ value }: QueryResult): readonly MatrixSeries[] {
  assert.equal(value.type, 'matrix');
  return value.type === 'matrix' ? value.series : [];
}

function assertSame(got: QueryResult, wanted: QueryResult, text: string, scale: number): void {
  assert.deepEqual(got.warnings.toSorted(), wanted.warnings.toSorted(), text);
  assert.deepEqual(got.infos.toSorted(), wanted.infos.toSorted(), text);
  const isRounded = /(sum|avg|stddev|stdvar)/.test(text);
  const expected = seriesOf(wanted);
  assert.deepEqual(
    seriesOf(got).map(({ labels }) => labels.toString()),
    expected.map(({ labels }) => labels.toString()),
    text,
  );
  for (const [i, one] of seriesOf(got).entries()) {
    const other = expected[i] as MatrixSeries;
    assert.deepEqual(one.timestamps, other.timestamps, text);
    for (const [at, value] of other.values.entries()) {
      const what = `${text} ${other.labels.toString()}[${at}]`;
      const histogram = other.histograms?.[at] ?? null;
      const gotHistogram = one.histograms?.[at] ?? null;
      if (histogram === null || gotHistogram === null) {
        assert.equal(gotHistogram, histogram, what);
        if (isRounded) assertClose(one.values[at] as number, value, scale, what);
        else assert.ok(Object.is(one.values[at], value), `${what}: ${one.values[at]} is not ${value}`);
      } else if (isRounded) assertSameHistogram(gotHistogram, histogram, scale, what);
      else assert.equal(gotHistogram.toNotation(), histogram.toNotation(), what);
    }
  }
}

test('any partition, merged in any order and tree, gives the answer of one place', async () => {
  await fc.assert(
    fc.asyncProperty(
      mixedSeries(steps, 8),
      fc.array(fc.nat({ max: 4 }), { minLength: 8, maxLength: 8 }),
      query,
      merges,
      fc.constantFrom(...engines),
      async (series, placement, text, plan, engine) => {
        const all = series.map(columnsOf);
        const whole = { ...range, instant: false };
        const places = Array.from({ length: 5 }, (_, place) => all.filter((_, i) => placement[i] === place));
        const parts = inParts(engine, text, places, plan);
        // Names that are dropped at the end may leave equal label sets.
        const single = await engine
          .evaluate(text, whole, { storage: new GivenStorage(all) }, never)
          .catch((error: unknown) => (error instanceof ExecutionError ? error : Promise.reject(error)));
        if (single instanceof ExecutionError) await assert.rejects(parts, { message: single.message });
        else assertSame(await parts, single, text, scaleOf(series));
      },
    ),
    { numRuns: 1500 },
  );
});

test('topk of an instant is in order of value, equal values in order of labels, wherever they were', async () => {
  const [engine] = engines as [Engine, Engine];
  const values = [3, 1, 3, Number.NaN, 2, 3];
  const all = values.map((value, i) => columnsOf({ name: 'x', group: 'a', samples: [value] }, i));
  for (const places of [[all], [all.slice(3), all.slice(0, 3)], all.map((one) => [one]).toReversed()]) {
    const { value } = await inParts(engine, 'topk(5, x)', places, [], true);
    assert.deepEqual(
      value.type === 'vector' && value.samples.map(({ labels, value: x }) => `${labels.get('i')}:${x}`),
      ['0:3', '2:3', '5:3', '4:2', '1:1'],
    );
  }
});

test('a query over remote leaves gives what it gives in one place', async () => {
  const [engine] = engines as [Engine, Engine];
  const all = Array.from({ length: 8 }, (_, i) =>
    columnsOf({ name: 'x', group: i % 2 === 0 ? 'a' : 'b', samples: [i, i + 1, null, i * 3] }, i),
  );
  const halves = [all.slice(0, 3), all.slice(3)].map((half) => new GivenStorage(half));
  const text = 'sum by (group) (x) / count by (group) (x > 1) + scalar(max(x))';
  const { expr, fragments } = distribute(engine.parse(text), () => true, range, text);
  assert.equal(fragments.length, 3);
  const remote = {
    fetch: async (fragment: Fragment): Promise<RemoteResult> => {
      const partials = await Promise.all(
        halves.map((half) => evaluatePartial(engine, fragment.text, range, half, never)),
      );
      return finishPartial(await mergeAll(partials), fragment, unhurried, text);
    },
  };
  const whole = await engine.evaluate(
    text,
    { ...range, instant: false },
    { storage: new GivenStorage(all) },
    never,
  );
  const sources = { storage: new GivenStorage([]), remote };
  const parts = await engine.evaluate(expr, { ...range, instant: false }, sources, never);
  assert.deepEqual(parts.value, whole.value);
});

test('bytes of a partial aggregate that were damaged are refused, or read as another one that can be finished', async () => {
  await fc.assert(
    fc.asyncProperty(
      mixedSeries(steps, 4),
      query,
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
      fc.nat(),
      async (series, text, damages, cut) => {
        const [engine] = engines as [Engine, Engine];
        const { fragments } = distribute(engine.parse(text), () => true, range, text);
        const [fragment] = fragments as [Fragment];
        const storage = new GivenStorage(series.map(columnsOf));
        const evaluate = (): Promise<PartialAggregate> =>
          evaluatePartial(engine, fragment.text, range, storage, never);
        const bytes = encodePartial(await evaluate());
        for (const [at, byte] of damages) bytes[at % bytes.length] = byte;
        const like = await evaluate();
        try {
          const partial = decodePartial(cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes, like);
          await finishPartial(await mergePartials(like, partial, unhurried), fragment, unhurried, text);
        } catch (error) {
          assert.ok(error instanceof ByteFormatError, String(error));
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('an answer for another fragment is refused', async () => {
  const [engine] = engines as [Engine, Engine];
  const storage = new GivenStorage([columnsOf({ name: 'x', group: 'a', samples: [1] }, 0)]);
  const partial = (text: string, endMs = range.endMs): Promise<PartialAggregate> =>
    evaluatePartial(engine, text, { ...range, endMs }, storage, never);
  const like = await partial('sum(x)');
  assert.doesNotThrow(() => decodePartial(encodePartial(like), like));
  for (const other of [await partial('max(x)'), await partial('sum(x)', 60_000)]) {
    assert.throws(() => decodePartial(encodePartial(other), like), ByteFormatError);
  }
});
