/**
 * Random requests to a node: whatever comes, it answers with a status that blames the client or the moment, errors of the
 * API are its JSON, and the node lives on in bounded memory. TORCHRING_FUZZ_SEED and TORCHRING_FUZZ_REQUESTS for more.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { rawHttp } from '../../../src/api/testing/raw_http.ts';
import { seededRandom } from '../../../src/base/index.ts';
import { startNode } from '../../http/node.ts';
import { randomRequest } from './requests.ts';

const seed = Number(process.env['TORCHRING_FUZZ_SEED'] ?? '20261');
const count = Number(process.env['TORCHRING_FUZZ_REQUESTS'] ?? '1500');
const atOnce = 8;
const growthBytesMax = 400e6;

const residentBytes = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

/** Of what the API answers with JSON. */
const apiStatuses: ReadonlySet<number> = new Set([200, 204, 400, 404, 405, 406, 415, 422, 431, 500, 503]);

test('no request brings a node down, or gets an error that is no answer', {
  timeout: 600_000,
  skip: process.platform === 'linux' ? false : 'SKIPPED: memory is read from /proc',
}, async (context) => {
  const node = await startNode(context, [
    '--web.enable-admin-api',
    '--web.enable-otlp-receiver',
    '--query.timeout=5s',
  ]);
  const random = seededRandom(seed);
  const before = residentBytes(node.pid);
  const bad: string[] = [];
  const statuses = new Map<number, number>();
  for (let done = 0; done < count; done += atOnce) {
    const batch = Array.from({ length: atOnce }, () => randomRequest(random));
    const answers = await Promise.all(batch.map((request) => rawHttp(node.port, request)));
    for (const [i, { status, headers, body }] of answers.entries()) {
      const { method = 'GET', path } = batch[i] as (typeof batch)[number];
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const isJson = headers.get('content-type') === 'application/json' && !headers.has('content-encoding');
      const error = isJson && body !== '' ? (JSON.parse(body) as { error?: string }).error : undefined;
      if (!apiStatuses.has(status) || status === 500) {
        bad.push(`${status} ${method} ${path.slice(0, 300)} ${body.slice(0, 200)}`);
      } else if (status >= 400 && isJson && typeof error !== 'string') {
        bad.push(`${status} ${method} ${path.slice(0, 300)} has no error text`);
      }
    }
  }
  assert.deepEqual(bad.slice(0, 10), [], `${bad.length} of ${count} with seed ${seed}`);
  const alive = await fetch(`${node.url}/api/v1/query?query=1%2B1`);
  assert.equal(alive.status, 200);
  const growth = residentBytes(node.pid) - before;
  assert.ok(growth < growthBytesMax, `grew by ${growth} bytes`);
  context.diagnostic(
    `statuses ${JSON.stringify([...statuses].sort())}, grew by ${Math.round(growth / 1e6)} MB`,
  );
});
