/**
 * The query log (`global.query_log_file`): a line of JSON for each query that was evaluated, as Prometheus writes them. The
 * file is opened anew with every configuration, so that it can be moved away before a reload. A line that can't be written
 * is counted; queries never wait for the disk.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { QueryMetrics, QueryRecord } from '../actors/index.ts';
import { type Clock, CodedError, errorText, type Logger } from '../base/index.ts';

/** Bytes that may wait for the disk; further lines are lost, and counted. */
const waitingBytesMax = 16 * 1024 * 1024;
/** Queries of this program have no spans. */
const noSpan = '0000000000000000';

interface QueryLogDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<QueryMetrics, 'logEnabled' | 'logFailures'>;
}

export class QueryLog {
  readonly #deps: QueryLogDeps;
  #stream: Writable | undefined;

  constructor(deps: QueryLogDeps) {
    this.#deps = deps;
  }

  /** Rejects when the file can't be appended to. '' is no log. */
  async open(path: string): Promise<FileHandle | undefined> {
    if (path === '') return undefined;
    try {
      return await open(path, 'a');
    } catch (cause) {
      throw new CodedError('query_log', `the query log can't be opened: ${errorText(cause)}`, { cause });
    }
  }

  /** Writes to an opened file from now on. */
  use(file: FileHandle | undefined): void {
    this.#stream?.end();
    this.#deps.metrics.logEnabled.set(file === undefined ? 0 : 1);
    const stream = file?.createWriteStream();
    stream?.on('error', (error: Error) => {
      this.#deps.metrics.logFailures.inc();
      this.#deps.log.error({ err: errorText(error) }, 'the query log can not be written');
      if (this.#stream === stream) this.#stream = undefined;
    });
    this.#stream = stream;
  }

  write(record: QueryRecord): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    if (stream.writableLength > waitingBytesMax) this.#deps.metrics.logFailures.inc();
    else stream.write(`${JSON.stringify(this.#line(record))}\n`);
  }

  #line({ spec, origin, stats, error }: QueryRecord): object {
    const { startMs, endMs, stepMs, instant, expr } = spec;
    const step = instant ? 0 : Math.trunc(stepMs / 1000);
    return {
      time: new Date(this.#deps.clock.nowMs()).toISOString(),
      level: 'INFO',
      msg: 'promql query logged',
      params: { end: isoTime(endMs), query: expr, start: isoTime(startMs), step },
      ...(error === undefined ? {} : { error }),
      stats,
      spanID: noSpan,
      ...origin,
    };
  }

  /** Resolves when all lines are with the operating system. */
  async close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream !== undefined) await new Promise<void>((resolve) => stream.end(() => resolve()));
  }
}

/** A time that no calendar has is shown in seconds. */
function isoTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms / 1000) : date.toISOString();
}
