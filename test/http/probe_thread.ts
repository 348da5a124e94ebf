/** Asks a port for its health again and again, apart from whatever else a test does; tells how long each took when asked. */
import { request } from 'node:http';
import { parentPort, Worker, workerData } from 'node:worker_threads';

const intervalMs = 100;

export interface Probing {
  /** Milliseconds of each probe. */
  stop(): Promise<readonly number[]>;
}

export function startProbing(port: number): Probing {
  const worker = new Worker(new URL(import.meta.url), { workerData: { port } });
  return {
    stop: () =>
      new Promise((resolve, reject) => {
        worker.on('error', reject);
        worker.on('message', (times: readonly number[]) => {
          resolve(times);
          void worker.terminate();
        });
        worker.postMessage('stop');
      }),
  };
}

function probe(port: number): Promise<number> {
  const beganMs = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: '/-/healthy' }, (response) => {
      response.resume();
      response.on('end', () => resolve(performance.now() - beganMs));
    });
    sent.on('error', reject);
    sent.end();
  });
}

if (parentPort !== null) {
  const port = parentPort;
  const { port: target } = workerData as { readonly port: number };
  const times: number[] = [];
  let isDone = false;
  port.on('message', () => {
    isDone = true;
  });
  while (!isDone) {
    times.push(await probe(target));
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
  port.postMessage(times);
}
