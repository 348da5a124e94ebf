/** The engines that every suite of the store runs on, each with a fresh folder, and why one is not run on. */
import { errorText } from '../../base/index.ts';
import type { OpenEngine } from '../engine.ts';
import { assertEngineLoads, engineNamed } from '../engines.ts';
import { withFolder } from './fixtures.ts';
import { MemoryDisk } from './memory_engine.ts';

export interface TestedEngine {
  readonly name: string;
  /** Why it can't be tested here. */
  readonly skip: string | false;
  /** Calls `run` with a fresh path and cleans up. */
  withFolder(run: (path: string, openEngine: OpenEngine) => Promise<void>): Promise<void>;
}

const onDisk = (open: OpenEngine) => (run: (path: string, openEngine: OpenEngine) => Promise<void>) =>
  withFolder((path) => run(path, open));

async function rocksSkip(): Promise<string | false> {
  try {
    await assertEngineLoads('rocksdb');
    return false;
  } catch (error) {
    return `NOT CHECKED: ${errorText(error)}`;
  }
}

export const testedEngines: readonly TestedEngine[] = [
  { name: 'level', skip: false, withFolder: onDisk(engineNamed('level')) },
  { name: 'rocksdb', skip: await rocksSkip(), withFolder: onDisk(engineNamed('rocksdb')) },
  { name: 'memory', skip: false, withFolder: (run) => run('', new MemoryDisk().openEngine) },
];
