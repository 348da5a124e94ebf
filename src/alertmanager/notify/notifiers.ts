/**
 * Carries out the dispatcher's `notify` effects: finds the integration, tries with growing pauses until the
 * deadline, counts. Never rejects; how it ended goes back to the dispatcher.
 */
import { type Clock, delay, errorText, type Logger, type Random } from '../../base/index.ts';
import type { TemplateLibrary } from '../../template/index.ts';
import type { AlertmanagerConfig, WebhookConfig } from '../config.ts';
import type { NotifyFailure, NotifyRequest } from '../effects.ts';
import { NotifyError } from '../errors.ts';
import type { AlertmanagerMetrics } from '../metrics.ts';
import { createPostClient, type PostClient } from './post_client.ts';
import { sendWebhook } from './webhook.ts';

const backoffFirstMs = 500;
const backoffFactor = 1.5;
const backoffMaxMs = 60_000;
/** Each pause is spread by this share to both sides. */
const backoffSpread = 0.5;

export interface NotifiersDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly externalUrl: string;
  readonly library?: TemplateLibrary;
  readonly metrics?: AlertmanagerMetrics;
}

interface WebhookTarget {
  readonly config: WebhookConfig;
  readonly client: PostClient;
}

/** The integrations of one configuration; closed when it is replaced. */
export class Notifiers {
  readonly #deps: NotifiersDeps;
  readonly #webhooks: ReadonlyMap<string, readonly WebhookTarget[]>;

  constructor(config: AlertmanagerConfig, deps: NotifiersDeps) {
    this.#deps = deps;
    this.#webhooks = new Map(
      config.receivers.map((receiver) => [
        receiver.name,
        receiver.webhookConfigs.map((each) => ({ config: each, client: createPostClient(each.httpConfig) })),
      ]),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#webhooks.values()].flat().map((target) => target.client.close()));
  }

  /** Undefined: delivered. An aborted signal (leadership lost, shutdown) ends it as `contextCanceled`. */
  async notify(request: NotifyRequest, signal: AbortSignal): Promise<NotifyFailure | undefined> {
    const { clock, metrics, log } = this.#deps;
    const { integration, receiver, groupKey } = request.intent;
    metrics?.notifications.inc({ integration });
    const controller = new AbortController();
    const timer = clock.after(request.deadlineMs - clock.nowMs(), () =>
      controller.abort(new Error('deadline reached')),
    );
    let failure: NotifyFailure | undefined;
    try {
      failure = await this.#retry(request, AbortSignal.any([signal, controller.signal]), (attempt, error) =>
        log.warn(
          { receiver, groupKey, attempt, err: error.message },
          'notify attempt failed, will retry later',
        ),
      );
    } finally {
      timer.cancel();
    }
    if (failure === undefined) return undefined;
    const late = controller.signal.aborted && failure.reason === 'other';
    const reason = signal.aborted ? 'contextCanceled' : late ? 'contextDeadlineExceeded' : failure.reason;
    metrics?.notificationsFailed.inc({ integration, reason });
    return { ...failure, reason };
  }

  async #retry(
    request: NotifyRequest,
    signal: AbortSignal,
    failed: (attempt: number, error: NotifyError) => void,
  ): Promise<NotifyFailure | undefined> {
    const { clock, random } = this.#deps;
    let pauseMs = backoffFirstMs;
    let last: NotifyError | undefined;
    for (let attempt = 1; ; attempt++) {
      try {
        signal.throwIfAborted();
        await this.#attempt(request, signal);
        return undefined;
      } catch (error) {
        // Cut off by the deadline: what the receiver answered before says more.
        const problem = toNotifyError(error);
        last = signal.aborted ? (last ?? problem) : problem;
        if (!last.retry || signal.aborted) return { reason: last.reason, message: last.message };
        failed(attempt, last);
      }
      const spread = 1 - backoffSpread + 2 * backoffSpread * random.next();
      // Cut short by the deadline or by leaving; the loop's head sees it.
      await delay(clock, pauseMs * spread, signal).catch(() => undefined);
      pauseMs = Math.min(backoffMaxMs, pauseMs * backoffFactor);
    }
  }

  async #attempt(request: NotifyRequest, signal: AbortSignal): Promise<void> {
    const { clock, metrics, externalUrl, library } = this.#deps;
    const { integration, receiver, index } = request.intent;
    const target = integration === 'webhook' ? this.#webhooks.get(receiver)?.[index] : undefined;
    if (target === undefined) {
      throw new NotifyError(
        'other',
        false,
        `receiver ${JSON.stringify(receiver)} has no ${integration}[${index}]`,
      );
    }
    const startMs = clock.monotonicMs();
    metrics?.requests.inc({ integration });
    try {
      const deps = { client: target.client, externalUrl, clock, library };
      await sendWebhook(target.config, request, deps, signal);
    } catch (error) {
      metrics?.requestsFailed.inc({ integration });
      throw error;
    } finally {
      metrics?.latency.observe({ integration }, (clock.monotonicMs() - startMs) / 1000);
    }
  }
}

function toNotifyError(error: unknown): NotifyError {
  return error instanceof NotifyError
    ? error
    : new NotifyError('other', true, errorText(error), { cause: error });
}
