/**
 * The dispatcher: alerts are routed into groups; a group is looked at after group_wait, then every
 * group_interval, and whoever has not been told what the group is like now is notified. A pure machine: events
 * and the time go in, effects come out; it lives on the leader only. What was sent is not its own memory but
 * the replicated notification log's, so that a new leader, built from the log and the alerts that rule nodes
 * send again, neither repeats nor forgets a notification.
 */
import type { Labels } from '../model/index.ts';
import { AggregationGroup, groupId } from './aggregation_group.ts';
import { compareAlerts, isResolved, mergeAlerts, type StoredAlert } from './alert.ts';
import type { AlertmanagerConfig } from './config.ts';
import { decideNotification } from './dedup.ts';
import type { DispatcherEffect, DispatcherEvent, NotifyFailure, NotifyRequest } from './effects.ts';
import type { AlertmanagerMetrics } from './metrics.ts';
import { Muting } from './muting.ts';
import {
  entryAfter,
  type IntegrationKey,
  type Intent,
  idempotencyKey,
  intentAlertsMax,
  type LogEntry,
  type NotificationLog,
  type NotificationRecord,
  type NotifiedAlert,
} from './notification_log.ts';
import { type Integration, integrationsOf } from './receivers.ts';
import { RouteNode } from './route.ts';
import type { Silence } from './silence.ts';

export interface DispatcherOptions {
  readonly config: AlertmanagerConfig;
  /** Applied to by the node as records are committed; the dispatcher only reads it. */
  readonly log: NotificationLog;
  readonly silences: readonly Silence[];
  /** No group is looked at before: alerts must first come back, or half groups and inhibited alerts would go out. */
  readonly startDelayMs: number;
  /** Without a majority: notify anyway (rather twice than never), or hold back. */
  readonly onQuorumLoss: 'notify' | 'hold';
  readonly metrics?: AlertmanagerMetrics;
}

export const defaultStartDelayMs = 5_000;
/** Least time that a notification is tried, however short the group interval. */
const notifyTimeMinMs = 10_000;
const alertsMax = 200_000;
const groupsMax = 50_000;
/** Resolved alerts stay in the store this long, for inhibition and merging. */
const resolvedRetentionMs = 15 * 60_000;
const gcIntervalMs = 60_000;

type Phase = 'intent' | 'sending' | 'outcome';

/** A notification under way. */
interface InFlight {
  readonly request: NotifyRequest;
  /** The group that began it; undefined: another leader did. */
  readonly groupId: string | undefined;
  phase: Phase;
}

