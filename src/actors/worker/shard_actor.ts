/**
 * One hosted shard replica. Appends are judged one after the other and acknowledged when the log has them, several at a
 * time, so that one group commit serves many. Mailbox: 1024 batches, then senders see `mailbox_full` and try again.
 * A failure of the store stops taking writes through supervision; what was acknowledged is on disk.
 */
import type { Clock } from '../../base/index.ts';
import type { WriteBatch } from '../../model/index.ts';
import type { ActorProps, Behavior, ReplyTo } from '../../runtime/index.ts';
import type { AppendOutcome, ShardStore } from '../../tsdb/index.ts';

export type ShardMessage =
  | {
      readonly type: 'append';
      readonly batch: WriteBatch;
      readonly epoch: number;
      readonly bypassOutOfOrder: boolean;
      readonly replyTo: ReplyTo<AppendOutcome>;
    }
  /** Answered behind every append that came before. */
  | { readonly type: 'barrier'; readonly replyTo: ReplyTo<void> }
  | { readonly type: 'deleteAll'; readonly replyTo: ReplyTo<void> };

class ShardBehavior implements Behavior<ShardMessage> {
  readonly #store: ShardStore;
  readonly #clock: Clock;

  constructor(store: ShardStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  receive(message: ShardMessage): void {
    switch (message.type) {
      case 'append': {
        const { batch, epoch, bypassOutOfOrder, replyTo } = message;
        const options = { epoch, bypassOutOfOrder, nowMs: this.#clock.nowMs() };
        settle(this.#store.append(batch, options), replyTo);
        break;
      }
      case 'barrier':
        message.replyTo.ok(undefined);
        break;
      case 'deleteAll':
        settle(this.#store.deleteAll(), message.replyTo);
        break;
    }
  }
}

/** Answers with the promise's outcome. */
export function settle<T>(promise: Promise<T>, replyTo: ReplyTo<T>): void {
  promise.then(
    (value) => replyTo.ok(value),
    (error: unknown) => replyTo.fail(error instanceof Error ? error : new Error(String(error))),
  );
}

export function shardProps(store: ShardStore, clock: Clock): ActorProps<ShardMessage> {
  return { kind: 'shard', create: () => new ShardBehavior(store, clock) };
}
