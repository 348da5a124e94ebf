/**
 * A small attack on a node: whatever comes, it answers with a status that blames the client or the moment, errors of the
 * API are its JSON, and the node lives on in bounded memory. TORCHRING_FUZZ_SEED and TORCHRING_FUZZ_REQUESTS for more, or
 * `npm run fuzz:http`.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attack } from './attack.ts';

const seed = Number(process.env['TORCHRING_FUZZ_SEED'] ?? '20261');
const requestsMax = Number(process.env['TORCHRING_FUZZ_REQUESTS'] ?? '500');
const residentBytesMax = 2.5e9;
const scrapesMin = 10;

test('no request, body or target brings a node down, or gets an error that is no answer', {
  timeout: 600_000,
  skip: process.platform === 'linux' ? false : 'SKIPPED: memory is read from /proc',
}, async (context) => {
  const outcome = await attack(context, { seed, requestsMax, minutesMax: 5, requestsPerStream: 500 });
  assert.deepEqual(outcome.bad, [], `${outcome.requests} requests with seed ${seed}`);
  assert.ok(outcome.residentBytes.peak < residentBytesMax, `grew to ${outcome.residentBytes.peak} bytes`);
  assert.ok(outcome.scrapes >= scrapesMin, `${outcome.scrapes} scrapes of hostile targets`);
  context.diagnostic(JSON.stringify(outcome));
});
