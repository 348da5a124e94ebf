/** One log line per subject and interval: a peer that is refused once a second must not fill the log. */
import type { Clock } from '../../base/index.ts';

const intervalMs = 60_000;
const subjectsMax = 256;

export class LogThrottle {
  readonly #clock: Clock;
  readonly #lastMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the subject may be logged now. */
  allows(subject: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const lastMs = this.#lastMs.get(subject);
    if (lastMs !== undefined && nowMs - lastMs < intervalMs) return false;
    if (this.#lastMs.size >= subjectsMax) this.#lastMs.clear();
    this.#lastMs.set(subject, nowMs);
    return true;
  }
}
