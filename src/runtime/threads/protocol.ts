/** What control and worker say to each other about the worker's life, on a channel apart from the actors' messages. */
import type { MessagePort } from 'node:worker_threads';

/** Arrives in the worker as its workerData. */
export interface ThreadData<D> {
  readonly torchringThread: {
    readonly index: number;
    /** Pings, stop, ready. */
    readonly control: MessagePort;
    /** For `connectThread`. */
    readonly link: MessagePort;
  };
  readonly data: D;
}

export type ToThread = { readonly type: 'ping'; readonly id: number } | { readonly type: 'stop' };

export type FromThread =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly text: string }
  | { readonly type: 'pong'; readonly id: number }
  | { readonly type: 'stopped' };
