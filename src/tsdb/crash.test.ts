import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openStoreDirectory } from './store_directory.ts';
import { storeOptions, withFolder } from './testing/fixtures.ts';

const appender = fileURLToPath(new URL('./testing/appender.ts', import.meta.url));
const killAfter = 500;

test('what was acknowledged survives SIGKILL in the middle of appending', () =>
  withFolder(async (path) => {
    const child = spawn(process.execPath, [appender, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    let acknowledged = 0;
    for await (const line of createInterface(child.stdout)) {
      const t = Number(line);
      // The last line may be torn by the kill; a whole one follows its predecessor.
      if (t === acknowledged + 1) acknowledged = t;
      if (acknowledged === killAfter) child.kill('SIGKILL');
    }
    const [, signal] = await exited;
    assert.equal(signal, 'SIGKILL');
    assert.ok(acknowledged >= killAfter);

    const directory = await openStoreDirectory(path, storeOptions());
    const shard = await directory.openShard(1);
    const columns = shard.select([], 0, acknowledged);
    assert.equal(columns.length, 2);
    for (const { labels, timestamps, values } of columns) {
      const sign = labels.metricName === 'up' ? 1 : -1;
      assert.equal(timestamps.length, acknowledged);
      assert.ok(timestamps.every((t, i) => t === i + 1 && values[i] === sign * t));
    }
    await directory.close();
  }));
