/**
 * The alert dispatcher, alive on the leader only: made from the committed notification log when this node begins to
 * lead, gone when it ceases to. Carries out the dispatcher's effects in order: an intent is committed before its
 * notification is sent, the outcome after it. Mailbox: 1024 posts of alerts; a full one refuses, and rule groups offer
 * their alerts again. A failure rebuilds the dispatcher from the log, and the rule groups' resends fill it.
 */
import {
  type AlertmanagerConfig,
  type AlertmanagerMetrics,
  alertGroupsView,
  alertsView,
  compileMatchers,
  Dispatcher,
  type DispatcherEffect,
  defaultStartDelayMs,
  type MatcherConfig,
  type NotificationLog,
  type NotificationRecord,
  type NotifyFailure,
  type NotifyRequest,
  parsePostedAlerts,
  type Silence,
} from '../../alertmanager/index.ts';
import { CodedError, errorText } from '../../base/index.ts';
import { AnchoredRegex } from '../../model/index.ts';
import type { ActorContext, ActorProps, Behavior, PayloadCodec, ReplyTo } from '../../runtime/index.ts';
import { jsonMessages } from '../json_messages.ts';

export type AlertLeaderMessage =
  /** The body of a POST /api/v2/alerts; fails with the first alert that is malformed, the others count. */
  | { readonly type: 'alerts'; readonly alerts: unknown; readonly replyTo: ReplyTo<void> }
  | { readonly type: 'config'; readonly config: AlertmanagerConfig }
  | { readonly type: 'silences' }
  | { readonly type: 'tick' }
  | { readonly type: 'committed'; readonly record: NotificationRecord }
  | { readonly type: 'commitFailed'; readonly record: NotificationRecord; readonly error: unknown }
  | { readonly type: 'notified'; readonly key: string; readonly failure: NotifyFailure | undefined }
  /** What the API shows of alerts, or of their groups. */
  | {
      readonly type: 'view';
      readonly what: 'alerts' | 'groups';
      readonly query: AlertsViewQuery;
      readonly replyTo: ReplyTo<unknown>;
    };

/** Which alerts a view is to show; plain data, since it may come from another node. */
export interface AlertsViewQuery {
  readonly active: boolean;
  readonly silenced: boolean;
  readonly inhibited: boolean;
  readonly muted: boolean;
  readonly unprocessed: boolean;
  readonly filter: readonly MatcherConfig[];
  /** A pattern for the whole name of a receiver; empty: any. */
  readonly receiver: string;
}

/** What another node may send to the leader. */
export const alertLeaderMessages: PayloadCodec<AlertLeaderMessage> = jsonMessages<AlertLeaderMessage>([
  'alerts',
  'view',
]);

export interface AlertLeaderDeps {
  readonly config: () => AlertmanagerConfig;
  /** The log as committed by now; the actor applies further records to it. */
  readonly restoreLog: () => NotificationLog;
  readonly silences: () => readonly Silence[];
  /** Commits a record to the control group. Rejects without a majority. */
  readonly commit: (record: NotificationRecord, log: NotificationLog) => Promise<void>;
  /** Sends until it is done or the request's deadline has passed. */
  readonly notify: (request: NotifyRequest, signal: AbortSignal) => Promise<NotifyFailure | undefined>;
  readonly onQuorumLoss: 'notify' | 'hold';
  readonly metrics: AlertmanagerMetrics;
}

/** Housekeeping, and outcomes that are still to be committed. */
const tickIntervalMs = 5_000;

class AlertLeaderBehavior implements Behavior<AlertLeaderMessage> {
  readonly #deps: AlertLeaderDeps;
  readonly #log: NotificationLog;
  readonly #dispatcher: Dispatcher;

