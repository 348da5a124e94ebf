import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger, systemClock } from '../base/index.ts';
import { ScrapeError } from './errors.ts';
import { FailureLog } from './failure_log.ts';
import { clientOf, loopOver, scrapeConfig } from './testing/fixtures.ts';

test('answers that did not come are logged with job and target, bad expositions are not', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'torchring-failures-'));
  context.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'failures.json');
  const log = await FailureLog.open(path, { ...systemClock, nowMs: () => 1_700_000_000_123 }, silentLogger);
  const again = await FailureLog.open(path, systemClock, silentLogger);
  const loop = await loopOver('h:1', scrapeConfig(), {
    client: clientOf([new ScrapeError('http_status', 'server returned "500"'), 'broken{\n', 'a 1\n']),
    logFailure: (target, message) => log.write('test', target, message),
  });
  for (const health of ['down', 'down', 'up']) assert.equal((await loop.scrape(1)).health, health);
  await log.close();
  await again.close();
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [
      {
        time: '2023-11-14T22:13:20.123Z',
        level: 'ERROR',
        msg: 'server returned "500"',
        job_name: 'test',
        target: 'http://h:1/metrics',
      },
    ],
  );
  const nowhere = FailureLog.open(join(directory, 'no', 'file'), systemClock, silentLogger);
  await assert.rejects(nowhere, { code: 'failure_log' });
});
