/**
 * The door of a shard worker: every message of the control thread comes here and is handed to what it concerns. Nothing
 * long is awaited, so a heavy query holds up neither appends nor scrapes any longer than its slices run. Mailbox: 4096
 * messages; when it is full, senders are told so and try again or answer 503.
 */
import type { Registry } from 'prom-client';
import { type Clock, CodedError, errorText, type Logger } from '../../base/index.ts';
import { decodeWriteBatch } from '../../model/index.ts';
import type { Engine } from '../../promql/index.ts';
import { errorAnswer, execute, okAnswer } from '../../query/index.ts';
import type { ActorContext, ActorProps, ActorRef, Behavior, ReplyTo } from '../../runtime/index.ts';
import { actorErrorCodes, notOwnerError } from '../errors.ts';
import type { ClusterView } from './cluster_view.ts';
import type { HandOver } from './hand_over.ts';
import type { HostedShards } from './hosted_shards.ts';
import type { Lookups } from './lookups.ts';
import type {
  AnswerMessage,
  ClusterState,
  IngestOutcome,
  ReportFilter,
  ReportKind,
  ScrapeSettings,
  SelectMessage,
  SelectSpec,
  WorkerMessage,
} from './messages.ts';
import type { Queries } from './queries.ts';
import { type QueryMessage, queryProps } from './query_actor.ts';
import type { RemoteDoor } from './remote_door.ts';
import { reportOf } from './reports.ts';
import type { Router } from './router.ts';
import type { ScrapeManager } from './scrape_manager.ts';
import { settle } from './shard_actor.ts';
import { actOnStores } from './store_actions.ts';

const workerMailboxMax = 4096;
const appendDeadlineMs = 5_000;
const lookupDeadlineMs = 30_000;
const maintenanceIntervalMs = 60_000;

export interface WorkerParts {
  readonly view: ClusterView;
  readonly hosted: HostedShards;
  readonly router: Router;
  readonly remote: RemoteDoor;
  readonly handOver: HandOver;
  readonly scrapes: ScrapeManager;
  readonly queries: Queries;
  readonly lookups: Lookups;
  readonly engine: Engine;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
}

type Message = WorkerMessage | { readonly type: 'maintain' };

