/**
 * The Alertmanager API v2 as pure functions from the dispatcher's state to JSON values: alerts, groups,
 * silences, receivers, status. The HTTP plugin parses parameters and serves the results.
 */
import { compareBytes, type Labels, type Matcher, matchesAll } from '../model/index.ts';
import type { AggregationGroup } from './aggregation_group.ts';
import { compareAlerts, compareLabelSets, isResolved, type StoredAlert } from './alert.ts';
import type { AlertmanagerConfig } from './config.ts';
import type { Dispatcher } from './dispatcher.ts';
import { type Silence, type SilenceMatcher, type SilenceState, silenceState } from './silence.ts';

export interface AlertStatusView {
  readonly state: 'unprocessed' | 'active' | 'suppressed';
  readonly silencedBy: readonly string[];
  readonly inhibitedBy: readonly string[];
  readonly mutedBy: readonly string[];
}

export interface GettableAlert {
  readonly annotations: Readonly<Record<string, string>>;
  readonly endsAt: string;
  readonly fingerprint: string;
  readonly receivers: readonly { readonly name: string }[];
  readonly startsAt: string;
  readonly status: AlertStatusView;
  readonly updatedAt: string;
  /** Absent when the client gave none. */
  readonly generatorURL?: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface AlertGroupView {
  readonly alerts: readonly GettableAlert[];
  readonly labels: Readonly<Record<string, string>>;
  readonly receiver: { readonly name: string };
}

export interface GettableSilence {
  readonly id: string;
  readonly status: { readonly state: SilenceState };
  readonly updatedAt: string;
  readonly comment: string;
  readonly createdBy: string;
  readonly endsAt: string;
  readonly matchers: readonly SilenceMatcher[];
  readonly startsAt: string;
}

/** The query parameters of `/alerts` and `/alerts/groups`; defaults are the API's. */
export interface AlertFilter {
  readonly active?: boolean;
  readonly silenced?: boolean;
  readonly inhibited?: boolean;
  readonly muted?: boolean;
  readonly unprocessed?: boolean;
  /** Matchers that all must hold. */
  readonly filter?: readonly Matcher[];
  /** Whether a receiver's name is wanted. */
  readonly receiver?: (name: string) => boolean;
}

const isoTime = (timeMs: number): string => new Date(timeMs).toISOString();

function statusOf(
  dispatcher: Dispatcher,
  labels: Labels,
  mutedBy: readonly string[],
  nowMs: number,
): AlertStatusView {
  const silencedBy = dispatcher.muting.silencedBy(labels, nowMs);
  const inhibitor = dispatcher.muting.inhibitor.inhibitedBy(labels, nowMs);
  const inhibitedBy = inhibitor === undefined ? [] : [inhibitor];
  const suppressed = silencedBy.length > 0 || inhibitedBy.length > 0 || mutedBy.length > 0;
  return { state: suppressed ? 'suppressed' : 'active', silencedBy, inhibitedBy, mutedBy };
}

function wanted(alert: StoredAlert, status: AlertStatusView, filter: AlertFilter, nowMs: number): boolean {
  if (isResolved(alert, nowMs)) return false;
  if (filter.filter !== undefined && !matchesAll(filter.filter, alert.labels)) return false;
  if (filter.active === false && status.state === 'active') return false;
  if (filter.silenced === false && status.silencedBy.length > 0) return false;
  return !(filter.inhibited === false && status.inhibitedBy.length > 0);
}

function alertView(alert: StoredAlert, status: AlertStatusView, receivers: readonly string[]): GettableAlert {
  return {
    annotations: alert.annotations,
    endsAt: isoTime(alert.endsAtMs),
    fingerprint: alert.fingerprint,
    receivers: receivers.map((name) => ({ name })),
    startsAt: isoTime(alert.startsAtMs),
    status,
    updatedAt: isoTime(alert.updatedAtMs),
    ...(alert.generatorUrl === '' ? {} : { generatorURL: alert.generatorUrl }),
    labels: alert.labels.toRecord(),
  };
}

/** `GET /api/v2/alerts`: unresolved alerts by fingerprint. */
export function alertsView(dispatcher: Dispatcher, filter: AlertFilter, nowMs: number): GettableAlert[] {
  const views: GettableAlert[] = [];
  for (const alert of dispatcher.alerts) {
    const receivers = dispatcher.receiversOf(alert.labels);
    if (filter.receiver !== undefined && !receivers.some(filter.receiver)) continue;
    const status = statusOf(dispatcher, alert.labels, [], nowMs);
    if (wanted(alert, status, filter, nowMs)) views.push(alertView(alert, status, receivers));
  }
  return views.sort((a, b) => compareBytes(a.fingerprint, b.fingerprint));
}

function compareGroups(a: AggregationGroup, b: AggregationGroup): number {
  const order = compareLabelSets(a.labels, b.labels);
  return order !== 0 ? order : compareBytes(a.route.options.receiver, b.route.options.receiver);
}

/** `GET /api/v2/alerts/groups`. */
export function alertGroupsView(
  dispatcher: Dispatcher,
  filter: AlertFilter,
  nowMs: number,
): AlertGroupView[] {
  const views: AlertGroupView[] = [];
  for (const group of dispatcher.groups.toSorted(compareGroups)) {
    const { receiver } = group.route.options;
    if (filter.receiver !== undefined && !filter.receiver(receiver)) continue;
    const mutedBy = dispatcher.muting.routeMutedBy(group.route.options, nowMs);
    if (filter.muted === false && mutedBy.length > 0) continue;
    const alerts: GettableAlert[] = [];
    for (const alert of [...group.alerts.values()].sort(compareAlerts)) {
      const status = statusOf(dispatcher, alert.labels, mutedBy, nowMs);
      if (wanted(alert, status, filter, nowMs)) {
        alerts.push(alertView(alert, status, dispatcher.receiversOf(alert.labels)));
      }
    }
    if (alerts.length > 0)
      views.push({ alerts, labels: group.labels.toRecord(), receiver: { name: receiver } });
  }
  return views;
}

export interface ReceiverView {
  /** Configured labels, and the name as one of them. */
  readonly labels: Readonly<Record<string, string>>;
  readonly name: string;
}

/** `GET /api/v2/receivers`. */
export function receiversView(config: AlertmanagerConfig): ReceiverView[] {
  return config.receivers.map(({ name, labels }) => ({ labels: { ...labels, name }, name }));
}

export function silenceView(silence: Silence, nowMs: number): GettableSilence {
  return {
    id: silence.id,
    status: { state: silenceState(silence, nowMs) },
    updatedAt: isoTime(silence.updatedAtMs),
    comment: silence.comment,
    createdBy: silence.createdBy,
    endsAt: isoTime(silence.endsAtMs),
    matchers: silence.matchers,
    startsAt: isoTime(silence.startsAtMs),
  };
}

const stateRank: Readonly<Record<SilenceState, number>> = { active: 0, pending: 1, expired: 2 };

/** Active by end, then pending by start, then expired with the latest first. */
function compareSilences(a: Silence, b: Silence, nowMs: number): number {
  const state = silenceState(a, nowMs);
  const order = stateRank[state] - stateRank[silenceState(b, nowMs)];
  if (order !== 0) return order;
  if (state === 'pending') return a.startsAtMs - b.startsAtMs;
  return state === 'active' ? a.endsAtMs - b.endsAtMs : b.endsAtMs - a.endsAtMs;
}

/** `GET /api/v2/silences`: a filter's matcher holds for a silence that matches the same label value. */
export function silencesView(
  silences: Iterable<Silence>,
  filter: readonly Matcher[],
  nowMs: number,
): GettableSilence[] {
  const matching = [...silences].filter((silence) =>
    filter.every((matcher) =>
      silence.matchers.some((own) => own.name === matcher.name && matcher.matches(own.value)),
    ),
  );
  return matching.sort((a, b) => compareSilences(a, b, nowMs)).map((silence) => silenceView(silence, nowMs));
}

export interface StatusInput {
  readonly clusterName: string;
  readonly clusterStatus: 'ready' | 'settling' | 'disabled';
  readonly peers: readonly { readonly name: string; readonly address: string }[];
  /** The configuration file's text, secrets hidden. */
  readonly configText: string;
  readonly startedAtMs: number;
  readonly version: string;
  readonly revision: string;
}

export interface StatusView {
  readonly cluster: {
    readonly name: string;
    readonly status: string;
    readonly peers: readonly { readonly name: string; readonly address: string }[];
  };
  readonly config: { readonly original: string };
  readonly uptime: string;
  readonly versionInfo: Readonly<Record<string, string>>;
}

/** `GET /api/v2/status`. */
export function statusView(input: StatusInput): StatusView {
  return {
    cluster: {
      name: input.clusterName,
      status: input.clusterStatus,
      peers: input.peers.toSorted((a, b) => compareBytes(a.name, b.name)),
    },
    config: { original: input.configText },
    uptime: isoTime(input.startedAtMs),
    versionInfo: {
      branch: '',
      buildDate: '',
      buildUser: '',
      goVersion: '',
      revision: input.revision,
      version: input.version,
    },
  };
}
