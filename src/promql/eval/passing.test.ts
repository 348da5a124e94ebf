import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../base/index.ts';
import { Labels, type SeriesColumns } from '../../model/index.ts';
import { Engine } from '../engine.ts';
import { ExecutionError } from '../errors.ts';
import { GivenStorage } from '../testing/storage.ts';

const limits = { samplesMax: 1e6, timeoutMs: 60_000, lookbackMs: 90_000 };
const engine = new Engine({ limits, clock: systemClock });
const steps = 6;
const range = { startMs: 0, endMs: (steps - 1) * 60_000, stepMs: 60_000, instant: false };

const expressions = [
  'm',
  'last_over_time(m[2m])',
  'rate(m[3m])',
  'max_over_time(rate(m[3m])[3m:1m])',
  'm * 3',
  '2 - m',
  'm > 4',
  '4 < bool m',
  'rate(m[3m]) * 2 ',
  'm / on (i) n',
  'm - ignoring (g, x) n',
  'm > on (i, g) n',
  'm * on (g) group_left (x) n',
  'm * on (g, i) group_left (x) n',
  'm == bool on (i) group_left () n',
  'n * on (g) group_right (x) m',
  'rate(m[3m]) * on (i) group_left (x) max by (i, x) (n)',
  'm ^ ignoring (x, g) group_left (x) n',
  'n + ignoring (m) m',
];

const value = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom(Number.NaN, -0, 0.5));
const samples = fc.array(fc.option(value, { freq: 6 }), { minLength: steps, maxLength: steps });
const rarely = (text: string): fc.Arbitrary<string> =>
  fc.integer({ min: 0, max: 40 }).map((one) => (one === 17 ? text : ''));
const many = fc.record({
  name: fc.constant('m'),
  labels: fc.record({
    i: fc.constantFrom('1', '2', '3', '4'),
    g: fc.constantFrom('a', 'b', 'c'),
    x: rarely('y'),
    __type__: rarely('counter'),
  }),
  samples,
});
const one = fc.record({
  name: fc.constant('n'),
  labels: fc.record({
    i: fc.constantFrom('1', '2', '3', '4'),
    g: fc.constantFrom('a', 'b', 'c'),
    x: fc.constantFrom('', 'y', 'z'),
    __type__: rarely('counter'),
  }),
  samples,
});
const different = {
  selector: ({ labels }: { labels: object }) => JSON.stringify(labels),
};
const data = fc
  .tuple(
    fc.uniqueArray(many, { ...different, maxLength: 5 }),
    fc.uniqueArray(one, { ...different, maxLength: 3 }),
  )
  .map((both) => both.flat());

function columns({
  name,
  labels,
  samples,
}: {
  name: string;
  labels: Record<string, string>;
  samples: (number | null)[];
}): SeriesColumns {
  const at = samples.flatMap((sample, i) => (sample === null ? [] : [i]));
  return {
    labels: Labels.fromRecord({ ...labels, __name__: name }),
    timestamps: Float64Array.from(at, (i) => i * 60_000 - 5_000),
    values: Float64Array.from(at, (i) => samples[i] as number),
  };
}

async function answer(query: string, storage: GivenStorage): Promise<readonly string[] | string> {
  try {
    const { value } = await engine.evaluate(query, range, { storage }, new AbortController().signal);
    assert.ok(value.type === 'matrix');
    return value.series.map((one) => `${one.labels} ${one.timestamps} ${one.values}`).sort();
  } catch (error) {
    if (error instanceof ExecutionError) return error.message;
    throw error;
  }
}

// Of one series each, and of several.
const groupings = ['by (__name__, __type__, i, g, x)', 'by (x)', 'without (i)'];

test('property: an aggregation takes in what its operand gives as a whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      data,
      fc.constantFrom(...expressions),
      fc.constantFrom(...groupings),
      async (list, expression, grouping) => {
        const storage = new GivenStorage(list.map(columns));
        // The operand of a set operator is computed as a whole.
        assert.deepEqual(
          await answer(`max ${grouping} (${expression})`, storage),
          await answer(`max ${grouping} ((${expression}) or nothing)`, storage),
          expression,
        );
      },
    ),
    { numRuns: 600 },
  );
});
