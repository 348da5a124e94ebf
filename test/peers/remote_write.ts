/** Watches the queue of a real Prometheus that remote-writes, through its own metrics. */
import { until } from '../scenario/api.ts';
import type { Program } from './programs.ts';

const sendDeadlineMs = 90_000;

/** The sum over all label sets of one of the program's own metrics. */
export async function ownMetric(program: Program, name: string): Promise<number> {
  const response = await fetch(`${program.url}/metrics`, { signal: AbortSignal.timeout(10_000) });
  let sum = 0;
  for (const line of (await response.text()).split('\n')) {
    if (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) sum += Number(line.split(' ').at(-1));
  }
  return sum;
}

/** Resolves when every sample up to a time has been sent and acknowledged. */
export async function untilSent(program: Program, toSeconds: number): Promise<void> {
  await until(`samples up to ${toSeconds} are acknowledged`, sendDeadlineMs, async () => {
    const sent = await ownMetric(program, 'prometheus_remote_storage_queue_highest_sent_timestamp_seconds');
    return sent >= toSeconds ? true : undefined;
  });
}
