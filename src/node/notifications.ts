/** What the node wants its users to know right now: listed by the API, and told live to so many listeners at most. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { LiveNotifications, Notification } from '../api/index.ts';

export const notificationTexts = {
  reloadFailed: 'Configuration reload has failed.',
  starting: 'Torchring is starting and replaying the logs of its shards.',
  stopping: 'Torchring is shutting down and gracefully stopping all operations.',
} as const;

export class Notifications implements LiveNotifications {
  readonly #active = new Map<string, Notification>();
  readonly #listeners = new Set<(notification: Notification) => void>();
  readonly #listenersMax: number;
  readonly #nowMs: () => number;
  readonly #listenersCount: Gauge;
  readonly #sent: Counter;

  constructor(listenersMax: number, nowMs: () => number, registry: Registry) {
    this.#listenersMax = listenersMax;
    this.#nowMs = nowMs;
    const registers = [registry];
    this.#listenersCount = new Gauge({
      name: 'prometheus_api_notification_active_subscribers',
      help: 'The current number of active notification subscribers.',
      registers,
    });
    this.#sent = new Counter({
      name: 'prometheus_api_notification_updates_sent_total',
      help: 'Total number of notification updates sent.',
      registers,
    });
  }

  /** Told again when it holds already, with the new time. */
  add(text: string): void {
    const notification = { text, date: new Date(this.#nowMs()).toISOString(), active: true };
    this.#active.set(text, notification);
    this.#tell(notification);
  }

  remove(text: string): void {
    const known = this.#active.get(text);
    if (known === undefined) return;
    this.#active.delete(text);
    this.#tell({ ...known, active: false });
  }

  list(): readonly Notification[] {
    return [...this.#active.values()];
  }

  /** Tells what holds, then every change, until the function that is returned is called. */
  subscribe(listener: (notification: Notification) => void): (() => void) | undefined {
    if (this.#listeners.size >= this.#listenersMax) return undefined;
    this.#listeners.add(listener);
    this.#listenersCount.set(this.#listeners.size);
    for (const notification of this.#active.values()) listener(notification);
    return () => {
      this.#listeners.delete(listener);
      this.#listenersCount.set(this.#listeners.size);
    };
  }

  #tell(notification: Notification): void {
    for (const listener of this.#listeners) {
      this.#sent.inc();
      listener(notification);
    }
  }
}
