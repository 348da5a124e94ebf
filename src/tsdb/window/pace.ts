/**
 * Cuts long work into slices: whoever works asks between small steps whether the slice is over, and waits for the rest
 * of the thread's business before the next. `breathe` lets that business run; time comes from the clock.
 */
import type { Clock } from '../../base/index.ts';
import { sliceBudgetMs } from './limits.ts';

export class Pace {
  readonly #clock: Clock;
  readonly #breathe: () => Promise<void>;
  readonly #budgetMs: number;
  #startedMs: number;

  constructor(clock: Clock, breathe: () => Promise<void>, budgetMs: number = sliceBudgetMs) {
    this.#clock = clock;
    this.#breathe = breathe;
    this.#budgetMs = budgetMs;
    this.#startedMs = clock.monotonicMs();
  }

  /** A promise to wait for when the slice is over, otherwise undefined: waiting costs even if it is for nothing. */
  pause(): Promise<void> | undefined {
    if (this.#clock.monotonicMs() - this.#startedMs < this.#budgetMs) return undefined;
    return this.#rest();
  }

  async #rest(): Promise<void> {
    await this.#breathe();
    this.#startedMs = this.#clock.monotonicMs();
  }
}

/** Items between two looks at the clock. */
const mappedAtOnce = 256;

/** `items.map(map)`, with pauses. */
export async function mapPaced<T, U>(items: readonly T[], map: (item: T) => U, pace: Pace): Promise<U[]> {
  const mapped: U[] = [];
  for (const item of items) {
    mapped.push(map(item));
    if (mapped.length % mappedAtOnce === 0) await pace.pause();
  }
  return mapped;
}
