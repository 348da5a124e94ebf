/**
 * A timeline in virtual time: push alerts at moments, read which notifications went out between them. Plays the
 * node: commits records to a shared log, delivers notifications, can lose the leader at chosen points.
 */
import type { StoredAlert } from '../alert.ts';
import type { AlertmanagerConfig } from '../config.ts';
import { Dispatcher, type DispatcherOptions } from '../dispatcher.ts';
import type { DispatcherEffect, DispatcherEvent, NotifyFailure, NotifyRequest } from '../effects.ts';
import { NotificationLog, type NotificationRecord } from '../notification_log.ts';
import { parsePostedAlerts } from '../posted_alerts.ts';

export interface Delivery {
  readonly atMs: number;
  readonly request: NotifyRequest;
  /** `receiver[index] reason: +firing... -resolved...`, alerts by their `id` label. */
  readonly text: string;
}

/** Where the leader dies. */
export type CrashPoint = 'before the intent' | 'before sending' | 'after sending' | 'none';

function describe(request: NotifyRequest): string {
  const { intent, alerts } = request;
  const shown = alerts.map((alert) => `${alert.endsAtMs === undefined ? '+' : '-'}${alert.labels['id']}`);
  return `${intent.receiver} ${intent.reason}: ${shown.join(' ')}`;
}

export class Timeline {
  nowMs: number;
  log: NotificationLog = new NotificationLog();
  readonly deliveries: Delivery[] = [];
  readonly logged: string[] = [];
  crash: CrashPoint = 'none';
  quorum = true;
  /** What receivers answer. */
  answer: (request: NotifyRequest) => NotifyFailure | undefined = () => undefined;
  /** Notifications in the hands of a slow receiver. */
  readonly held: NotifyRequest[] = [];
  slow = false;
  #config: AlertmanagerConfig;
  readonly #options: Partial<DispatcherOptions>;
  #leader: Dispatcher | undefined;

  constructor(
    config: AlertmanagerConfig,
    options: Partial<DispatcherOptions> = {},
    nowMs: number = Date.UTC(2024, 0, 1),
  ) {
    this.nowMs = nowMs;
    this.#config = config;
    this.#options = options;
    this.elect();
  }

  get leader(): Dispatcher {
    if (this.#leader === undefined) throw new Error('there is no leader');
    return this.#leader;
  }

  get alive(): boolean {
    return this.#leader !== undefined;
  }

  /** A new leader, built from a snapshot of the replicated log that went through JSON. */
  elect(): void {
    this.log = NotificationLog.restore(JSON.parse(JSON.stringify(this.log.snapshot())));
    this.crash = 'none';
    this.#leader = new Dispatcher({
      config: this.#config,
      log: this.log,
      silences: [],
      startDelayMs: 5_000,
      onQuorumLoss: 'notify',
      ...this.#options,
    });
    this.#carryOut(this.#leader.start(this.nowMs));
  }

  die(): void {
    this.#leader = undefined;
    this.held.length = 0;
  }

  step(event: DispatcherEvent): void {
    if (event.kind === 'config') this.#config = event.config;
    if (this.#leader !== undefined) this.#carryOut(this.#leader.step(event, this.nowMs));
  }

  /** Reports alerts by id; `ends` 0: firing until the resolve timeout, otherwise resolved that long ago. */
  push(
    ...alerts: { id: string; labels?: Record<string, string>; resolvedMs?: number; startedMs?: number }[]
  ): void {
    const body = alerts.map(({ id, labels, resolvedMs, startedMs }) => ({
      labels: { alertname: 'A', id, ...labels },
      startsAt: new Date(this.nowMs - (startedMs ?? 0) - (resolvedMs ?? 0)).toISOString(),
      ...(resolvedMs === undefined ? {} : { endsAt: new Date(this.nowMs - resolvedMs).toISOString() }),
    }));
    const parsed: readonly StoredAlert[] = parsePostedAlerts(
      body,
      this.nowMs,
      this.#config.global.resolveTimeoutMs,
    ).alerts;
    this.step({ kind: 'alerts', alerts: parsed });
  }

  /** Lets time pass, a second at a time; `each` runs before every tick. */
  pass(durationMs: number, each: () => void = () => undefined): string[] {
    const endMs = this.nowMs + durationMs;
    const before = this.deliveries.length;
    while (this.nowMs < endMs) {
      this.nowMs = Math.min(endMs, this.nowMs + 1000);
      each();
      this.step({ kind: 'tick' });
    }
    return this.deliveries.slice(before).map((delivery) => delivery.text);
  }

  /** A slow receiver answers. */
  release(failure?: NotifyFailure): void {
    for (const request of this.held.splice(0)) this.#deliver(request, failure);
  }

  #deliver(request: NotifyRequest, failure: NotifyFailure | undefined): void {
    this.deliveries.push({ atMs: this.nowMs, request, text: describe(request) });
    if (this.crash === 'after sending') this.die();
    else this.step({ kind: 'notified', key: request.intent.key, failure });
  }

  #commit(record: NotificationRecord): void {
    if (!this.quorum) {
      this.step({ kind: 'commitFailed', record });
      return;
    }
    this.log.apply(JSON.parse(JSON.stringify(record)));
    this.step({ kind: 'committed', record });
  }

  #carryOut(effects: readonly DispatcherEffect[]): void {
    for (const effect of effects) {
      if (this.#leader === undefined) return;
      switch (effect.kind) {
        case 'log':
          this.logged.push(effect.message);
          break;
        case 'persistIntent':
          if (this.crash === 'before the intent') this.die();
          else this.#commit(effect.record);
          break;
        case 'persistOutcome':
          this.#commit(effect.record);
          break;
        case 'notify':
          if (this.crash === 'before sending') this.die();
          else if (this.slow) this.held.push(effect.request);
          else this.#deliver(effect.request, this.answer(effect.request));
      }
    }
  }
}
