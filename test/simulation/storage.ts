/**
 * The storage part of the simulation: random histories of a shard, on a disk that fails and loses power, against plain
 * maps. Runs go in groups, each from its own seed, so that a failure of one is found again without those before it.
 */
import fc from 'fast-check';
import { errorText } from '../../src/base/index.ts';
import { MemoryDisk } from '../../src/tsdb/testing/memory_engine.ts';
import { openModelStore } from '../../src/tsdb/testing/model_store.ts';
import { type Scenario, scenario } from '../../src/tsdb/testing/shard_commands.ts';
import { ShardWorld } from '../../src/tsdb/testing/shard_world.ts';

const groupRuns = 50;

export interface StorageSimulation {
  readonly runs: number;
  /** The first group's seed; each group has the next. */
  readonly firstSeed: number;
  /** Of a failure that is to be run alone, as it was printed. */
  readonly path?: string | undefined;
  readonly print: (line: string) => void;
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

export async function simulateStorage({ runs, firstSeed, path, print }: StorageSimulation): Promise<Tally> {
  let passed = 0;
  let failed = 0;
  for (let seed = firstSeed; passed + failed < runs; seed++) {
    const numRuns = Math.min(groupRuns, runs - passed - failed);
    const settings = path === undefined ? { seed, numRuns } : { seed, numRuns, path, endOnFailure: true };
    const result = await fc.check(fc.asyncProperty(scenario, runOne), settings);
    if (!result.failed) {
      passed += numRuns;
      continue;
    }
    // The rest of the group is skipped, and counts neither way.
    passed += Math.max(0, result.numRuns - 1);
    failed++;
    print(JSON.stringify(result.counterexample?.[0]));
    print(`  storage seed ${seed}: ${errorText(result.errorInstance)}`);
    print(
      `  again: npm run test:simulation -- --storage-seed ${seed} --storage-path ${result.counterexamplePath}`,
    );
    if (path !== undefined) break;
  }
  return { passed, failed };
}

async function runOne(one: Scenario): Promise<void> {
  const memory = new MemoryDisk();
  const { openEngine } = memory;
  await new ShardWorld({ path: '', openEngine, memory, openStore: openModelStore }, one).run();
}