interface UncommittedOutcome {
  readonly record: NotificationRecord & { readonly kind: 'outcome' };
  /** Waiting for its answer. */
  offered: boolean;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  #config: AlertmanagerConfig;
  #root: RouteNode;
  #muting: Muting;
  #silences: readonly Silence[];
  #integrations: ReadonlyMap<string, readonly Integration[]>;
  readonly #alerts = new Map<string, StoredAlert>();
  #groups = new Map<string, AggregationGroup>();
  readonly #inFlight = new Map<string, InFlight>();
  /** Keys of `#inFlight` by integration and group: one at a time. */
  readonly #running = new Map<string, string>();
  /** Outcomes that could not be committed yet, by integration and group; they count as committed here. */
  readonly #uncommitted = new Map<string, UncommittedOutcome>();
  #startAtMs = 0;
  #lastGcMs = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#silences = options.silences;
    this.#root = new RouteNode(options.config.route);
    this.#muting = new Muting(options.config, options.silences);
    this.#integrations = integrationsByReceiver(options.config);
  }

  /** Called once, on becoming leader: notifications that were begun and not concluded are completed. */
  start(nowMs: number): DispatcherEffect[] {
    this.#startAtMs = nowMs + this.#options.startDelayMs;
    this.#lastGcMs = nowMs;
    return this.#options.log.intents.flatMap((intent) => this.#complete(intent, nowMs));
  }

  get config(): AlertmanagerConfig {
    return this.#config;
  }

  get root(): RouteNode {
    return this.#root;
  }

  get muting(): Muting {
    return this.#muting;
  }

  get silences(): readonly Silence[] {
    return this.#silences;
  }

  get alerts(): readonly StoredAlert[] {
    return [...this.#alerts.values()];
  }

  get groups(): readonly AggregationGroup[] {
    return [...this.#groups.values()];
  }

  /** When the next tick has something to do; undefined: when alerts arrive. */
  nextDueMs(): number | undefined {
    let due: number | undefined;
    for (const group of this.#groups.values()) due = Math.min(due ?? group.nextFlushMs, group.nextFlushMs);
    return due;
  }

  step(event: DispatcherEvent, nowMs: number): DispatcherEffect[] {
    switch (event.kind) {
      case 'alerts':
        return event.alerts.flatMap((alert) => this.#receive(alert, nowMs));
      case 'tick':
        return this.#tick(nowMs);
      case 'config':
        return this.#reconfigure(event.config, nowMs);
      case 'silences':
        this.#silences = event.silences;
        this.#muting.setSilences(event.silences);
        return [];
      case 'committed':
        return this.#committed(event.record, nowMs);
      case 'commitFailed':
        return this.#commitFailed(event.record, nowMs);
      case 'notified':
        return this.#notified(event.key, event.failure, nowMs);
    }
  }

  #receive(report: StoredAlert, nowMs: number): DispatcherEffect[] {
    this.#options.metrics?.received.inc({ status: isResolved(report, nowMs) ? 'resolved' : 'firing' });
    const before = this.#alerts.get(report.fingerprint);
    if (before === undefined && this.#alerts.size >= alertsMax) {
      this.#options.metrics?.limited.inc();
      return [
        warning('alert refused: too many alerts', { alertsMax, alert: report.labels.get('alertname') }),
      ];
    }
    const alert = before === undefined ? report : mergeAlerts(before, report, nowMs);
    this.#alerts.set(alert.fingerprint, alert);
    this.#muting.inhibitor.put(alert);
    const routes = this.#root.match(alert.labels);
    return routes.flatMap((route) => this.#insert(alert, route, nowMs));
  }

  #insert(alert: StoredAlert, route: RouteNode, nowMs: number): DispatcherEffect[] {
    const labels = route.groupLabels(alert.labels);
    const existing = this.#groups.get(groupId(route, labels));
    if (existing !== undefined) {
      existing.alerts.set(alert.fingerprint, alert);
      return [];
    }
    if (this.#groups.size >= groupsMax) {
      this.#options.metrics?.limited.inc();
      return [warning('alert refused: too many aggregation groups', { groupsMax })];
    }
    const group = new AggregationGroup(route, labels, 0);
    group.alerts.set(alert.fingerprint, alert);
    group.nextFlushMs = this.#firstFlushMs(group, alert, nowMs);
    this.#groups.set(group.id, group);
    this.#options.metrics?.groups.set(this.#groups.size);
    return [];
  }

  /** A group that the log knows keeps its rhythm; a new one waits, unless its alert is old already. */
  #firstFlushMs(group: AggregationGroup, alert: StoredAlert, nowMs: number): number {
    const { groupWaitMs, groupIntervalMs, receiver } = group.route.options;
    const earliest = Math.max(nowMs, this.#startAtMs);
    let lastMs: number | undefined;
    for (const integration of this.#integrations.get(receiver) ?? []) {
      const entry = this.#entry({ ...integration, groupKey: group.key });
      // Without firing alerts the incident was over, and this is another.
      if (entry === undefined || entry.firing.length === 0) continue;
      lastMs = Math.max(lastMs ?? entry.timestampMs, entry.timestampMs);
    }
    if (lastMs !== undefined && lastMs + groupIntervalMs > nowMs)
      return Math.max(earliest, lastMs + groupIntervalMs);
    if (alert.startsAtMs + groupWaitMs < nowMs) return earliest;
    return Math.max(earliest, nowMs + groupWaitMs);
  }

  #tick(nowMs: number): DispatcherEffect[] {
    const effects: DispatcherEffect[] = [];
    for (const outcome of this.#uncommitted.values()) {
      if (outcome.offered) continue;
      outcome.offered = true;
      effects.push({ kind: 'persistOutcome', record: outcome.record });
    }
    for (const group of this.#groups.values()) {
      if (group.nextFlushMs > nowMs) continue;
      group.nextFlushMs = nowMs + group.route.options.groupIntervalMs;
      effects.push(...this.#flush(group, nowMs));
      if (group.idle) this.#groups.delete(group.id);
    }
    this.#options.metrics?.groups.set(this.#groups.size);
    this.#collectGarbage(nowMs);
    return effects;
  }

  #collectGarbage(nowMs: number): void {
    if (nowMs - this.#lastGcMs < gcIntervalMs) return;
    this.#lastGcMs = nowMs;
    for (const alert of this.#alerts.values()) {
      if (!isResolved(alert, nowMs - resolvedRetentionMs)) continue;
      this.#alerts.delete(alert.fingerprint);
      this.#muting.inhibitor.forget(alert);
    }
  }

  #flush(group: AggregationGroup, nowMs: number): DispatcherEffect[] {
    const { options } = group.route;
    const alerts = this.#muting.filter([...group.alerts.values()], options, nowMs, (reason, count) =>
      this.#options.metrics?.suppressed.inc({ reason }, count),
    );
    const effects: DispatcherEffect[] = [];
    const waiting: string[] = [];
    let blocked = false;
    if (alerts.length > 0) {
      alerts.sort(compareAlerts);
      const notified = alerts.map((alert) => notifiedAlert(alert, nowMs));
      for (const integration of this.#integrations.get(options.receiver) ?? []) {
        // Decided again at the next flush, when it is known what the receiver knows.
        if (this.#running.has(integrationId({ ...integration, groupKey: group.key }))) {
          blocked = true;
          continue;
        }
        const begun = this.#decide(group, integration, notified, nowMs);
        if (begun === undefined) continue;
        effects.push(begun.effect);
        waiting.push(begun.key);
      }
    }
    group.beginFlush(waiting, blocked, nowMs);
    return effects;
  }

  /** Begins a notification of one integration; undefined: nothing to tell. */
  #decide(
    group: AggregationGroup,
    integration: Integration,
    alerts: readonly NotifiedAlert[],
    nowMs: number,
  ): { key: string; effect: DispatcherEffect } | undefined {
    const target: IntegrationKey = { ...keyOf(integration), groupKey: group.key };
    const firing = alerts.filter((alert) => alert.endsAtMs === undefined).map((alert) => alert.fingerprint);
    const resolved = alerts.filter((alert) => alert.endsAtMs !== undefined).map((alert) => alert.fingerprint);
    const entry = this.#entry(target);
    const { repeatIntervalMs, groupIntervalMs } = group.route.options;
    const { sendResolved } = integration;
    const decision = decideNotification({
      entry,
      firing: new Set(firing),
      resolved: new Set(resolved),
      sendResolved,
      repeatIntervalMs,
      nowMs,
    });
    this.#options.metrics?.decisions.inc({ integration: integration.integration, reason: decision.reason });
    if (!decision.notify) return undefined;
    const sent = sendResolved ? alerts : alerts.filter((alert) => alert.endsAtMs === undefined);
    const intent: Intent = {
      ...target,
      key: idempotencyKey(target, firing, resolved, entry),
      groupLabels: group.labels.toRecord(),
      reason: decision.reason,
      firing,
      resolved,
      alerts: sent.slice(0, intentAlertsMax),
      alertsOmitted: Math.max(0, sent.length - intentAlertsMax),
      createdAtMs: nowMs,
      groupIntervalMs,
      repeatIntervalMs,
    };
    const request: NotifyRequest = {
      intent,
      alerts: sent,
      omitted: 0,
      deadlineMs: deadlineMs(intent, nowMs),
    };
    // Only resolutions, and nobody wants them: the log forgets the firing alerts without a message.
    const quiet = sent.length === 0;
    this.#begin({ request, groupId: group.id, phase: quiet ? 'outcome' : 'intent' });
    const effect: DispatcherEffect = quiet
      ? { kind: 'persistOutcome', record: delivered(intent, nowMs) }
      : { kind: 'persistIntent', record: { kind: 'intent', intent } };
    return { key: intent.key, effect };
  }

  #begin(flight: InFlight): void {
    const { intent } = flight.request;
    this.#inFlight.set(intent.key, flight);
    this.#running.set(integrationId(intent), intent.key);
  }

  #entry(target: IntegrationKey): LogEntry | undefined {
    return this.#uncommitted.get(integrationId(target))?.record.entry ?? this.#options.log.entry(target);
  }

  #committed(record: NotificationRecord, nowMs: number): DispatcherEffect[] {
    if (record.kind === 'outcome') {
      for (const [id, outcome] of this.#uncommitted) {
        if (outcome.record.key === record.key) this.#uncommitted.delete(id);
      }
      this.#conclude(record.key, record.entry !== undefined);
      return [];
    }
    const flight = this.#inFlight.get(record.intent.key);
    // Of a leader before this one, committed late.
    if (flight === undefined) return this.#complete(record.intent, nowMs);
    if (flight.phase !== 'intent') return [];
    flight.phase = 'sending';
    return [{ kind: 'notify', request: flight.request }];
  }

  /** Takes up a notification that another leader began. */
  #complete(intent: Intent, nowMs: number): DispatcherEffect[] {
    if (this.#inFlight.has(intent.key)) return [];
    const request: NotifyRequest = {
      intent,
      alerts: intent.alerts,
      omitted: intent.alertsOmitted,
      deadlineMs: deadlineMs(intent, nowMs),
    };
    this.#begin({ request, groupId: undefined, phase: 'sending' });
    const fields = { receiver: intent.receiver, groupKey: intent.groupKey, key: intent.key };
    return [
      { kind: 'log', level: 'info', message: 'completing a notification that another leader began', fields },
      { kind: 'notify', request },
    ];
  }

  #commitFailed(record: NotificationRecord, nowMs: number): DispatcherEffect[] {
    if (record.kind === 'outcome') {
      const intent = this.#inFlight.get(record.key)?.request.intent ?? record.entry;
      if (intent !== undefined) this.#keepUncommitted(integrationId(intent), record);
      this.#conclude(record.key, record.entry !== undefined);
      return [];
    }
    const { key, receiver } = record.intent;
    const flight = this.#inFlight.get(key);
    if (flight === undefined || flight.phase !== 'intent') return [];
    const fields = { receiver, groupKey: record.intent.groupKey };
    if (this.#options.onQuorumLoss === 'hold') {
      this.#conclude(key, false);
      return [warning('notification held back: its intent could not be committed', fields)];
    }
    flight.phase = 'sending';
    return [
      warning('notifying without a committed intent, it may be sent twice', fields),
      { kind: 'notify', request: { ...flight.request, deadlineMs: deadlineMs(record.intent, nowMs) } },
    ];
  }

  #keepUncommitted(id: string, record: NotificationRecord & { kind: 'outcome' }): void {
    const before = this.#uncommitted.get(id)?.record;
    // A failure must not hide what was delivered.
    const kept = before?.entry !== undefined && record.entry === undefined ? before : record;
    this.#uncommitted.set(id, { record: kept, offered: false });
  }

  #notified(key: string, failure: NotifyFailure | undefined, nowMs: number): DispatcherEffect[] {
    const flight = this.#inFlight.get(key);
    if (flight === undefined || flight.phase !== 'sending') return [];
    flight.phase = 'outcome';
    const { intent } = flight.request;
    if (failure === undefined) return [{ kind: 'persistOutcome', record: delivered(intent, nowMs) }];
    const fields = {
      receiver: intent.receiver,
      groupKey: intent.groupKey,
      reason: failure.reason,
      err: failure.message,
    };
    return [
      warning('notification failed', fields),
      { kind: 'persistOutcome', record: { kind: 'outcome', key, atMs: nowMs, entry: undefined } },
    ];
  }

  #conclude(key: string, ok: boolean): void {
    const flight = this.#inFlight.get(key);
    if (flight === undefined) return;
    this.#inFlight.delete(key);
    this.#running.delete(integrationId(flight.request.intent));
    const group = this.#groups.get(flight.groupId ?? '');
    if (group === undefined) return;
    group.conclude(key, ok);
    if (group.idle) this.#groups.delete(group.id);
  }

  /** A new configuration: alerts are routed again, groups that exist in both keep their state. */
  #reconfigure(config: AlertmanagerConfig, nowMs: number): DispatcherEffect[] {
    const before = this.#groups;
    this.#config = config;
    this.#root = new RouteNode(config.route);
    this.#muting = new Muting(config, this.#silences);
    this.#integrations = integrationsByReceiver(config);
    this.#groups = new Map();
    const effects: DispatcherEffect[] = [];
    for (const alert of this.#alerts.values()) {
      this.#muting.inhibitor.put(alert);
      for (const route of this.#root.match(alert.labels)) {
        // Resolved alerts that every receiver was told about have left their group for good.
        const known = before.get(groupId(route, route.groupLabels(alert.labels)));
        if (isResolved(alert, nowMs) && known?.alerts.has(alert.fingerprint) !== true) continue;
        effects.push(...this.#insert(alert, route, nowMs));
      }
    }
    for (const group of this.#groups.values()) {
      const same = before.get(group.id);
      if (same !== undefined) group.inherit(same);
    }
    return effects;
  }

  /** The routes' receivers of a label set. */
  receiversOf(labels: Labels): string[] {
    return this.#root.match(labels).map((route) => route.options.receiver);
  }
}

