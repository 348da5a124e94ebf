/**
 * One running query: lives as long as it runs, holds its cancellation, and answers once. A worker runs so many at a time;
 * further ones wait in the worker's line, a bounded one.
 */
import { CodedError } from '../../base/index.ts';
import type { ActorContext, ActorProps, Behavior, ReplyTo } from '../../runtime/index.ts';

export interface QueryDeps<R> {
  readonly run: (signal: AbortSignal) => Promise<R>;
  readonly replyTo: ReplyTo<R>;
  /** Buffers of a result that move to the asker: a big answer is not copied then. */
  readonly buffersOf?: (result: R) => readonly ArrayBuffer[];
}

export type QueryMessage = { readonly type: 'cancel' };

class QueryBehavior<R> implements Behavior<QueryMessage> {
  readonly #deps: QueryDeps<R>;
  readonly #abort = new AbortController();

  constructor(deps: QueryDeps<R>) {
    this.#deps = deps;
  }

  started(context: ActorContext<QueryMessage>): void {
    const { run, replyTo, buffersOf } = this.#deps;
    run(this.#abort.signal).then(
      (result) => {
        replyTo.ok(result, buffersOf?.(result));
        context.stopSelf();
      },
      (error: unknown) => {
        replyTo.fail(error instanceof Error ? error : new Error(String(error)));
        context.stopSelf();
      },
    );
  }

  receive(): void {
    this.#abort.abort(new CodedError('canceled', 'the query was cancelled by its client'));
  }

  stopped(): void {
    this.#abort.abort(new CodedError('canceled', 'the node is stopping'));
  }
}

export function queryProps<R>(deps: QueryDeps<R>): ActorProps<QueryMessage> {
  return { kind: 'query', create: () => new QueryBehavior(deps), supervision: { onFailure: 'stop' } };
}
