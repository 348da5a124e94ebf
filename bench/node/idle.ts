/** A node without work: how soon it is ready, the first time and later, and how much memory it keeps. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startIdleNode } from '../../test/memory/idle_node.ts';
import type { Figure } from '../figure.ts';

const megabyte = 1_000_000;
/** Of the control thread; those of the workers are in the resident memory. */
const heapFigures = {
  'heap of the control thread, used': 'nodejs_heap_size_used_bytes',
  'heap of the control thread, reserved': 'nodejs_heap_size_total_bytes',
} as const;

export default async function* idle(): AsyncGenerator<Figure> {
  const root = mkdtempSync(join(tmpdir(), 'torchring-idle-'));
  try {
    for (const start of ['first start', 'later start']) {
      const directory = join(root, start.replace(' ', '-'));
      mkdirSync(directory);
      const node = await startIdleNode(directory, join(root, 'cache'));
      try {
        yield { figure: `ready, ${start}`, value: node.readyMs, unit: 'ms' };
        yield { figure: `resident, ${start}`, value: (await node.settledBytes()) / megabyte, unit: 'MB' };
        yield* heaps(await node.metrics(), start);
      } finally {
        await node.stop();
      }
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function* heaps(metrics: string, start: string): Generator<Figure> {
  for (const [figure, metric] of Object.entries(heapFigures)) {
    const value = new RegExp(`^${metric}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(metrics)?.[1];
    if (value !== undefined)
      yield { figure: `${figure}, ${start}`, value: Number(value) / megabyte, unit: 'MB' };
  }
}
