/**
 * The entry of a shard worker's thread. It lies here, and not where threads are started, because each thread loads all
 * that its entry imports: past the room's index, it goes without what only the control thread needs.
 */
import { createLogger, systemClock, systemRandom } from '../../base/index.ts';
import { runThread } from '../../runtime/index.ts';
import { startWorker } from './start_worker.ts';
import type { WorkerData } from './worker_entry.ts';

await runThread<WorkerData>(({ index, data, link }) => {
  const log = createLogger({ level: data.logLevel, format: data.logFormat }).child({ worker: index });
  return startWorker(index, data.settings, link, { clock: systemClock, random: systemRandom(), log });
});
