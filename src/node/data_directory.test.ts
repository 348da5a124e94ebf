import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDataDirectory } from './data_directory.ts';

function withFolder(run: (path: string) => void): void {
  const path = mkdtempSync(join(tmpdir(), 'torchring-data-'));
  try {
    run(path);
  } finally {
    rmSync(path, { recursive: true });
  }
}

const settings = { nodeId: '', clusterName: 'c', shards: 128, stores: 2, engine: 'level' } as const;

test('a restarted node is the same member', () => {
  withFolder((path) => {
    const born = openDataDirectory({ ...settings, path });
    assert.match(born.nodeId, /^node-[0-9a-f]{8}$/);
    assert.deepEqual(openDataDirectory({ ...settings, path, stores: 8 }), born);
  });
});

test('a directory of another cluster, number of shards or node is refused', () => {
  withFolder((path) => {
    openDataDirectory({ ...settings, path, nodeId: 'a' });
    assert.throws(
      () => openDataDirectory({ ...settings, path, clusterName: 'd' }),
      /--cluster.name c, not d/,
    );
    assert.throws(() => openDataDirectory({ ...settings, path, shards: 64 }), /--cluster.shards 128, not 64/);
    assert.throws(() => openDataDirectory({ ...settings, path, nodeId: 'b' }), /--node.id a, not b/);
    assert.throws(
      () => openDataDirectory({ ...settings, path, engine: 'rocksdb' }),
      /--storage.engine level, not rocksdb/,
    );
  });
});

test('a damaged identity is an error, not a new member', () => {
  withFolder((path) => {
    openDataDirectory({ ...settings, path });
    writeFileSync(join(path, 'node.json'), '{"nodeId"');
    assert.throws(() => openDataDirectory({ ...settings, path }), /is damaged/);
    assert.equal(readFileSync(join(path, 'node.json'), 'utf8'), '{"nodeId"');
  });
});

test('a directory from before there were engines to choose from has the first one', () => {
  withFolder((path) => {
    const { engine: _, ...born } = openDataDirectory({ ...settings, path });
    writeFileSync(join(path, 'node.json'), JSON.stringify(born));
    assert.deepEqual(openDataDirectory({ ...settings, path }), { ...born, engine: 'level' });
    assert.throws(() => openDataDirectory({ ...settings, path, engine: 'rocksdb' }), /level, not rocksdb/);
  });
});
