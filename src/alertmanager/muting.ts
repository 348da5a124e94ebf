/** Everything that keeps an alert from being notified: inhibition, time intervals of its route, silences. */
import type { Labels } from '../model/index.ts';
import type { StoredAlert } from './alert.ts';
import type { AlertmanagerConfig, NamedTimeInterval } from './config.ts';
import { Inhibitor } from './inhibit.ts';
import type { RouteOptions } from './route.ts';
import { type Silence, Silencer } from './silence.ts';
import { inTimeInterval } from './time_interval.ts';

export type SuppressionReason = 'inhibition' | 'active_time_interval' | 'mute_time_interval' | 'silence';

export class Muting {
  readonly inhibitor: Inhibitor;
  #silencer: Silencer;
  readonly #intervals: ReadonlyMap<string, NamedTimeInterval>;

  constructor(config: AlertmanagerConfig, silences: readonly Silence[]) {
    this.inhibitor = new Inhibitor(config.inhibitRules);
    this.#silencer = new Silencer(silences);
    this.#intervals = new Map(config.timeIntervals.map((interval) => [interval.name, interval]));
  }

  setSilences(silences: readonly Silence[]): void {
    this.#silencer = new Silencer(silences);
  }

  silencedBy(labels: Labels, nowMs: number): string[] {
    return this.#silencer.silencedBy(labels, nowMs);
  }

  #activeNames(names: readonly string[], nowMs: number): string[] {
    return names.filter((name) =>
      (this.#intervals.get(name)?.timeIntervals ?? []).some((interval) => inTimeInterval(interval, nowMs)),
    );
  }

  /** The names of the intervals that mute a route now; empty when it may notify. */
  routeMutedBy(options: RouteOptions, nowMs: number): string[] {
    const { activeTimeIntervals, muteTimeIntervals } = options;
    if (activeTimeIntervals.length > 0 && this.#activeNames(activeTimeIntervals, nowMs).length === 0) {
      return [...activeTimeIntervals];
    }
    return this.#activeNames(muteTimeIntervals, nowMs);
  }

  /** The alerts that may be notified; tells how many were held back and why. */
  filter(
    alerts: readonly StoredAlert[],
    options: RouteOptions,
    nowMs: number,
    suppressed: (reason: SuppressionReason, count: number) => void,
  ): StoredAlert[] {
    const uninhibited = alerts.filter(
      (alert) => this.inhibitor.inhibitedBy(alert.labels, nowMs) === undefined,
    );
    if (uninhibited.length < alerts.length) suppressed('inhibition', alerts.length - uninhibited.length);
    if (this.routeMutedBy(options, nowMs).length > 0) {
      const inMute = this.#activeNames(options.muteTimeIntervals, nowMs).length > 0;
      suppressed(inMute ? 'mute_time_interval' : 'active_time_interval', uninhibited.length);
      return [];
    }
    const heard = uninhibited.filter((alert) => this.silencedBy(alert.labels, nowMs).length === 0);
    if (heard.length < uninhibited.length) suppressed('silence', uninhibited.length - heard.length);
    return heard;
  }
}
