/** The promise of smallness: a node without work stays within its bound, from the first start of an installation on. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { canMeasure, startIdleNode } from './idle_node.ts';

const residentBytesMax = 150_000_000;
/** What each shard worker beyond the first may add; a node starts one per core but one. */
const workerBytesMax = 35_000_000;
const workersMax = 8;

const workers = Math.max(1, Math.min(workersMax, availableParallelism() - 1));
const bytesMax = residentBytesMax + (workers - 1) * workerBytesMax;
const skip = canMeasure ? false : 'NOT CHECKED: the memory of an idle node can only be read from /proc';
let root = '';

before(() => {
  root = mkdtempSync(join(tmpdir(), 'torchring-idle-'));
});
after(() => rmSync(root, { recursive: true, force: true }));

async function idleBytes(name: string): Promise<number> {
  const directory = join(root, name);
  mkdirSync(directory);
  const node = await startIdleNode(directory, join(root, 'cache'));
  try {
    return await node.settledBytes();
  } finally {
    await node.stop();
  }
}

for (const name of ['first', 'second']) {
  test(`an idle node stays within its memory after the ${name} start`, { skip }, async () => {
    const bytes = await idleBytes(name);
    assert.ok(bytes <= bytesMax, `${bytes} bytes resident, ${bytesMax} are allowed`);
  });
}
