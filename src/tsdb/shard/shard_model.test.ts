/**
 * A shard against the slow and obvious one: whatever is appended, sealed, compacted, deleted, expired, handed over, copied,
 * interrupted or re-opened, in whatever order and at the same time, both say the same.
 */
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryDisk } from '../testing/memory_engine.ts';
import { openModelStore } from '../testing/model_store.ts';
import { type Scenario, scenario } from '../testing/shard_commands.ts';
import { ShardWorld } from '../testing/shard_world.ts';
import { testedEngines } from '../testing/tested_engines.ts';

const memoryRuns = Number(process.env['TORCHRING_MODEL_RUNS'] ?? 120);
/** Fewer: a real disk's engine takes milliseconds to open. */
const diskRuns: number = Math.ceil(memoryRuns / 20);

for (const { name, skip, withFolder } of testedEngines) {
  const isMemory = name === 'memory';
  test(`${name}: a shard holds what plain maps hold`, { skip }, async () => {
    const run = async (one: Scenario): Promise<void> => {
      if (isMemory) {
        const memory = new MemoryDisk();
        const { openEngine } = memory;
        return new ShardWorld({ path: '', openEngine, memory, openStore: openModelStore }, one).run();
      }
      await withFolder((path, openEngine) =>
        new ShardWorld({ path, openEngine, memory: undefined, openStore: openModelStore }, one).run(),
      );
    };
    await fc.assert(fc.asyncProperty(scenario, run), { numRuns: isMemory ? memoryRuns : diskRuns });
  });
}
