/**
 * The loop of every mechanism that asks: at once, then at an interval, and earlier when woken. An answer that
 * can't be had leaves the last good one in force.
 */
import { type Clock, errorText, type Logger, type Random } from '../base/index.ts';
import type { DiscoveryMetrics } from './metrics.ts';
import type { Publish, TargetGroup } from './target_group.ts';

export interface DiscoveryDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: DiscoveryMetrics;
  readonly random: Random;
  /** Of this program, as servers are told it. */
  readonly version: string;
}

/** The shortest pause between two refreshes, however short the interval is. */
const pauseMsMin = 10;

export interface RefreshOptions {
  readonly mechanism: string;
  readonly intervalMs: number;
  readonly refresh: (signal: AbortSignal) => Promise<readonly TargetGroup[]>;
  /** Given a function that asks for a refresh now; calls while one runs are folded into one more. */
  readonly onStart?: (wake: () => void) => void;
}

/** Resolves when the signal is aborted. */
export async function runRefreshLoop(
  options: RefreshOptions,
  deps: DiscoveryDeps,
  publish: Publish,
  signal: AbortSignal,
): Promise<void> {
  const alarm = new Alarm(deps.clock, signal);
  options.onStart?.(() => alarm.wake());
  while (!signal.aborted) {
    alarm.reset();
    const startedAtMs = deps.clock.monotonicMs();
    await refreshOnce(options, deps, publish, signal);
    const tookMs = deps.clock.monotonicMs() - startedAtMs;
    await alarm.wait(Math.max(pauseMsMin, options.intervalMs - tookMs));
  }
}

async function refreshOnce(
  { mechanism, refresh }: RefreshOptions,
  { clock, log, metrics }: DiscoveryDeps,
  publish: Publish,
  signal: AbortSignal,
): Promise<void> {
  const startedAtMs = clock.monotonicMs();
  try {
    const groups = await refresh(signal);
    if (!signal.aborted) publish(groups);
  } catch (error) {
    if (signal.aborted) return;
    metrics.refreshFailures.inc({ mechanism });
    log.error({ mechanism, err: errorText(error) }, 'discovery failed, the last good targets stay');
  } finally {
    const seconds = (clock.monotonicMs() - startedAtMs) / 1000;
    metrics.refreshDuration.observe({ mechanism }, seconds);
    metrics.refreshDurations.observe({ mechanism }, seconds);
  }
}

/** A wait that ends by time, by a wake-up (also one that came before) or by the signal. */
class Alarm {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #isWoken = false;
  #ring: (() => void) | undefined;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
  }

  wake(): void {
    this.#isWoken = true;
    this.#ring?.();
  }

  reset(): void {
    this.#isWoken = false;
  }

  async wait(durationMs: number): Promise<void> {
    if (this.#isWoken || this.#signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(durationMs, () => done());
      const done = (): void => {
        this.#ring = undefined;
        timer.cancel();
        this.#signal.removeEventListener('abort', done);
        resolve();
      };
      this.#ring = done;
      this.#signal.addEventListener('abort', done, { once: true });
    });
  }
}
