/** The entry of a shard worker's thread. */
import { startWorker, type WorkerSettings } from '../actors/index.ts';
import { createLogger, type LogFormat, type LogLevel, systemClock, systemRandom } from '../base/index.ts';
import { runThread } from '../runtime/index.ts';

export interface WorkerData {
  readonly settings: WorkerSettings;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

await runThread<WorkerData>(({ index, data, link }) => {
  const log = createLogger({ level: data.logLevel, format: data.logFormat }).child({ worker: index });
  return startWorker(index, data.settings, link, { clock: systemClock, random: systemRandom(), log });
});
