import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../base/index.ts';
import type { SeriesColumns } from '../../model/index.ts';
import { decodePartial, encodePartial } from '../codec/partial.ts';
import { Engine } from '../engine.ts';
import { ExecutionError } from '../errors.ts';
import type { Fragment } from '../parse/tree.ts';
import { columnsOf, mixedSeries } from '../testing/mixed_series.ts';
import { GivenStorage } from '../testing/storage.ts';
import type { QueryResult, RemoteResult } from '../types.ts';
import { distribute } from './distribute.ts';
import { evaluatePartial, finishPartial, mergePartials } from './partial.ts';

const limits = { samplesMax: 1e6, timeoutMs: 60_000, lookbackMs: 90_000 };
const engines = [true, false].map(
  (delayedNameRemoval) =>
    new Engine({ limits, features: { delayedNameRemoval, experimentalFunctions: true }, clock: systemClock }),
);
const steps = 6;
const range = { startMs: 0, endMs: (steps - 1) * 60_000, stepMs: 60_000 };
const never = new AbortController().signal;
const unhurried = { due: false, pause: (): Promise<void> => Promise.resolve() };

const selector = fc.constantFrom('x', 'y', '{__name__=~"x|y"}', 'x offset 1m', 'x @ 120');
const ranged = fc
  .tuple(
    fc.constantFrom(
      'rate',
      'increase',
      'sum_over_time',
      'last_over_time',
      'changes',
      'delta',
      'max_over_time',
    ),
    selector.filter((text) => !text.includes(' ')),
    fc.constantFrom('3m', '150s', '10m:1m', '3m:30s'),
  )
  .map(([func, of, length]) => `${func}(${of}[${length}])`);
const single = fc.oneof(
  ranged,
  selector,
  selector.map((of) => `abs(${of})`),
  ranged.map((of) => `clamp(${of}, -5, 5)`),
  selector.map((of) => `timestamp(${of})`),
  selector.map((of) => `histogram_count(${of})`),
);
const withConstant = fc
  .tuple(single, fc.constantFrom('* 2', '> 1', '> bool 1', '^ 2', '- 1', '/ 4', '/ 0'))
  .map(([of, by]) => `(${of} ${by})`);
const matched = fc
  .tuple(
    fc.oneof(single, withConstant),
    fc.constantFrom('+', '/', '>', '== bool', 'and', 'or', 'unless'),
    fc.oneof(single, withConstant),
  )
  .map(([a, op, b]) => `(${a} ${op} ${b})`);
const perSeries = fc.oneof(
  single,
  withConstant,
  matched,
  matched.map((of) => `-${of}`),
);
/** Alone, below an aggregation, and where it stays with others that are not pushed. */
const query = fc.oneof(
  perSeries,
  perSeries.map((of) => `count by (group) (${of})`),
  fc.tuple(perSeries, perSeries).map(([a, b]) => `${a}\n  + on (i, group) group_left () ${b}`),
  perSeries.map((of) => `label_replace(${of}, "j", "$1", "i", "(.*)")`),
);

async function inParts(
  engine: Engine,
  text: string,
  places: readonly (readonly SeriesColumns[])[],
  instant: boolean,
): Promise<QueryResult> {
  const asked = instant ? { ...range, startMs: range.endMs } : range;
  const { expr } = distribute(engine.parse(text), () => true, asked, text);
  const remote = {
    fetch: async (fragment: Fragment): Promise<RemoteResult> => {
      const partials = await Promise.all(
        places.map((place) =>
          evaluatePartial(engine, fragment.text, fragment, new GivenStorage(place), never),
        ),
      );
      let [joined, ...others] = partials.map((partial) => decodePartial(encodePartial(partial)));
      if (joined === undefined) throw new RangeError('there is a place');
      for (const other of others) joined = await mergePartials(joined, other, unhurried);
      return finishPartial(joined, fragment, unhurried, text);
    },
  };
  const sources = { storage: new GivenStorage(places.flat()), remote };
  return engine.evaluate(expr, { ...asked, instant }, sources, never, { text });
}

/** Keys, times and values, whatever their order. */
function shown({ value }: QueryResult): unknown {
  if (value.type === 'vector') {
    const samples = value.samples.map((one) => ({ ...one, labels: one.labels.toString() }));
    return samples
      .sort((a, b) => (a.labels < b.labels ? -1 : 1))
      .map(({ histogram, ...one }) => [one, histogram?.toNotation()]);
  }
  if (value.type !== 'matrix') return value;
  return value.series.map(({ labels, timestamps, values, histograms }) => [
    labels.toString(),
    [...timestamps],
    [...values],
    histograms?.map((histogram) => histogram?.toNotation()),
  ]);
}

const failing = (run: Promise<QueryResult>): Promise<QueryResult | ExecutionError> =>
  run.catch((error: unknown) => (error instanceof ExecutionError ? error : Promise.reject(error)));

/** Of several groups that have duplicates one is named; where both operands fail, one of them tells. */
function kindOf(outcome: QueryResult | ExecutionError, query: string): string {
  if (outcome instanceof ExecutionError && query.includes('group_left')) return 'an error';
  return outcome instanceof ExecutionError ? outcome.message.replace(/\{.*\}/, '{}') : 'an answer';
}

/**
 * Of pairs of elements that an operator can't combine, one place tells of the last of a step, and each of several places of
 * its last: which kinds of pairs are told depends on where series lie, whether any is told does not.
 */
const ofPairs = / for binary operator | during (?:histogram )?(?:addition|subtraction)/;

function saysOfPairs({ warnings, infos }: QueryResult): boolean {
  return [...warnings, ...infos].some((text) => ofPairs.test(text));
}

/** Where several places in a query say the same, which of them is shown depends on who was last. */
function told(texts: readonly string[], query: string): string[] {
  const isOne = /^[a-z_]+\([^()]*\)$/.test(query);
  const others = texts.filter((text) => !ofPairs.test(text));
  return others.map((text) => (isOne ? text : text.replace(/ \(\d+:\d+\)$/, ''))).toSorted();
}

test('expressions over single series, and over series that differ in name only, give in parts what they give in one place', async () => {
  await fc.assert(
    fc.asyncProperty(
      mixedSeries(steps, 8),
      fc.array(fc.nat({ max: 2 }), { minLength: 8, maxLength: 8 }),
      query,
      fc.boolean(),
      fc.constantFrom(...engines),
      async (series, placement, text, instant, engine) => {
        // Pairs that differ in name only lie together.
        const all = series.map((one, k) => {
          const group = series[k & ~1]?.group ?? one.group;
          return columnsOf({ ...one, name: k % 2 === 0 ? 'x' : 'y', group }, k >> 1);
        });
        const places = [0, 1, 2].map((place) => all.filter((_, k) => placement[k >> 1] === place));
        const asked = { ...(instant ? { ...range, startMs: range.endMs } : range), instant };
        const [parts, whole] = await Promise.all([
          failing(inParts(engine, text, places, instant)),
          failing(engine.evaluate(text, asked, { storage: new GivenStorage(all) }, never)),
        ]);
        if (parts instanceof ExecutionError || whole instanceof ExecutionError) {
          assert.equal(kindOf(parts, text), kindOf(whole, text), text);
          return;
        }
        assert.deepEqual(shown(parts), shown(whole), text);
        assert.deepEqual(told(parts.warnings, text), told(whole.warnings, text), text);
        assert.deepEqual(told(parts.infos, text), told(whole.infos, text), text);
        assert.equal(saysOfPairs(parts), saysOfPairs(whole), text);
      },
    ),
    { numRuns: 600 },
  );
});
