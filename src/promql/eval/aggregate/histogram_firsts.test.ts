import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../../base/index.ts';
import { FloatHistogram, Labels, type SeriesColumns } from '../../../model/index.ts';
import { Engine } from '../../engine.ts';
import { GivenStorage } from '../../testing/storage.ts';

const engine = new Engine({
  limits: { samplesMax: 1e6, timeoutMs: 60_000, lookbackMs: 300_000 },
  clock: systemClock,
});

type Sample = number | FloatHistogram;

const custom = (bound: number): FloatHistogram =>
  new FloatHistogram({ schema: -53, count: 1, sum: 1, customValues: Float64Array.of(bound) });
const samples: readonly Sample[] = [1, new FloatHistogram({ count: 1, sum: 1 }), custom(1), custom(2)];

/** What the rule of Prometheus' engine comes to: one series after the other, as their labels follow each other. */
function saidInOrder(list: readonly { readonly name: string; readonly sample: Sample }[]): string[] {
  const said = new Set<string>();
  const [begin] = list;
  let running = typeof begin?.sample === 'number' ? undefined : begin?.sample;
  let isIncompatible = false;
  let hasFloat = typeof begin?.sample === 'number';
  let hasHistogram = running !== undefined;
  for (const { name, sample } of list.slice(1)) {
    if (isIncompatible) break;
    if (typeof sample === 'number') {
      hasFloat = true;
      continue;
    }
    hasHistogram = true;
    if (running === undefined) continue;
    if (running.usesCustomBuckets !== sample.usesCustomBuckets) {
      isIncompatible = true;
      said.add(`exponential and custom buckets schemas for metric name "${name}"`);
    } else {
      const sum = running.add(sample);
      if (sum.boundsReconciled) said.add('mismatched custom buckets');
      running = sum.histogram;
    }
  }
  if (hasFloat && hasHistogram) said.add('mix of histograms and floats');
  return [...said];
}

test('of mixed input the same is said as when series are added in the order of their labels', async () => {
  const given = fc.array(
    fc.record({ name: fc.constantFrom('x', 'y'), sample: fc.constantFrom(...samples) }),
    { minLength: 1, maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(given, fc.constantFrom('sum', 'avg'), async (unordered, op) => {
      const list = unordered.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
      const columns = list.map(
        ({ name, sample }, i): SeriesColumns => ({
          labels: Labels.fromRecord({ __name__: name, i: String(i) }),
          timestamps: Float64Array.of(0),
          values: Float64Array.of(typeof sample === 'number' ? sample : 0),
          ...(typeof sample === 'number' ? {} : { histograms: [sample] }),
        }),
      );
      const { warnings, infos } = await engine.evaluate(
        `${op}({i=~".+"})`,
        { startMs: 0, endMs: 0, stepMs: 1, instant: true },
        { storage: new GivenStorage(columns) },
        new AbortController().signal,
      );
      const said = [...warnings, ...infos];
      const expected = saidInOrder(list);
      assert.equal(said.length, expected.length, said.join('; '));
      for (const part of expected)
        assert.ok(
          said.some((text) => text.includes(part)),
          `${part}: ${said.join('; ')}`,
        );
    }),
    { numRuns: 500 },
  );
});
