import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../bin/torchring', import.meta.url));

/** Makes an installation one without the binding. */
const withoutBinding = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === '@nxtedition/rocksdb') throw new Error('Cannot find package');
      return next(specifier, context);
    },
  });
`)}`;

test('an engine that is not installed is one line and exit code 2, and marks no data directory', () => {
  const root = mkdtempSync(join(tmpdir(), 'torchring-engine-'));
  try {
    const config = join(root, 'prometheus.yml');
    const data = join(root, 'data');
    writeFileSync(config, '');
    const words = [
      'node',
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      '--storage.engine=rocksdb',
    ];
    const { status, stderr } = spawnSync(process.execPath, ['--import', withoutBinding, program, ...words], {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: `--import=${withoutBinding}` },
      timeout: 30_000,
    });
    const lines = stderr.split('\n').filter((line) => line.startsWith('torchring: '));
    assert.equal(status, 2, stderr);
    assert.equal(lines.length, 1, stderr);
    assert.match(
      lines[0] ?? '',
      /RocksDB cannot be used here: .*@nxtedition\/rocksdb does not load \(Cannot find/,
    );
    assert.equal(existsSync(data), false);
  } finally {
    rmSync(root, { recursive: true });
  }
});
