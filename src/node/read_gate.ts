/** Lets so many remote reads be answered at a time; the others wait in a line that is bounded. */
import { CodedError } from '../base/index.ts';

const waitingMax = 1_000;

export class ReadGate {
  readonly #max: number;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  /** `max`: 0 lets all in. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Those that are answered or wait. */
  get size(): number {
    return this.#inside + this.#waiting.size;
  }

  /** Rejects with `too_many_reads`, or with the signal's reason. */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#max === 0 || this.#inside < this.#max) {
      this.#inside++;
      return;
    }
    if (this.#waiting.size >= waitingMax) {
      throw new CodedError('too_many_reads', 'too many remote reads are waiting, try again later');
    }
    await new Promise<void>((resolve, reject) => {
      const wake = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#waiting.delete(wake);
        reject(signal.reason);
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Hands the place to the one who waited longest. */
  leave(): void {
    const next = this.#waiting.values().next().value;
    if (next === undefined) {
      this.#inside--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
