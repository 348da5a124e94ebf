/** The comparison of side_by_side.ts for half a minute. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { skipWithoutPeers } from './programs.ts';
import { sideBySide } from './side_by_side.ts';

const testTimeoutMs = 240_000;
const scrapesMin = 400;

test('side by side with a real Prometheus: the same series, samples, changes and ends at every scrape', {
  skip: skipWithoutPeers,
  timeout: testTimeoutMs,
}, async (context) => {
  const outcome = await sideBySide(context, { minutes: 0.5, intervalSeconds: 2 });
  assert.deepEqual(outcome.differences, []);
  assert.ok(outcome.statesCompared > scrapesMin, `${outcome.statesCompared} states`);
});