  constructor(deps: AlertLeaderDeps) {
    this.#deps = deps;
    this.#log = deps.restoreLog();
    this.#dispatcher = new Dispatcher({
      config: deps.config(),
      log: this.#log,
      silences: deps.silences(),
      startDelayMs: defaultStartDelayMs,
      onQuorumLoss: deps.onQuorumLoss,
      metrics: deps.metrics,
    });
  }

  started(context: ActorContext<AlertLeaderMessage>): void {
    this.#carryOut(this.#dispatcher.start(context.clock.nowMs()), context);
    context.startPeriodic('housekeeping', tickIntervalMs, { type: 'tick' });
  }

  receive(message: AlertLeaderMessage, context: ActorContext<AlertLeaderMessage>): void {
    const nowMs = context.clock.nowMs();
    switch (message.type) {
      case 'alerts':
        this.#receiveAlerts(message.alerts, message.replyTo, context);
        break;
      case 'config':
        this.#step({ kind: 'config', config: message.config }, context);
        break;
      case 'silences':
        this.#step({ kind: 'silences', silences: this.#deps.silences() }, context);
        break;
      case 'tick':
        this.#step({ kind: 'tick' }, context);
        break;
      case 'committed':
        this.#log.apply(message.record);
        this.#step({ kind: 'committed', record: message.record }, context);
        break;
      case 'commitFailed':
        context.log.warn({ err: errorText(message.error) }, 'a notification record was not committed');
        this.#step({ kind: 'commitFailed', record: message.record }, context);
        break;
      case 'notified':
        this.#step({ kind: 'notified', key: message.key, failure: message.failure }, context);
        break;
      case 'view':
        this.#view(message, nowMs);
        break;
    }
  }

  #receiveAlerts(posted: unknown, replyTo: ReplyTo<void>, context: ActorContext<AlertLeaderMessage>): void {
    let outcome: ReturnType<typeof parsePostedAlerts>;
    try {
      outcome = parsePostedAlerts(
        posted,
        context.clock.nowMs(),
        this.#dispatcher.config.global.resolveTimeoutMs,
        this.#deps.metrics,
      );
    } catch (error) {
      replyTo.fail(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#step({ kind: 'alerts', alerts: outcome.alerts }, context);
    const [firstError] = outcome.errors;
    if (firstError === undefined) replyTo.ok(undefined);
    else replyTo.fail(new CodedError('bad_alerts', outcome.errors.join('; ')));
  }

  #view({ what, query, replyTo }: Extract<AlertLeaderMessage, { type: 'view' }>, nowMs: number): void {
    // A question that makes no sense must not cost the dispatcher its life.
    try {
      replyTo.ok(this.#viewOf(what, query, nowMs));
    } catch (error) {
      replyTo.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #viewOf(what: 'alerts' | 'groups', query: AlertsViewQuery, nowMs: number): unknown {
    const { receiver, filter, ...states } = query;
    const pattern = receiver === '' ? undefined : AnchoredRegex.compile(receiver);
    const wanted = {
      ...states,
      filter: compileMatchers(filter),
      ...(pattern === undefined ? {} : { receiver: (name: string) => pattern.test(name) }),
    };
    const view = what === 'alerts' ? alertsView : alertGroupsView;
    return view(this.#dispatcher, wanted, nowMs);
  }

  #step(event: Parameters<Dispatcher['step']>[0], context: ActorContext<AlertLeaderMessage>): void {
    const nowMs = context.clock.nowMs();
    this.#carryOut(this.#dispatcher.step(event, nowMs), context);
    const dueMs = this.#dispatcher.nextDueMs();
    if (dueMs !== undefined) context.startTimer('due', Math.max(0, dueMs - nowMs), { type: 'tick' });
  }

  #carryOut(effects: readonly DispatcherEffect[], context: ActorContext<AlertLeaderMessage>): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'persistIntent':
        case 'persistOutcome': {
          const { record } = effect;
          context.pipe(
            this.#deps.commit(record, this.#log),
            () => ({ type: 'committed', record }),
            (error) => ({ type: 'commitFailed', record, error }),
          );
          break;
        }
        case 'notify':
          this.#notify(effect.request, context);
          break;
        case 'log':
          context.log[effect.level](effect.fields, effect.message);
          break;
      }
    }
  }

  #notify(request: NotifyRequest, context: ActorContext<AlertLeaderMessage>): void {
    const { key } = request.intent;
    context.pipe(
      this.#deps.notify(request, context.signal),
      (failure) => ({ type: 'notified', key, failure }),
      (error) => ({ type: 'notified', key, failure: { reason: 'other', message: errorText(error) } }),
    );
  }
}

export const alertLeaderKind = 'alert_leader';

export function alertLeaderProps(deps: AlertLeaderDeps): ActorProps<AlertLeaderMessage> {
  return {
    kind: alertLeaderKind,
    create: () => new AlertLeaderBehavior(deps),
    supervision: { restartsMax: 1_000 },
  };
}
