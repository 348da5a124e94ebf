/** Lets so many through at a time; the others wait in a bounded line, in the order in which they came. */

export interface GateOptions {
  /** How many may be inside; 0 lets all in. */
  readonly max: number;
  readonly waitingMax: number;
  /** What one is told that finds the line full. */
  readonly whenFull: () => Error;
}

export class Gate {
  readonly #options: GateOptions;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  get inside(): number {
    return this.#inside;
  }

  /** Those that are inside or wait. */
  get size(): number {
    return this.#inside + this.#waiting.size;
  }

  /** Each that is let in leaves once. Rejects with `whenFull`'s error, or with the signal's reason. */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { max, waitingMax, whenFull } = this.#options;
    if (max === 0 || this.#inside < max) {
      this.#inside++;
      return;
    }
    if (this.#waiting.size >= waitingMax) throw whenFull();
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
