/**
 * Alerts on their way to whoever leads: rule groups and clients post here at any node, the leader's dispatcher takes
 * them. Starts the dispatcher when this node begins to lead and ends it when it ceases to, and has the rule groups send
 * everything again whenever the leader changes.
 */
import {
  type AlertLeaderMessage,
  type AlertsViewQuery,
  alertLeaderKind,
  alertLeaderMessages,
  alertLeaderProps,
  entryFor,
  restoreLog,
} from '../actors/index.ts';
import {
  type AlertmanagerConfig,
  type AlertmanagerMetrics,
  type NotificationLog,
  type NotificationRecord,
  Notifiers,
  type Silence,
} from '../alertmanager/index.ts';
import { type Clock, CodedError, delay, errorText, type Logger, type Random } from '../base/index.ts';
import type { ClusterNode } from '../cluster/index.ts';
import { type ActorRef, type ActorSystem, type NodeLink, runtimeErrorCodes } from '../runtime/index.ts';

const postDeadlineMs = 5_000;
/** Pause before alerts are offered to a leader again. */
const leaderPauseMs = 250;
const viewDeadlineMs = 5_000;
const commitDeadlineMs = 10_000;
const leaderName = 'alert-leader';

export interface AlertServiceDeps {
  readonly system: ActorSystem;
  readonly link: NodeLink;
  readonly cluster: Pick<ClusterNode, 'nodeId' | 'leader' | 'subscribe' | 'notifications' | 'propose'>;
  readonly silences: () => readonly Silence[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: AlertmanagerMetrics;
  /** Where receivers find the alert pages. */
  readonly externalUrl: string;
  /** Has every rule group of this node send its alerts again. */
  readonly resendAlerts: () => void;
}

interface Dispatching {
  readonly config: AlertmanagerConfig;
  readonly notifiers: Notifiers;
}

export class AlertService {
  readonly #deps: AlertServiceDeps;
  #dispatching: Dispatching | undefined;
  #actor: ActorRef<AlertLeaderMessage> | undefined;
  #leads = false;
  #leader: string | undefined;

  constructor(deps: AlertServiceDeps) {
    this.#deps = deps;
    deps.link.registerCodec(alertLeaderKind, alertLeaderMessages);
    deps.cluster.subscribe({
      onLeading: (leads) => {
        this.#leads = leads;
        this.#reconcile();
      },
      onLeader: (leader) => {
        if (leader === this.#leader) return;
        this.#leader = leader;
        if (leader !== undefined) deps.resendAlerts();
      },
      onEntries: (space) => {
        if (space === 'silence') this.#actor?.tell({ type: 'silences' });
      },
    });
  }

  /** Undefined: this node has no alertmanager.yml, and alerts are only shown. */
  configure(config: AlertmanagerConfig | undefined): void {
    const before = this.#dispatching;
    const { clock, random, log, externalUrl, metrics } = this.#deps;
    this.#dispatching =
      config === undefined
        ? undefined
        : { config, notifiers: new Notifiers(config, { clock, random, log, externalUrl, metrics }) };
    before?.notifiers
      .close()
      .catch((error: unknown) => log.warn({ err: errorText(error) }, 'closing notifiers failed'));
    if (config !== undefined && this.#actor !== undefined) this.#actor.tell({ type: 'config', config });
    else this.#reconcile();
  }

  get isConfigured(): boolean {
    return this.#dispatching !== undefined;
  }

  #reconcile(): void {
    const { system, log } = this.#deps;
    const isWanted = this.#leads && this.#dispatching !== undefined;
    if (isWanted && this.#actor === undefined) {
      this.#actor = this.#start();
      if (this.#actor === undefined) return;
      log.info({}, 'this node leads the alerting');
      this.#deps.resendAlerts();
    } else if (!isWanted && this.#actor !== undefined) {
      const actor = this.#actor;
      this.#actor = undefined;
      system
        .kill(actor)
        .catch((error: unknown) => log.error({ err: errorText(error) }, 'the alert dispatcher did not stop'))
        .finally(() => this.#reconcile());
    }
  }

  #start(): ActorRef<AlertLeaderMessage> | undefined {
    const { system, cluster, metrics } = this.#deps;
    // The last one is still stopping: its end reconciles again.
    if (system.find(`/${leaderName}`) !== undefined) return undefined;
    const props = alertLeaderProps({
      config: () => this.#configured().config,
      restoreLog: () => restoreLog(cluster.notifications),
      silences: () => this.#deps.silences(),
      commit: (record, known) => this.#commit(record, known),
      notify: (request, signal) => this.#configured().notifiers.notify(request, signal),
      onQuorumLoss: 'notify',
      metrics,
    });
    return system.spawn(props, leaderName);
  }

  #configured(): Dispatching {
    if (this.#dispatching !== undefined) return this.#dispatching;
    throw new CodedError('no_alertmanager_config', 'this node has no --alertmanager.config.file');
  }

  async #commit(record: NotificationRecord, log: NotificationLog): Promise<void> {
    const entry = entryFor(record, log);
    if (entry !== undefined)
      await this.#deps.cluster.propose({ kind: 'recordNotification', entry }, commitDeadlineMs);
  }

  /** Posts alerts to the leader. Rejects when nobody took them, or with `bad_alerts` when some are malformed. */
  async post(alerts: unknown): Promise<void> {
    const { clock, cluster } = this.#deps;
    const isConfigured = this.#dispatching !== undefined;
    if (!isConfigured && (cluster.leader() === undefined || cluster.leader() === cluster.nodeId)) return;
    const endMs = clock.monotonicMs() + postDeadlineMs;
    for (;;) {
      try {
        const leftMs = Math.max(1, endMs - clock.monotonicMs());
        await this.#leaderRef().ask<void>((replyTo) => ({ type: 'alerts', alerts, replyTo }), leftMs);
        return;
      } catch (error) {
        // The leader dispatches nothing either: nobody is to be told.
        if (!isConfigured && isLeaderless(error)) return;
        // A leader is being elected, or gets ready: whoever posts now would come again only much later.
        if (!isLeaderless(error) || clock.monotonicMs() + leaderPauseMs >= endMs) throw error;
      }
      await delay(clock, leaderPauseMs);
    }
  }

  /** What the leader's dispatcher shows. */
  view(what: 'alerts' | 'groups', query: AlertsViewQuery): Promise<unknown> {
    this.#configured();
    return this.#leaderRef().ask<unknown>(
      (replyTo) => ({ type: 'view', what, query, replyTo }),
      viewDeadlineMs,
    );
  }

  /** The dispatcher, here or on another node. Throws CodedError `no_leader`. */
  #leaderRef(): ActorRef<AlertLeaderMessage> {
    const { cluster, link } = this.#deps;
    const leader = cluster.leader();
    if (leader === undefined) throw new CodedError('no_leader', 'nobody leads the cluster at present');
    if (leader !== cluster.nodeId) return link.remoteRef(leader, `/${leaderName}`, alertLeaderKind);
    if (this.#actor === undefined) throw new CodedError('no_leader', 'this node does not lead yet');
    return this.#actor;
  }
}

const leaderlessCodes: readonly string[] = [
  'no_leader',
  runtimeErrorCodes.notFound,
  runtimeErrorCodes.stopped,
  runtimeErrorCodes.linkLost,
];

function isLeaderless(error: unknown): boolean {
  return error instanceof CodedError && leaderlessCodes.includes(error.code);
}
