/**
 * Time as an argument. Nothing outside this file and the shells reads the system clock or sets a timer,
 * so that the simulator can replace time for a whole cluster.
 */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall time, milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Monotonic time in milliseconds from an arbitrary start, with fractions. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs`. */
  after(delayMs: number, run: () => void): Timer;
}

/** The longest delay that a platform timer takes: 2^31 - 1 ms. */
const platformDelayMsMax = 0x7fffffff;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const handle = setTimeout(run, Math.min(Math.max(0, delayMs), platformDelayMsMax));
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Resolves after `delayMs` on the given clock; rejects with the signal's reason when aborted before. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
