/**
 * The log of failed scrapes (`scrape_failure_log_file`): a line of JSON for each, as Prometheus writes them, with the job and the
 * target. Several threads append to one file, a line at a time. Scrapes never wait for the disk.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { type Clock, errorText, type Logger } from '../base/index.ts';
import { ScrapeError } from './errors.ts';

/** Bytes that may wait for the disk; further lines are lost. */
const waitingBytesMax = 4 * 1024 * 1024;

export class FailureLog {
  readonly #file: FileHandle;
  readonly #stream: Writable;
  readonly #clock: Clock;
  #isBroken = false;

  private constructor(file: FileHandle, clock: Clock, log: Logger) {
    this.#file = file;
    this.#clock = clock;
    this.#stream = file.createWriteStream();
    this.#stream.on('error', (error: Error) => {
      this.#isBroken = true;
      log.error({ err: errorText(error) }, 'the log of failed scrapes can not be written');
    });
  }

  /** Rejects with ScrapeError when the file can't be appended to. */
  static async open(path: string, clock: Clock, log: Logger): Promise<FailureLog> {
    try {
      return new FailureLog(await open(path, 'a'), clock, log);
    } catch (cause) {
      throw new ScrapeError('failure_log', `can't create json log file: ${errorText(cause)}`, { cause });
    }
  }

  write(job: string, target: string, message: string): void {
    if (this.#isBroken || this.#stream.writableLength > waitingBytesMax) return;
    const time = new Date(this.#clock.nowMs()).toISOString();
    this.#stream.write(`${JSON.stringify({ time, level: 'ERROR', msg: message, job_name: job, target })}\n`);
  }

  /** What was written before is on its way to the file; resolves when it is there. */
  async close(): Promise<void> {
    if (this.#isBroken) await this.#file.close();
    else await new Promise<void>((resolve) => this.#stream.end(resolve));
  }
}
