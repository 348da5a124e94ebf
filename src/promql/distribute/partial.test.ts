import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../base/index.ts';
import { Labels, type SeriesColumns } from '../../model/index.ts';
import { decodePartial, encodePartial } from '../codec/partial.ts';
import { Engine } from '../engine.ts';
import { parseExpr } from '../parse/parser.ts';
import { GivenStorage } from '../testing/storage.ts';
import { distribute } from './distribute.ts';
import { evaluatePartial, finishPartial, mergePartials } from './partial.ts';
import { partialOps } from './state.ts';

const engine = new Engine({
  limits: { samplesMax: 1e6, timeoutMs: 60_000, lookbackMs: 90_000 },
  clock: systemClock,
});
const range = { startMs: 0, endMs: 240_000, stepMs: 60_000 };
const never = new AbortController().signal;

const value = fc.oneof(
  { weight: 8, arbitrary: fc.double({ noNaN: true, min: -1e6, max: 1e6 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0),
  },
  { weight: 1, arbitrary: fc.constantFrom(1.7e308, -1.7e308, 1e300) },
);

/** Series with gaps, each with the number of the place where it lives. */
const placed = fc.array(
  fc.record({
    group: fc.constantFrom('a', 'b'),
    samples: fc.array(fc.option(value), { minLength: 5, maxLength: 5 }),
    place: fc.nat({ max: 3 }),
  }),
  { minLength: 1, maxLength: 12 },
);

function columnsOf(group: string, index: number, samples: readonly (number | null)[]): SeriesColumns {
  const kept = samples.flatMap((sample, i) => (sample === null ? [] : [[i * 60_000, sample] as const]));
  return {
    labels: Labels.fromRecord({ __name__: 'x', group, i: String(index) }),
    timestamps: Float64Array.from(kept, ([at]) => at),
    values: Float64Array.from(kept, ([, sample]) => sample),
  };
}

/** Equal up to the last digits of the larger inputs. */
function close(a: number, b: number, scale: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (!Number.isFinite(a) || !Number.isFinite(b)) return false;
  return Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b), scale);
}

test('any partition, merged in any order, gives the answer of one place', async () => {
  await fc.assert(
    fc.asyncProperty(placed, fc.constantFrom(...partialOps), fc.boolean(), async (series, op, grouped) => {
      // Sums near overflow depend on the order even in one place, so only averages get such values.
      const huge = series.some(({ samples }) =>
        samples.some((sample) => sample !== null && Math.abs(sample) > 1e299),
      );
      fc.pre(op !== 'sum' || !huge);
      const infinite = series.some(({ samples }) =>
        samples.some((sample) => sample !== null && !Number.isFinite(sample)),
      );
      fc.pre(op !== 'avg' || !(huge && infinite));
      const text = `${op}${grouped ? ' by (group)' : ''}(x)`;
      const all = series.map(({ group, samples }, i) => columnsOf(group, i, samples));
      const single = finishPartial(
        await evaluatePartial(engine, text, range, new GivenStorage(all), never),
      ).matrix;
      const places = [...new Set(series.map(({ place }) => place))];
      const partials = await Promise.all(
        places.map(async (place) => {
          const here = all.filter((_, i) => series[i]?.place === place);
          return decodePartial(
            encodePartial(await evaluatePartial(engine, text, range, new GivenStorage(here), never)),
          );
        }),
      );
      const merged = finishPartial(partials.reduce(mergePartials)).matrix;
      const scale = Math.max(
        ...series.flatMap(({ samples }) =>
          samples.map((s) => (s === null || !Number.isFinite(s) ? 0 : Math.abs(s))),
        ),
      );
      assert.deepEqual(
        merged.series.map(({ labels }) => labels.key()),
        single.series.map(({ labels }) => labels.key()),
      );
      for (const [i, one] of merged.series.entries()) {
        const expected = single.series[i];
        assert.deepEqual(one.present, expected?.present);
        for (let step = 0; step < range.endMs / range.stepMs + 1; step++) {
          if (one.present[step] !== 1) continue;
          const got = one.values[step] as number;
          const want = expected?.values[step] as number;
          assert.ok(close(got, want, scale), `${text} step ${step}: ${got} is not ${want}`);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('a query over remote leaves gives what it gives in one place', async () => {
  const all = Array.from({ length: 8 }, (_, i) =>
    columnsOf(i % 2 === 0 ? 'a' : 'b', i, [i, i + 1, null, i * 3, 4]),
  );
  const halves = [all.slice(0, 3), all.slice(3)].map((half) => new GivenStorage(half));
  const query = 'sum by (group) (x) / count by (group) (x > 1) + scalar(max(x))';
  const { expr, fragments } = distribute(parseExpr(query), () => true, range);
  assert.equal(fragments.length, 3);
  const remote = {
    fetch: async (fragment: { text: string }) => {
      const partials = await Promise.all(
        halves.map((half) => evaluatePartial(engine, fragment.text, range, half, never)),
      );
      return finishPartial(partials.reduce(mergePartials));
    },
  };
  const steps = { ...range, instant: false };
  const whole = await engine.evaluate(query, steps, { storage: new GivenStorage(all) }, never);
  const parts = await engine.evaluate(expr, steps, { storage: new GivenStorage([]), remote }, never);
  assert.deepEqual(parts.value, whole.value);
});
