/**
 * Long work (evaluating a query, joining what places sent, making an answer) lets other events in from time to time, so that
 * a deadline and a cancellation are noticed.
 */
import type { Clock } from '../base/index.ts';

/** Work runs at most this long before it lets other events in. */
const sliceMs = 20;

export class Pace {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #sliceEndMs: number;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
    this.#sliceEndMs = clock.monotonicMs() + sliceMs;
  }

  /** Whether the slice is used up; then `pause` is due. */
  get due(): boolean {
    return this.#clock.monotonicMs() >= this.#sliceEndMs;
  }

  /** Rejects with the signal's reason. */
  async pause(): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.after(0, resolve));
    this.#signal.throwIfAborted();
    this.#sliceEndMs = this.#clock.monotonicMs() + sliceMs;
  }
}
