/** The cache against having none: whatever a target exposes, in whatever order, the loop must write the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { batchLines, clientOf, loopOver, scrapeConfig } from './testing/fixtures.ts';

/** Spellings that are prefixes of each other, that mean the same series, that differ in blanks. */
const spellings = [
  'a',
  'ab',
  'a {x="1"}',
  'a{x="1"}',
  'a{x="1",}',
  'a{x="1",y="2"}',
  'a{y="2",x="1"}',
  '{"a"}',
  '{"a",x="1"}',
  'a{x="}"}',
  'a{x="\\""}',
  'dropped',
  'b:c',
];

const drop = {
  action: 'drop',
  sourceLabels: ['__name__'],
  separator: ';',
  regex: 'dropped',
  modulus: 0,
  targetLabel: '',
  replacement: '$1',
} as const;

const config = scrapeConfig({ metricRelabelConfigs: [drop] });
const isOwn = (line: string): boolean => !/^(up|scrape_)/.test(line);
const identity = (line: string): string => line.slice(0, line.lastIndexOf('} ') + 1);

test('what is remembered of earlier scrapes changes nothing but the markers', async () => {
  const line = fc
    .tuple(fc.constantFrom(...spellings), fc.integer({ min: 0, max: 9 }))
    .map(([series, value]) => `${series} ${value}`);
  const body = fc.array(line, { minLength: 1, maxLength: 12 }).map((lines) => `${lines.join('\n')}\n`);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(body, fc.constant('broken{\n')), { minLength: 1, maxLength: 8 }),
      async (bodies) => {
        const loop = await loopOver('h:1', config, { client: clientOf(bodies) });
        let held = new Set<string>();
        for (const [index, exposed] of bodies.entries()) {
          const fresh = await loopOver('h:1', config, { client: clientOf([exposed]) });
          const expected = await fresh.scrape(index);
          const result = await loop.scrape(index);
          assert.equal(result.lastError, expected.lastError);
          assert.equal(result.counts.kept, expected.counts.kept);
          assert.equal(result.counts.duplicates, expected.counts.duplicates);
          const lines = batchLines(result.batch).filter(isOwn);
          const samples = lines.filter((text) => !text.includes(' stale @'));
          assert.deepEqual(samples, batchLines(expected.batch).filter(isOwn));
          const holds = new Set(samples.map(identity));
          const stale = lines.filter((text) => text.includes(' stale @')).map(identity);
          assert.deepEqual(stale.sort(), [...held].filter((series) => !holds.has(series)).sort());
          held = holds;
        }
      },
    ),
    { numRuns: 300 },
  );
});
