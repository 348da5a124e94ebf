/**
 * What happens to an actor that threw: restart after an exponential backoff, at most so many times in a window, or
 * stop, or escalate (the parent fails with the same error). Pure: time and randomness come in as arguments.
 * The strategies are Erlang/OTP's restart intensity joined with Akka's backoff supervisor.
 */
import type { Random } from '../base/index.ts';

export type FailureDirective = 'restart' | 'stop' | 'escalate';

export interface Supervision {
  /** Default `restart`. A function decides by the error. */
  readonly onFailure?: FailureDirective | ((error: unknown) => FailureDirective);
  /** Delay before the first restart within a window, doubled with each further one; default 100 ms. */
  readonly backoffMinMs?: number;
  /** Default 10 s. */
  readonly backoffMaxMs?: number;
  /** Up to this fraction is added at random to every delay; default 0.2. */
  readonly backoffJitter?: number;
  /** More restarts than this within `windowMs` end in `afterLimit`; default 10. */
  readonly restartsMax?: number;
  /** Default 60 s. */
  readonly windowMs?: number;
  /** Default `escalate`; at the top of a system that is a stop and an error in the log. */
  readonly afterLimit?: 'stop' | 'escalate';
}

export type FailureDecision =
  | { readonly action: 'restart'; readonly delayMs: number }
  | { readonly action: 'stop' | 'escalate' };

/** delay(n) = min(maxMs, minMs × 2^(n-1)) × (1 + jitter × random) for the n-th restart in a window. */
export function backoffMs(
  restart: number,
  shape: { minMs: number; maxMs: number; jitter: number },
  random: Random,
): number {
  const grown = Math.min(shape.maxMs, shape.minMs * 2 ** Math.min(restart - 1, 50));
  return grown * (1 + shape.jitter * random.next());
}

/** Remembers the restarts of one actor. */
export class RestartTracker {
  readonly #supervision: Supervision;
  #restartsAtMs: number[] = [];

  constructor(supervision: Supervision | undefined) {
    this.#supervision = supervision ?? {};
  }

  decide(error: unknown, nowMs: number, random: Random): FailureDecision {
    const { onFailure = 'restart', restartsMax = 10, windowMs = 60_000, afterLimit } = this.#supervision;
    const directive = typeof onFailure === 'function' ? onFailure(error) : onFailure;
    if (directive !== 'restart') return { action: directive };
    this.#restartsAtMs = this.#restartsAtMs.filter((atMs) => atMs > nowMs - windowMs);
    if (this.#restartsAtMs.length >= restartsMax) return { action: afterLimit ?? 'escalate' };
    this.#restartsAtMs.push(nowMs);
    const { backoffMinMs = 100, backoffMaxMs = 10_000, backoffJitter = 0.2 } = this.#supervision;
    const shape = { minMs: backoffMinMs, maxMs: backoffMaxMs, jitter: backoffJitter };
    return { action: 'restart', delayMs: backoffMs(this.#restartsAtMs.length, shape, random) };
  }
}
