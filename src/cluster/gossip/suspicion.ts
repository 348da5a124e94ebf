/**
 * How long a suspect has to refute. Lifeguard's dogpile rule (Dadgar, Phillips, Currey 2018, section IV-B):
 * the time starts long and shrinks logarithmically with every independent confirmation.
 */
import { confirmationsMax, type GossipOptions, suspicionMaxFactor } from './options.ts';

/** Total duration of a suspicion with `confirmations` beside the first, among `members` living members. */
export function suspicionTimeoutMs(options: GossipOptions, members: number, confirmations: number): number {
  const minMs =
    options.suspicionFactor * Math.max(1, Math.log10(Math.max(1, members))) * options.probeIntervalMs;
  // The suspect and the first suspecter can't confirm; without enough others nobody is waited for.
  if (members - 2 < confirmationsMax) return minMs;
  const maxMs = minMs * suspicionMaxFactor;
  const share = Math.log(Math.min(confirmations, confirmationsMax) + 1) / Math.log(confirmationsMax + 1);
  return maxMs - share * (maxMs - minMs);
}

/** A suspicion that is running. */
export class Suspicion {
  #startedMs: number;
  readonly #by = new Set<string>();

  constructor(startedMs: number, by: string) {
    this.#startedMs = startedMs;
    this.#by.add(by);
  }

  /** True when `by` is a new voice that still counts. */
  confirm(by: string): boolean {
    if (this.#by.has(by) || this.#by.size > confirmationsMax) return false;
    this.#by.add(by);
    return true;
  }

  /** Time in which this node could not have heard a refutation does not count. */
  postpone(byMs: number): void {
    this.#startedMs += byMs;
  }

  expired(options: GossipOptions, members: number, nowMs: number): boolean {
    return nowMs - this.#startedMs >= suspicionTimeoutMs(options, members, this.#by.size - 1);
  }
}
