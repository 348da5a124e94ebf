/**
 * The entry of a shard worker's thread. It lies here, and not where threads are started, because each thread loads all
 * that its entry imports: past the room's index, it goes without what only the control thread needs.
 */
import { isMainThread } from 'node:worker_threads';
import { createLogger, forgetStart, systemClock, systemRandom } from '../../base/index.ts';
import { runThread, type ThreadMain } from '../../runtime/index.ts';
import { startWorker } from './start_worker.ts';
import type { WorkerData } from './worker_entry.ts';

const main: ThreadMain<WorkerData> = async ({ index, data, link }) => {
  const log = createLogger({ level: data.logLevel, format: data.logFormat }).child({ worker: index });
  const stop = await startWorker(index, data.settings, link, {
    clock: systemClock,
    random: systemRandom(),
    log,
  });
  forgetStart();
  return stop;
};

if (!isMainThread) await runThread(main);
