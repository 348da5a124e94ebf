/**
 * One target of a shard that this node owns: the scrape loop's clock. Scrapes at its fixed offset in the interval, gives
 * each batch to the router, and at the end of the target's life writes staleness markers; a mere move to another node
 * writes none. Mailbox: few messages ever wait, the bound is the default. At a restart after a failure the next scrape
 * comes at its usual time.
 */
import { errorText } from '../../base/index.ts';
import type { WriteBatch } from '../../model/index.ts';
import type { ActorContext, ActorProps, Behavior } from '../../runtime/index.ts';
import { nextScrapeMs, type ScrapeLoop, type ScrapeResult, scrapeTimestampMs } from '../../scrape/index.ts';
import type { IngestOutcome } from './messages.ts';

export type TargetMessage =
  | { readonly type: 'scrape'; readonly scheduledMs: number }
  | { readonly type: 'scraped'; readonly result: ScrapeResult }
  | { readonly type: 'failed'; readonly error: unknown }
  /** The target is not discovered any more. */
  | { readonly type: 'gone' }
  | { readonly type: 'endOfLife' };

/** The last scrape, for the targets page; written by the actor, read by the scrape manager of the same thread. */
export interface TargetStatus {
  health: 'unknown' | 'up' | 'down';
  lastError: string;
  lastScrapeMs: number;
  lastDurationMs: number;
}

export interface TargetDeps {
  readonly loop: ScrapeLoop;
  readonly offsetMs: number;
  readonly status: TargetStatus;
  /** Non-empty: every scrape fails for this reason without being tried. */
  readonly refusal: string;
  readonly ingest: (batch: WriteBatch) => Promise<IngestOutcome>;
}

/** What outlives a restart after a failure. */
interface TargetLife {
  isGone: boolean;
}

class TargetBehavior implements Behavior<TargetMessage> {
  readonly #deps: TargetDeps;
  readonly #life: TargetLife;
  #isScraping = false;

  constructor(deps: TargetDeps, life: TargetLife) {
    this.#deps = deps;
    this.#life = life;
  }

  started(context: ActorContext<TargetMessage>): void {
    if (this.#life.isGone) this.#endSoon(context);
    else this.#schedule(context, 0);
  }

  receive(message: TargetMessage, context: ActorContext<TargetMessage>): void {
    switch (message.type) {
      case 'scrape':
        this.#scrape(message.scheduledMs, context);
        break;
      case 'scraped':
        this.#scraped(message.result, context);
        break;
      case 'failed':
        throw message.error;
      case 'gone':
        this.#life.isGone = true;
        context.cancelTimer('scrape');
        this.#endSoon(context);
        break;
      case 'endOfLife':
        this.#store(this.#deps.loop.endOfLife(context.clock.nowMs()), context);
        context.stopSelf();
        break;
    }
  }

  /** A target that is only missing for a moment, such as during a reload, leaves no trace. */
  #endSoon(context: ActorContext<TargetMessage>): void {
    context.startTimer('endOfLife', this.#deps.loop.target.intervalMs, { type: 'endOfLife' });
  }

  /** The slot after `lastMs`, also where the timer of that one came a little early by the wall clock. */
  #schedule(context: ActorContext<TargetMessage>, lastMs: number): void {
    const { intervalMs } = this.#deps.loop.target;
    const nowMs = context.clock.nowMs();
    const isEarly = lastMs > nowMs && lastMs - nowMs < intervalMs;
    const scheduledMs = nextScrapeMs(isEarly ? lastMs : nowMs, intervalMs, this.#deps.offsetMs);
    context.startTimer('scrape', scheduledMs - nowMs, { type: 'scrape', scheduledMs });
  }

  #scrape(scheduledMs: number, context: ActorContext<TargetMessage>): void {
    const { loop, refusal } = this.#deps;
    this.#schedule(context, scheduledMs);
    // The time-out is at most the interval, so an overlap is rare; the one under way counts.
    if (this.#isScraping || this.#life.isGone) return;
    const timestampMs = scrapeTimestampMs(context.clock.nowMs(), scheduledMs, loop.target.intervalMs);
    if (refusal !== '') {
      this.#scraped(loop.fail(timestampMs, refusal), context);
      return;
    }
    this.#isScraping = true;
    context.pipe(
      loop.scrape(timestampMs, context.signal),
      (result) => ({ type: 'scraped', result }),
      (error) => ({ type: 'failed', error }),
    );
  }

  #scraped(result: ScrapeResult, context: ActorContext<TargetMessage>): void {
    this.#isScraping = false;
    const { status } = this.#deps;
    status.health = result.health;
    status.lastError = result.lastError;
    status.lastScrapeMs = result.timestampMs;
    status.lastDurationMs = result.durationMs;
    this.#store(result.batch, context);
  }

  #store(batch: WriteBatch, context: ActorContext<TargetMessage>): void {
    const { loop, ingest } = this.#deps;
    const target = loop.target.url;
    ingest(batch).then(
      ({ unavailable, unavailableReason, firstError, isHeld }) => {
        if (isHeld !== true) loop.release(batch);
        if (unavailable > 0) {
          context.log.warn(
            { target, samples: unavailable, reason: unavailableReason },
            'scraped samples could not be stored',
          );
        } else if (firstError !== undefined) {
          context.log.debug({ target, reason: firstError }, 'some scraped samples were refused');
        }
      },
      (error: unknown) => context.log.error({ target, err: errorText(error) }, 'storing a scrape failed'),
    );
  }
}

export function targetProps(deps: TargetDeps): ActorProps<TargetMessage> {
  const life: TargetLife = { isGone: false };
  return {
    kind: 'target',
    create: () => new TargetBehavior(deps, life),
    supervision: { restartsMax: 1_000 },
  };
}
