/**
 * The rounds of maintenance of a store's shards: one at a time, in the order in which they were asked for, so that sealing
 * takes the memory and the time of one shard however many are due at once.
 */
import { errorText, type Logger } from '../../base/index.ts';
import { isDiskTrouble } from '../errors.ts';

export interface Maintained {
  readonly shard: number;
  maintain(nowMs: number): Promise<void>;
}

export class Maintenance {
  readonly #nowMs: () => number;
  readonly #log: Logger;
  /** Rounds that have not begun, by shard: one that runs began by an older clock. */
  readonly #waiting = new Map<Maintained, Promise<void>>();
  #last: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(nowMs: () => number, log: Logger) {
    this.#nowMs = nowMs;
    this.#log = log;
  }

  /** Resolves when a round has been tried; a failure is logged, and the next round tries again. */
  request(shard: Maintained): Promise<void> {
    const known = this.#waiting.get(shard);
    if (known !== undefined || this.#isStopped) return known ?? Promise.resolve();
    const round = this.#last.then(() => {
      this.#waiting.delete(shard);
      return this.#run(shard);
    });
    this.#waiting.set(shard, round);
    this.#last = round;
    return round;
  }

  /** Nothing new is begun; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#last;
  }

  async #run(shard: Maintained): Promise<void> {
    if (this.#isStopped) return;
    try {
      await shard.maintain(this.#nowMs());
    } catch (error) {
      // A disk in trouble has been logged where the trouble began.
      if (isDiskTrouble(error)) return;
      this.#log.error(
        { shard: shard.shard, err: errorText(error) },
        'Maintaining a shard failed; it is tried again',
      );
    }
  }
}
