/** What one scrape's batch has in common with the next one's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { WriteBatch } from '../model/index.ts';
import { ScrapeError } from './errors.ts';
import type { ScrapeLoop } from './loop.ts';
import { batchLines, clientOf, loopOver, scrapeConfig } from './testing/fixtures.ts';

const openMetrics = 'application/openmetrics-text; version=1.0.0';

const loopOf = (answers: (string | Error)[], contentType?: string): Promise<ScrapeLoop> =>
  loopOver('h:1', scrapeConfig(), { client: clientOf(answers, contentType) });

/** Writes references as a store does: one per label set, for ever. */
class Store {
  readonly #refs = new Map<string, number>();
  /** How many series of the batch came without one, of those that had one before. */
  forgotten = 0;

  append({ series, storeRefs }: WriteBatch): void {
    assert.equal(storeRefs?.length, series.length);
    for (const [place, labels] of series.entries()) {
      const known = this.#refs.get(labels.key());
      const ref = known ?? this.#refs.size;
      this.#refs.set(labels.key(), ref);
      const given = storeRefs?.[place];
      if (given === -1 && known !== undefined) this.forgotten++;
      assert.ok(given === -1 || given === known, `${labels} has ${known}, not ${given}`);
      if (storeRefs !== undefined) storeRefs[place] = ref;
    }
  }
}

test('a scrape of the same series in the same order has the same arrays, the report included', async () => {
  const loop = await loopOf(['a 1\nb 1\n', 'a 2\nb 2\n']);
  const first = (await loop.scrape(1000)).batch;
  new Store().append(first);
  const second = (await loop.scrape(2000)).batch;
  assert.equal(second.series, first.series);
  assert.equal(second.storeRefs, first.storeRefs);
  assert.deepEqual([...second.refs], [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual([...(second.storeRefs ?? [])], [0, 1, 2, 3, 4, 5, 6]);
});

test('another order or set makes new arrays in which known series keep their references', async () => {
  const loop = await loopOf([
    'a 1\nb 1\n',
    'b 2\nc 2\na 2\n',
    new ScrapeError('request', 'down'),
    'a 1\nc 1\n',
  ]);
  const store = new Store();
  const batches: WriteBatch[] = [];
  for (let i = 0; i < 4; i++) {
    const { batch } = await loop.scrape(i * 1000);
    store.append(batch);
    batches.push(batch);
  }
  assert.equal(store.forgotten, 0);
  assert.equal(new Set(batches.map(({ series }) => series)).size, 4);
  assert.deepEqual([...(batches[0]?.storeRefs ?? [])], [0, 1, 2, 3, 4, 5, 6], 'older batches are left alone');
});

test('columns are used again once they are given back, and not before', async () => {
  const body = (value: number): string => `a ${value}\nb ${value}\n`;
  const loop = await loopOf([1, 2, 3, 4].map(body));
  const first = (await loop.scrape(1000)).batch;
  const second = (await loop.scrape(2000)).batch;
  assert.deepEqual(batchLines(first).slice(0, 1), ['a{instance="h:1", job="test"} 1 @1000']);
  loop.release(second);
  const third = (await loop.scrape(3000)).batch;
  assert.equal(third.values.buffer, second.values.buffer);
  assert.equal(third.refs.buffer, second.refs.buffer);
  loop.release(first);
  assert.deepEqual(batchLines(first).slice(0, 1), ['a{instance="h:1", job="test"} 1 @1000']);
  const fourth = (await loop.scrape(4000)).batch;
  assert.notEqual(fourth.values.buffer, third.values.buffer);
});

test('series keep their references when the cache forgets others', async () => {
  const churning = (round: number): string =>
    Array.from({ length: 700 }, (_, i) => `a{round="${round}",i="${i}"} 1\n`).join('');
  const rounds = 8;
  const loop = await loopOf(Array.from({ length: rounds }, (_, round) => `${churning(round)}stays 1\n`));
  const store = new Store();
  for (let round = 0; round < rounds; round++) {
    const { batch } = await loop.scrape(round);
    store.append(batch);
    loop.release(batch);
  }
  assert.equal(store.forgotten, 0);
  assert.ok(loop.cachedSpellings < 700 * 4, String(loop.cachedSpellings));
});

test('whatever a target exposes, a reference never goes to another series', async () => {
  const line = fc.constantFrom('a', 'b', 'a{x="1"}', 'a {x="1"}', 'c', 'd');
  const body = fc.array(line, { maxLength: 8 }).map((lines) => lines.map((text) => `${text} 1\n`).join(''));
  const bodies = fc.array(fc.oneof(body, fc.constant('broken{\n')), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(bodies, fc.array(fc.boolean()), async (answers, given) => {
      const loop = await loopOf(answers);
      const store = new Store();
      for (let i = 0; i < answers.length; i++) {
        const { batch } = await loop.scrape(i);
        store.append(batch);
        if (given[i] === true) loop.release(batch);
      }
      assert.equal(store.forgotten, 0);
    }),
    { numRuns: 200 },
  );
});

test('exemplars come with the batch, at their own time or at that of their sample', async () => {
  const text = 'x'.repeat(120);
  const loop = await loopOf(
    [
      'a_total 1 # {trace_id="t1"} 0.5 1.25\nb_total 1 3.5 # {} 0.25\nc_total 1 # {k="v"} 7\n' +
        `long_total 1 # {trace_id="${text}"} 1\nlong_total{x="1"} 1 # {trace_id="${text}x"} 1\n` +
        'wide_total 1 # {trace_id="' +
        `${'\u{1f600}'.repeat(120)}"} 1\ntwice_total 1 # {a="1",a="2"} 1\nlate_total 1 # {} 1 1e12\n# EOF\n`,
    ],
    openMetrics,
  );
  const { batch, lastError } = await loop.scrape(2000);
  assert.equal(lastError, '');
  const exemplars = (batch.exemplars ?? []).map(({ ref, labels, value, timestampMs }) => [
    batch.series[ref]?.metricName,
    labels.get('trace_id').length,
    value,
    timestampMs,
  ]);
  assert.deepEqual(exemplars, [
    ['a_total', 2, 0.5, 1250],
    ['b_total', 0, 0.25, 3500],
    ['c_total', 0, 7, 2000],
    ['long_total', 120, 1, 2000],
    ['wide_total', 240, 1, 2000],
  ]);
});

test('a scrape that fails has no exemplars', async () => {
  const loop = await loopOf(['a_total 1 # {trace_id="t1"} 0.5\n'], openMetrics);
  const { batch, health } = await loop.scrape(2000);
  assert.equal(health, 'down');
  assert.equal(batch.exemplars, undefined);
});
