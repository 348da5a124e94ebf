/** Many texts through the parser, with a bound on the time of each and on the memory of all. */
import { Worker } from 'node:worker_threads';
import type { ParseReport, ParseTask, Trouble } from './parse_worker.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly texts: number;
  readonly report?: (done: number) => void;
}

export interface FuzzResult {
  readonly texts: number;
  /** Accepted as a query or as a selector. */
  readonly valid: number;
  readonly slowestMs: number;
  readonly troubles: readonly Trouble[];
}

/** To refuse one text; three times as long to accept it, to print it and to parse that again. */
const parseMsMax = 50;
/** The thread's heap: what texts leave behind would fill it soon. */
const heapMegabytesMax = 96;
const textsPerThread = 50_000;
/** Without any progress. */
const hangMs = 20_000;
const watchMs = 1000;

/** The texts 0 to `texts` of a seed. Troubles are few: a thread gives up early. */
export async function fuzz({ seed, texts, report }: FuzzOptions): Promise<FuzzResult> {
  const total = { texts: 0, valid: 0, slowestMs: 0, troubles: [] as Trouble[] };
  for (let from = 0; from < texts; from += textsPerThread) {
    const part = await inThread(seed, from, Math.min(texts, from + textsPerThread));
    total.texts += part.texts;
    total.valid += part.valid;
    total.slowestMs = Math.max(total.slowestMs, part.slowestMs);
    total.troubles.push(...part.troubles);
    report?.(total.texts);
  }
  return total;
}

async function inThread(seed: number, from: number, to: number): Promise<ParseReport> {
  const current = new Int32Array(new SharedArrayBuffer(4));
  const task: ParseTask = { seed, from, to, current, parseMsMax };
  const worker = new Worker(new URL('./parse_worker.ts', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytesMax },
  });
  let last = -1;
  let stillMs = 0;
  const ended = (what: string): ParseReport => {
    const index = Atomics.load(current, 0);
    return { texts: index - from, valid: 0, slowestMs: 0, troubles: [{ index, what }] };
  };
  return new Promise((resolve) => {
    const watch = setInterval(() => {
      const now = Atomics.load(current, 0);
      stillMs = now === last ? stillMs + watchMs : 0;
      last = now;
      if (stillMs >= hangMs) void worker.terminate();
    }, watchMs);
    worker.once('message', resolve);
    worker.once('error', (error: Error) => resolve(ended(`ended the thread: ${error.message}`)));
    worker.once('exit', () => {
      clearInterval(watch);
      // Does nothing when there was a report.
      resolve(ended('hangs'));
    });
  });
}
