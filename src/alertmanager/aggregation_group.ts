/** The alerts of one route that share their group labels, and when they are looked at next. */
import type { Labels } from '../model/index.ts';
import { isResolved, type StoredAlert } from './alert.ts';
import { labelSetText } from './matchers.ts';
import type { RouteNode } from './route.ts';

/** A flush whose notifications are under way. */
interface Flush {
  /** Resolved alerts that it tells about, as they were. */
  readonly resolved: ReadonlyMap<string, StoredAlert>;
  /** Keys of notifications without outcome. */
  readonly waiting: Set<string>;
  failed: boolean;
}

export class AggregationGroup {
  readonly id: string;
  readonly route: RouteNode;
  readonly labels: Labels;
  /** Route key and group labels: what the notification log knows the group by. */
  readonly key: string;
  readonly alerts: Map<string, StoredAlert> = new Map();
  nextFlushMs: number;
  #flushes: Flush[] = [];

  constructor(route: RouteNode, labels: Labels, nextFlushMs: number) {
    this.id = groupId(route, labels);
    this.route = route;
    this.labels = labels;
    this.key = `${route.key}:${labelSetText(labels)}`;
    this.nextFlushMs = nextFlushMs;
  }

  /** Takes over what the same group did before a reload. */
  inherit(before: AggregationGroup): void {
    this.nextFlushMs = before.nextFlushMs;
    this.#flushes = before.#flushes;
    for (const [fingerprint, alert] of before.alerts) {
      if (!this.alerts.has(fingerprint)) this.alerts.set(fingerprint, alert);
    }
  }

  /**
   * Begins a flush; with nothing to wait for it is over at once. `incomplete`: somebody could not be told now, so
   * resolved alerts stay for the next flush.
   */
  beginFlush(waiting: readonly string[], incomplete: boolean, nowMs: number): void {
    const resolved = new Map([...this.alerts].filter(([, alert]) => isResolved(alert, nowMs)));
    const flush: Flush = { resolved, waiting: new Set(waiting), failed: incomplete };
    if (waiting.length > 0) this.#flushes.push(flush);
    else if (!incomplete) this.#finish(flush);
  }

  /** A notification ended. Resolved alerts leave the group once everybody was told about them. */
  conclude(key: string, delivered: boolean): void {
    for (const flush of this.#flushes) {
      if (!flush.waiting.delete(key)) continue;
      if (!delivered) flush.failed = true;
      if (flush.waiting.size === 0 && !flush.failed) this.#finish(flush);
    }
    this.#flushes = this.#flushes.filter((flush) => flush.waiting.size > 0);
  }

  #finish(flush: Flush): void {
    for (const [fingerprint, alert] of flush.resolved) {
      // It may have fired again meanwhile.
      if (this.alerts.get(fingerprint) === alert) this.alerts.delete(fingerprint);
    }
  }

  get idle(): boolean {
    return this.alerts.size === 0 && this.#flushes.length === 0;
  }
}

export function groupId(route: RouteNode, labels: Labels): string {
  return `${route.id}\n${labels.key()}`;
}
