import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runWeek } from './week.ts';

test('a day of scrapes written through remote write is there, sealed, and there after a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'torchring-week-'));
  try {
    const { wrong, diskBytes, samples } = await runWeek(directory, {
      days: 1,
      series: 60,
      onProgress: () => undefined,
    });
    assert.deepEqual(wrong, []);
    // A log alone would take more than 10 bytes a sample.
    assert.ok(diskBytes / samples < 8, `${diskBytes / samples} bytes a sample`);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
