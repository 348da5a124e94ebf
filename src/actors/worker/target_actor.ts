/**
 * One target of a shard that this node owns: the scrape loop's clock. Scrapes at its fixed offset in the interval, gives
 * each batch to the router, and at the end of the target's life writes staleness markers; a mere move to another node
 * writes none. Mailbox: few messages ever wait, the bound is the default. At a restart after a failure the next scrape
 * comes at its usual time.
 */
import { errorText } from '../../base/index.ts';
import type { WriteBatch } from '../../model/index.ts';
import type { ActorContext, ActorProps, Behavior } from '../../runtime/index.ts';
import {
  nextScrapeMs,
  type RefusedSamples,
  type ScrapeLoop,
  type ScrapeResult,
  scrapeTimestampMs,
} from '../../scrape/index.ts';
import { SampleVerdict } from '../../tsdb/index.ts';
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
  /** How late a scrape may be and still have the timestamp of its schedule. */
  readonly timestampToleranceMs: number;
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
    const { loop, refusal, timestampToleranceMs } = this.#deps;
    this.#schedule(context, scheduledMs);
    // The time-out is at most the interval, so an overlap is rare; the one under way counts.
    if (this.#isScraping || this.#life.isGone) return;
    const nowMs = context.clock.nowMs();
    const { intervalMs } = loop.target;
    const timestampMs = scrapeTimestampMs(nowMs, scheduledMs, intervalMs, timestampToleranceMs);
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
    this.#store(result.batch, context, result);
  }

  /** `result` is of the scrape that made the batch; absent for what no target exposed. */
  #store(batch: WriteBatch, context: ActorContext<TargetMessage>, result?: ScrapeResult): void {
    const { loop, ingest } = this.#deps;
    const target = loop.target.url;
    ingest(batch).then(
      (outcome) => {
        if (outcome.isHeld !== true) loop.release(batch);
        if (outcome.unavailable > 0) {
          const { unavailable: samples, unavailableReason: reason } = outcome;
          context.log.warn({ target, samples, reason }, 'scraped samples could not be stored');
        }
        if (result !== undefined) this.#noteRefused(result, outcome, context);
      },
      (error: unknown) => context.log.error({ target, err: errorText(error) }, 'storing a scrape failed'),
    );
  }

  /** One line per kind and scrape, as Prometheus has it. */
  #noteRefused(result: ScrapeResult, outcome: IngestOutcome, context: ActorContext<TargetMessage>): void {
    const { loop } = this.#deps;
    const refused = refusedSamples(result, outcome);
    loop.noteRefused(refused);
    const target = loop.target.url;
    const warn = (samples: number, text: string): void => {
      if (samples > 0) context.log.warn({ target, samples }, text);
    };
    warn(refused.outOfOrder, 'out-of-order samples were dropped');
    warn(
      refused.duplicates + result.counts.duplicates,
      'samples with a different value but the same timestamp were dropped',
    );
    warn(
      refused.outOfBounds + result.counts.outOfBounds,
      'samples that are too old or too far in the future were dropped',
    );
  }
}

/** What was refused of that which the target exposed: markers, report series and added zeros give way silently. */
export function refusedSamples(
  { exposedSamples, zeros }: Pick<ScrapeResult, 'exposedSamples' | 'zeros'>,
  { verdicts }: Pick<IngestOutcome, 'verdicts'>,
): RefusedSamples {
  const refused = { outOfOrder: 0, duplicates: 0, outOfBounds: 0 };
  if (verdicts === undefined) return refused;
  for (let i = 0; i < exposedSamples; i++) {
    const verdict = verdicts[i];
    if (verdict === SampleVerdict.ok || zeros.includes(i)) continue;
    if (verdict === SampleVerdict.outOfOrder) refused.outOfOrder++;
    else if (verdict === SampleVerdict.conflict) refused.duplicates++;
    else if (verdict === SampleVerdict.tooOld || verdict === SampleVerdict.tooFarInFuture) {
      refused.outOfBounds++;
    }
  }
  return refused;
}

export function targetProps(deps: TargetDeps): ActorProps<TargetMessage> {
  const life: TargetLife = { isGone: false };
  return {
    kind: 'target',
    create: () => new TargetBehavior(deps, life),
    supervision: { restartsMax: 1_000 },
  };
}
