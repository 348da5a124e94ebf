/**
 * K worker threads of one entry file: started, probed, restarted with exponential backoff when they end by themselves,
 * stopped gracefully. The group knows nothing of actors; each start hands its owner a fresh port for `connectThread`,
 * because the old one died with its thread.
 */
import {
  MessageChannel,
  type MessagePort,
  type ResourceLimits,
  type Transferable,
  Worker,
} from 'node:worker_threads';
import type { Registry } from 'prom-client';
import { type Clock, errorText, type Logger, type Random, type Timer } from '../../base/index.ts';
import { backoffMs } from '../supervision.ts';
import { type ThreadMetrics, threadMetrics } from './metrics.ts';
import { Probe } from './probe.ts';
import type { FromThread, ThreadData, ToThread } from './protocol.ts';

export interface ThreadGroupOptions<D> {
  readonly entry: URL;
  readonly count: number;
  /** Made anew for every start; must be cloneable. */
  readonly data: (index: number) => D;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly registry?: Registry;
  /** A worker is running and ready; `restarts` is 0 the first time. Connect the link here. */
  readonly onStarted: (index: number, link: MessagePort, restarts: number) => void;
  /** A worker ended by itself; it will be started again after `delayMs`. Its link is closed. */
  readonly onCrashed?: (index: number, error: Error, delayMs: number) => void;
  /** A restart is done: called after `onStarted`. */
  readonly onRestart?: (index: number, restarts: number) => void;
  /** A worker hasn't answered for `missed` probes in a row. */
  readonly onProbeMissed?: (index: number, missed: number) => void;
  /** Default 1 s. */
  readonly probeIntervalMs?: number;
  /** First delay before a restart, doubled up to `backoffMaxMs`, forgotten after a minute of life; default 200 ms. */
  readonly backoffMinMs?: number;
  /** Default 10 s. */
  readonly backoffMaxMs?: number;
  readonly resourceLimits?: ResourceLimits;
}

const probeIntervalMsDefault = 1000;
const settledAfterMs = 60_000;

export class ThreadGroup<D> {
  readonly #threads: readonly Thread<D>[];

  constructor(options: ThreadGroupOptions<D>) {
    const metrics = options.registry === undefined ? undefined : threadMetrics(options.registry);
    this.#threads = Array.from({ length: options.count }, (_, index) => new Thread(options, index, metrics));
  }

  /** Resolves when all are ready; rejects, having stopped the others, when one fails its first start. */
  async start(): Promise<void> {
    try {
      await Promise.all(this.#threads.map((thread) => thread.firstStart()));
    } catch (error) {
      await this.stop(1000);
      throw error;
    }
  }

  /** Asks all to stop; those that haven't after `deadlineMs` are terminated. */
  async stop(deadlineMs: number): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.stop(deadlineMs)));
  }

  /** Probes in a row that each worker hasn't answered. */
  get probesMissed(): number[] {
    return this.#threads.map((thread) => thread.probesMissed);
  }
}

class Thread<D> {
  readonly #options: ThreadGroupOptions<D>;
  readonly #index: number;
  readonly #metrics: ThreadMetrics | undefined;
  #worker: Worker | undefined = undefined;
  #control: MessagePort | undefined = undefined;
  #link: MessagePort | undefined = undefined;
  #probe: Probe | undefined = undefined;
  #restarts = 0;
  /** Crashes since it last ran for a minute. */
  #crashes = 0;
  #startedMs = 0;
  #ready = false;
  #stopping = false;
  #lastError: Error | undefined = undefined;
  #restartTimer: Timer | undefined = undefined;
  #first: { resolve: () => void; reject: (error: Error) => void } | undefined = undefined;

  constructor(options: ThreadGroupOptions<D>, index: number, metrics: ThreadMetrics | undefined) {
    this.#options = options;
    this.#index = index;
    this.#metrics = metrics;
  }

  get probesMissed(): number {
    return this.#probe?.missed ?? 0;
  }

