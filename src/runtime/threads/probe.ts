/**
 * Asks a worker at intervals whether its event loop turns. Pure but for the clock: pings go out through `send`, pongs
 * come in through `pong`. A ping that is unanswered when the next is due counts as missed.
 */
import type { Clock, Timer } from '../../base/index.ts';

export interface ProbeEvents {
  readonly send: (id: number) => void;
  /** `missed`: pings in a row without an answer. */
  readonly onMissed: (missed: number) => void;
  /** A ping was answered after `elapsedMs`; `missed` is what the row had come to. */
  readonly onAnswered: (elapsedMs: number, missed: number) => void;
}

export class Probe {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #events: ProbeEvents;
  #id = 0;
  #sentMs = 0;
  #waiting = false;
  #missed = 0;
  #timer: Timer | undefined = undefined;

  constructor(clock: Clock, intervalMs: number, events: ProbeEvents) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#events = events;
  }

  start(): void {
    this.#timer = this.#clock.after(this.#intervalMs, () => this.#tick());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Pings in a row without an answer. */
  get missed(): number {
    return this.#missed;
  }

  pong(id: number): void {
    if (id !== this.#id || !this.#waiting) return;
    const missed = this.#missed;
    this.#waiting = false;
    this.#missed = 0;
    this.#events.onAnswered(this.#clock.monotonicMs() - this.#sentMs, missed);
  }

  #tick(): void {
    if (this.#waiting) {
      // The same ping stays open: a worker that was blocked answers it once, and the delay is measured whole.
      this.#missed++;
      this.#events.onMissed(this.#missed);
    } else {
      this.#waiting = true;
      this.#sentMs = this.#clock.monotonicMs();
      this.#id++;
      this.#events.send(this.#id);
    }
    if (this.#timer !== undefined) this.start();
  }
}