class WorkerBehavior implements Behavior<Message> {
  readonly #parts: WorkerParts;
  readonly #running = new Map<number, ActorRef<QueryMessage>>();
  /** What is done for other workers and nodes. */
  readonly #executions = new Map<number, AbortController>();
  /** A slow disk makes it last longer than its interval. */
  #isMaintaining = false;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
  }

  started(context: ActorContext<Message>): void {
    context.startPeriodic('maintain', maintenanceIntervalMs, { type: 'maintain' });
  }

  receive(message: Message, context: ActorContext<Message>): void {
    switch (message.type) {
      case 'cluster':
        this.#followCluster(message.state);
        break;
      case 'append':
        settle(this.#append(message), message.replyTo);
        break;
      case 'ingest':
        settle(this.#ingest(message.batch), message.replyTo);
        break;
      case 'remoteWrite':
      case 'otlp':
      case 'remoteRead':
      case 'remoteReadNext':
      case 'remoteReadEnd':
      case 'federate':
        this.#parts.remote.receive(message);
        break;
      case 'execute':
        this.#execute(message);
        break;
      case 'query':
      case 'vector':
      case 'lookup':
        this.#startQuery(message, context);
        break;
      case 'select':
        settle(this.#select(message.spec), message.replyTo);
        break;
      case 'cancelExecute':
        this.#executions.get(message.id)?.abort(new CodedError('canceled', 'nobody waits for it any more'));
        break;
      case 'cancel':
        this.#running.get(message.id)?.tell({ type: 'cancel' });
        break;
      case 'scrape':
        settle(this.#configure(message.settings), message.replyTo);
        break;
      case 'groups':
        this.#parts.scrapes.setGroups(message.job, message.groups);
        break;
      case 'report':
        settle(this.#report(message.kind, message.filter), message.replyTo);
        break;
      case 'storeAction':
        settle(actOnStores(this.#parts.hosted, message.action), message.replyTo);
        break;
      case 'metrics':
        settle(this.#parts.registry.getMetricsAsJSON(), message.replyTo);
        break;
      case 'maintain':
        this.#maintain();
        break;
    }
  }

  #followCluster(state: ClusterState): void {
    const { view, scrapes, handOver } = this.#parts;
    view.update(state);
    scrapes.reconcile();
    handOver.check();
  }

  #configure(settings: ScrapeSettings): Promise<void> {
    const { view, hosted, queries, scrapes } = this.#parts;
    view.setSettleTime(settings.settleMs);
    hosted.configure(settings.storage);
    queries.setSubqueryStep(settings.evaluationIntervalMs);
    return scrapes.configure(settings);
  }

  #startQuery(
    message: Extract<WorkerMessage, { type: 'query' | 'vector' | 'lookup' }>,
    context: ActorContext<Message>,
  ): void {
    const { queries, lookups } = this.#parts;
    const { id } = message;
    switch (message.type) {
      case 'query': {
        const { spec, replyTo } = message;
        this.#query(context, id, replyTo, (signal) => queries.answer(spec, signal), buffersOf);
        break;
      }
      case 'vector': {
        const { spec, replyTo } = message;
        this.#query(context, id, replyTo, (signal) => queries.vector(spec, signal));
        break;
      }
      case 'lookup': {
        const { spec, replyTo } = message;
        this.#query(context, id, replyTo, (signal) => lookups.answer(spec, signal), buffersOf);
        break;
      }
    }
  }

  /** A batch for one shard from another thread or node. */
  async #append(message: Extract<WorkerMessage, { type: 'append' }>): ReturnType<Router['write']> {
    const { view, hosted } = this.#parts;
    const { shard, epoch, bypassOutOfOrder } = message;
    if (shard >= view.table.shards.length) {
      throw new CodedError(actorErrorCodes.unknownShard, `there is no shard ${shard} in this cluster`);
    }
    if (!view.owns(shard) || !hosted.isMine(shard)) throw notOwnerError(shard, view.self);
    const batch = decodeWriteBatch(message.batch);
    const { actor } = await hosted.host(shard);
    // Opening a shard takes a while. What a former owner took in now would be missed by the hand-over.
    if (!view.owns(shard)) throw notOwnerError(shard, view.self);
    // Ordinary writes count under the ownership that holds now; handed-over data under the one it was written in.
    const underEpoch = bypassOutOfOrder ? epoch : (view.table.shards[shard]?.epoch ?? 0);
    return actor.ask(
      (replyTo) => ({ type: 'append', batch, epoch: underEpoch, bypassOutOfOrder, replyTo }),
      appendDeadlineMs,
    );
  }

  async #ingest(batch: Uint8Array): Promise<IngestOutcome> {
    return this.#parts.router.ingest(decodeWriteBatch(batch));
  }

  async #select(spec: SelectSpec): Promise<SelectMessage> {
    const abort = new AbortController();
    const late = new CodedError('timeout', 'reading the series took too long');
    const timer = this.#parts.clock.after(lookupDeadlineMs, () => abort.abort(late));
    try {
      return await this.#parts.queries.select(spec, lookupDeadlineMs, abort.signal);
    } finally {
      timer.cancel();
    }
  }

  #execute({ id, shards, payload, deadlineMs, replyTo }: Extract<WorkerMessage, { type: 'execute' }>): void {
    const { engine, hosted, view, clock, log } = this.#parts;
    const own = hosted.view(shards.filter((shard) => hosted.isMine(shard)));
    const abort = new AbortController();
    this.#executions.set(id, abort);
    const stop = (): void => abort.abort(new CodedError('timeout', 'the query took too long'));
    let timer = clock.after(deadlineMs, stop);
    const context = {
      engine,
      startDeadline: (askedMs: number): void => {
        if (askedMs <= 0 || askedMs >= deadlineMs) return;
        timer.cancel();
        timer = clock.after(askedMs, stop);
      },
      shards: own,
      checkTable: (version: number): void => view.checkFresh(version, shards),
    };
    execute(payload, context, abort.signal)
      .then(
        (part) => okAnswer(part, own.unreadable),
        (error: unknown) => {
          if (!(error instanceof CodedError)) log.error({ err: errorText(error) }, 'an execution failed');
          return errorAnswer(error);
        },
      )
      .then((answer) => replyTo.ok(answer, [answer.buffer]))
      .catch((error: unknown) => log.error({ err: errorText(error) }, 'an execution gave no answer'))
      .finally(() => {
        timer.cancel();
        this.#executions.delete(id);
      });
  }

  #query<R>(
    context: ActorContext<Message>,
    id: number,
    replyTo: ReplyTo<R>,
    run: (signal: AbortSignal) => Promise<R>,
    buffers?: (result: R) => readonly ArrayBuffer[],
  ): void {
    const deps = { run, replyTo, ...(buffers === undefined ? {} : { buffersOf: buffers }) };
    const actor = context.spawn(queryProps(deps), `query-${id}`);
    this.#running.set(id, actor);
    actor.onStopped(() => this.#running.delete(id));
  }

  async #report(kind: ReportKind, filter: ReportFilter): Promise<Uint8Array> {
    const items = await reportOf(kind, filter, this.#parts);
    return new TextEncoder().encode(JSON.stringify(items));
  }

  #maintain(): void {
    const { hosted, log } = this.#parts;
    if (this.#isMaintaining) return;
    this.#isMaintaining = true;
    hosted
      .reopen()
      .then(() => hosted.maintain())
      .catch((error: unknown) => log.error({ err: errorText(error) }, 'maintaining the stores failed'))
      .finally(() => {
        this.#isMaintaining = false;
      });
  }
}

const buffersOf = ({ data }: AnswerMessage): ArrayBuffer[] => [data.buffer];

export function workerProps(parts: WorkerParts): ActorProps<WorkerMessage> {
  return {
    kind: 'worker',
    create: () => new WorkerBehavior(parts) as Behavior<WorkerMessage>,
    mailboxMax: workerMailboxMax,
  };
}
