/** Where the thread of a shard worker begins, and what it is given; for those who start threads. */
import type { LogFormat, LogLevel } from '../../base/index.ts';
import { loadOtlp } from '../../remote/index.ts';
import type { WorkerSettings } from './start_worker.ts';

export const workerEntry: URL = new URL('./worker_main.ts', import.meta.url);

/** Loads what a worker's thread would, without starting anything. */
export async function loadWorker(): Promise<void> {
  await Promise.all([import('./worker_main.ts'), loadOtlp()]);
}

export interface WorkerData {
  readonly settings: WorkerSettings;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}
