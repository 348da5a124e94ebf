/**
 * Parses drawn texts, in a thread of its own: a text that hangs it or exhausts its heap ends the thread and not the
 * test. The number of the text that is being parsed lies in memory that both threads see.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { parseExpr, parseSelector, printExpr, QueryError } from '../../../src/promql/index.ts';
import { drawText } from './strings.ts';

export interface ParseTask {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  /** Holds the number of the current text. */
  readonly current: Int32Array<SharedArrayBuffer>;
  readonly parseMsMax: number;
}

export interface ParseReport {
  readonly texts: number;
  readonly valid: number;
  readonly slowestMs: number;
  readonly troubles: readonly Trouble[];
}

export interface Trouble {
  readonly index: number;
  readonly what: string;
}

const everything = {
  ...{ experimentalFunctions: true, durationExpressions: true },
  ...{ extendedRangeSelectors: true, fillModifiers: true },
};
const troublesMax = 20;
/** A slow text is tried again: a collection of garbage may have come between. */
const tries = 3;
/** A valid text is parsed twice and printed twice, not refused. */
const validTimes = 3;

/** What is wrong with how a text is treated, as far as can be said from here; undefined when all is well. */
function parseOne(text: string): { isValid: boolean; what?: string } {
  let isValid = false;
  for (const parse of [() => roundTrip(text), () => parseSelector(text)]) {
    try {
      parse();
      isValid = true;
    } catch (error) {
      if (!(error instanceof QueryError)) return { isValid, what: String((error as Error)?.stack ?? error) };
    }
  }
  return { isValid };
}

/** CPU of this thread: the machine may have other things to do. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Throws ParseError for what is no query, anything else for a query whose own print is none or another one. */
function roundTrip(text: string): void {
  const printed = printExpr(parseExpr(text, everything));
  let again: string;
  try {
    again = printExpr(parseExpr(printed, everything));
  } catch (error) {
    throw new Error(`is printed as ${printed}, which is refused: ${(error as Error).message}`);
  }
  if (again !== printed) throw new Error(`is printed as ${printed}, and that as ${again}`);
}

function run({ seed, from, to, current, parseMsMax }: ParseTask): ParseReport {
  const troubles: Trouble[] = [];
  let valid = 0;
  let slowestMs = 0;
  for (let index = from; index < to && troubles.length < troublesMax; index++) {
    Atomics.store(current, 0, index);
    const text = drawText(seed, index);
    let leastMs = Number.POSITIVE_INFINITY;
    let allowedMs = parseMsMax;
    for (let left = tries; left > 0 && leastMs > allowedMs; left--) {
      const beganMs = threadMs();
      const { isValid, what } = parseOne(text);
      leastMs = Math.min(leastMs, threadMs() - beganMs);
      if (what !== undefined) troubles.push({ index, what });
      if (isValid && left === tries) valid++;
      allowedMs = isValid ? parseMsMax * validTimes : parseMsMax;
      if (what !== undefined) break;
    }
    slowestMs = Math.max(slowestMs, leastMs);
    if (leastMs > allowedMs) troubles.push({ index, what: `took ${leastMs.toFixed(1)} ms` });
  }
  return { texts: to - from, valid, slowestMs, troubles };
}

parentPort?.postMessage(run(workerData as ParseTask));