function integrationsByReceiver(config: AlertmanagerConfig): Map<string, readonly Integration[]> {
  return new Map(config.receivers.map((receiver) => [receiver.name, integrationsOf(receiver)]));
}

function keyOf(integration: Integration): Omit<IntegrationKey, 'groupKey'> {
  return { receiver: integration.receiver, integration: integration.integration, index: integration.index };
}

function integrationId(key: IntegrationKey): string {
  return JSON.stringify([key.receiver, key.integration, key.index, key.groupKey]);
}

function deadlineMs(intent: Intent, nowMs: number): number {
  return nowMs + Math.max(notifyTimeMinMs, intent.groupIntervalMs);
}

function delivered(intent: Intent, atMs: number): NotificationRecord {
  return { kind: 'outcome', key: intent.key, atMs, entry: entryAfter(intent, atMs) };
}

function notifiedAlert(alert: StoredAlert, nowMs: number): NotifiedAlert {
  return {
    fingerprint: alert.fingerprint,
    labels: alert.labels.toRecord(),
    annotations: alert.annotations,
    startsAtMs: alert.startsAtMs,
    endsAtMs: isResolved(alert, nowMs) ? alert.endsAtMs : undefined,
    generatorUrl: alert.generatorUrl,
  };
}

function warning(message: string, fields: Readonly<Record<string, unknown>>): DispatcherEffect {
  return { kind: 'log', level: 'warn', message, fields };
}