  firstStart(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#first = { resolve, reject };
      this.#start();
    });
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    this.#restartTimer?.cancel();
    this.#probe?.stop();
    const worker = this.#worker;
    if (worker === undefined) return;
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    this.#send({ type: 'stop' });
    const late = this.#options.clock.after(deadlineMs, () => {
      this.#options.log.error({ thread: this.#index, deadlineMs }, 'worker thread did not stop in time');
      void worker.terminate();
    });
    await exited;
    late.cancel();
  }

  #start(): void {
    const { entry, data, resourceLimits, clock } = this.#options;
    const control = new MessageChannel();
    const link = new MessageChannel();
    const workerData: ThreadData<D> = {
      torchringThread: { index: this.#index, control: control.port2, link: link.port2 },
      data: data(this.#index),
    };
    const transferList: Transferable[] = [control.port2, link.port2];
    const limits = resourceLimits === undefined ? {} : { resourceLimits };
    const worker = new Worker(entry, { workerData, transferList, name: `worker-${this.#index}`, ...limits });
    this.#worker = worker;
    this.#control = control.port1;
    this.#link = link.port1;
    this.#ready = false;
    this.#lastError = undefined;
    this.#startedMs = clock.monotonicMs();
    control.port1.on('message', (message: FromThread) => this.#receive(message));
    worker.on('error', (error: unknown) => {
      this.#lastError = error instanceof Error ? error : new Error(errorText(error));
    });
    worker.on('exit', (code) => this.#exited(code));
  }

  #send(message: ToThread): void {
    this.#control?.postMessage(message);
  }

  #receive(message: FromThread): void {
    if (message.type === 'pong') this.#probe?.pong(message.id);
    else if (message.type === 'ready') this.#becomeReady();
    else if (message.type === 'failed') {
      this.#options.log.error({ thread: this.#index, err: message.text }, 'worker thread failed to start');
    }
  }

  #becomeReady(): void {
    if (this.#stopping || this.#link === undefined) return;
    this.#ready = true;
    this.#metrics?.up.set({ thread: this.#index }, 1);
    this.#startProbe();
    this.#options.onStarted(this.#index, this.#link, this.#restarts);
    if (this.#restarts > 0) this.#options.onRestart?.(this.#index, this.#restarts);
    this.#first?.resolve();
    this.#first = undefined;
  }

  #startProbe(): void {
    const thread = this.#index;
    const { clock, log, probeIntervalMs = probeIntervalMsDefault, onProbeMissed } = this.#options;
    this.#probe = new Probe(clock, probeIntervalMs, {
      send: (id) => this.#send({ type: 'ping', id }),
      onMissed: (missed) => {
        this.#metrics?.missed.inc({ thread });
        if (missed === 1) log.warn({ thread }, 'worker thread does not answer');
        onProbeMissed?.(thread, missed);
      },
      onAnswered: (elapsedMs, missed) => {
        this.#metrics?.delay.set({ thread }, elapsedMs / 1000);
        if (missed > 0) log.info({ thread, elapsedMs: Math.round(elapsedMs) }, 'worker thread answers again');
      },
    });
    this.#probe.start();
  }

  #exited(code: number): void {
    const { log, clock, onCrashed } = this.#options;
    const error = this.#lastError ?? new Error(`worker thread ${this.#index} ended with exit code ${code}`);
    this.#probe?.stop();
    this.#probe = undefined;
    this.#control?.close();
    this.#link?.close();
    this.#worker = undefined;
    this.#metrics?.up.set({ thread: this.#index }, 0);
    if (this.#first !== undefined) {
      this.#first.reject(error);
      this.#first = undefined;
      return;
    }
    if (this.#stopping) return;
    const delayMs = this.#nextDelayMs();
    log.error(
      { thread: this.#index, err: error.message, delayMs: Math.round(delayMs) },
      'worker thread crashed',
    );
    this.#restartTimer = clock.after(delayMs, () => this.#restart());
    onCrashed?.(this.#index, error, delayMs);
  }

  #nextDelayMs(): number {
    const { clock, random, backoffMinMs = 200, backoffMaxMs = 10_000 } = this.#options;
    const settled = this.#ready && clock.monotonicMs() - this.#startedMs >= settledAfterMs;
    this.#crashes = settled ? 1 : this.#crashes + 1;
    return backoffMs(this.#crashes, { minMs: backoffMinMs, maxMs: backoffMaxMs, jitter: 0.2 }, random);
  }

  #restart(): void {
    this.#restarts++;
    this.#metrics?.restarts.inc({ thread: this.#index });
    this.#start();
  }
}
