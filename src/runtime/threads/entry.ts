/**
 * The worker's side: an entry file calls `runThread` with its main function, which gets its data and the port for
 * `connectThread`, and returns how to stop. Pings are answered by the worker's event loop on purpose: a worker that is
 * busy for long misses them, which is what the probe is to see.
 */
import { type MessagePort, workerData } from 'node:worker_threads';
import { errorText } from '../../base/index.ts';
import type { FromThread, ThreadData, ToThread } from './protocol.ts';

export interface ThreadContext<D> {
  /** 0 ... count - 1; a restarted worker keeps it. */
  readonly index: number;
  readonly data: D;
  readonly link: MessagePort;
}

/** Starts, and resolves with the function that stops gracefully. A rejection counts as a crash. */
export type ThreadMain<D> = (context: ThreadContext<D>) => Promise<() => Promise<void>>;

/** To be called once, by the entry file of a worker that a ThreadGroup started. */
export async function runThread<D>(main: ThreadMain<D>): Promise<void> {
  const { torchringThread, data } = workerData as ThreadData<D>;
  const { index, control, link } = torchringThread;
  const send = (message: FromThread): void => control.postMessage(message);
  let stop: (() => Promise<void>) | undefined;
  control.on('message', (message: ToThread) => {
    if (message.type === 'ping') send({ type: 'pong', id: message.id });
    else void finish(stop, control, link, send);
  });
  try {
    stop = await main({ index, data, link });
  } catch (error) {
    send({ type: 'failed', text: errorText(error) });
    // The crash goes on as one, so that its stack is printed and the group restarts the worker.
    throw error;
  }
  send({ type: 'ready' });
}

async function finish(
  stop: (() => Promise<void>) | undefined,
  control: MessagePort,
  link: MessagePort,
  send: (message: FromThread) => void,
): Promise<void> {
  await stop?.();
  send({ type: 'stopped' });
  link.close();
  control.close();
}
