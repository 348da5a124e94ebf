/** Time as a clock on the wall has it, and as this thread used it: on a busy machine only the second means anything. */
export interface Spent {
  readonly spentMs: number;
  /** CPU of this thread; the kernel counts in steps of some ms, so that only sums over many stretches are right. */
  readonly threadMs: number;
}

/** Starts; gives what stops. */
export function stopwatch(): () => Spent {
  const beganMs = performance.now();
  const cpu = process.threadCpuUsage();
  return () => {
    const spentMs = performance.now() - beganMs;
    const { user, system } = process.threadCpuUsage(cpu);
    return { spentMs, threadMs: (user + system) / 1000 };
  };
}
