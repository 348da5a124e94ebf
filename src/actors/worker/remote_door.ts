/** Where a worker takes what other programs send and ask for. */

import type { Registry } from 'prom-client';
import { type Clock, errorText, type Logger } from '../../base/index.ts';
import type { Replicas } from '../../query/index.ts';
import {
  createRemoteWriteMetrics,
  loadOtlp,
  type RemoteWriteMetrics,
  type TranslatedOtlp,
} from '../../remote/index.ts';
import type { ReplyTo } from '../../runtime/index.ts';
import { federate } from './federation.ts';
import type { OtlpRequest, RemoteMessage, RemoteWriteOutcome } from './remote_messages.ts';
import { RemoteReads } from './remote_reads.ts';
import { nothingWritten, RemoteWrites, remoteWriteOutcome } from './remote_writes.ts';
import type { Router } from './router.ts';
import { settle } from './shard_actor.ts';

interface Deps {
  readonly router: Pick<Router, 'ingest'>;
  readonly replicasFor: (deadlineMs: number) => Replicas;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
}

export class RemoteDoor {
  readonly #deps: Deps;
  readonly #metrics: RemoteWriteMetrics;
  readonly #writes: RemoteWrites;
  readonly #reads: RemoteReads;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#metrics = createRemoteWriteMetrics(deps.registry);
    this.#writes = new RemoteWrites(deps.router, this.#metrics);
    this.#reads = new RemoteReads(deps.replicasFor, deps.clock);
  }

  receive(message: RemoteMessage): void {
    switch (message.type) {
      case 'remoteWrite':
        settle(this.#writes.write(message.request), message.replyTo);
        break;
      case 'otlp':
        settle(this.#otlp(message.request), message.replyTo);
        break;
      case 'remoteRead':
        settleBytes(this.#reads.start(message.id, message.spec), message.replyTo, bodyOf);
        break;
      case 'remoteReadNext':
        settleBytes(this.#reads.next(message.id), message.replyTo, ({ bytes }) => bytes);
        break;
      case 'remoteReadEnd':
        this.#reads.end(message.id);
        break;
      case 'federate':
        settleBytes(federate(message.spec, this.#deps.replicasFor), message.replyTo, bodyOf);
        break;
    }
  }

  /**
   * What can't be translated is logged and the rest is stored, as Prometheus does, whose senders would repeat a request
   * for ever otherwise.
   */
  async #otlp({ body, rules }: OtlpRequest): Promise<RemoteWriteOutcome> {
    let translated: TranslatedOtlp;
    try {
      const { receiveOtlp } = await loadOtlp();
      translated = await receiveOtlp(body, rules);
    } catch (error) {
      return { status: 400, message: errorText(error), ...nothingWritten };
    }
    const { batch, refused, firstError } = translated;
    if (firstError !== undefined)
      this.#deps.log.warn({ refused, err: firstError }, 'OTLP metrics were left out');
    const outcome = remoteWriteOutcome({ batch, rejected: 0 }, await this.#deps.router.ingest(batch));
    const labels = { protocol: 'otlp' };
    this.#metrics.samples.inc(labels, outcome.samplesWritten + outcome.histogramsWritten);
    this.#metrics.refused.inc(labels, outcome.refused + refused);
    return outcome;
  }
}

const bodyOf = (answer: object): Uint8Array | undefined =>
  'body' in answer && answer.body instanceof Uint8Array ? answer.body : undefined;

/** Answers with the promise's outcome, whose bytes move to the asker. */
function settleBytes<T>(
  promise: Promise<T>,
  replyTo: ReplyTo<T>,
  bytesOf: (answer: T) => Uint8Array | undefined,
): void {
  promise.then(
    (answer) => {
      const buffer = bytesOf(answer)?.buffer;
      replyTo.ok(answer, buffer instanceof ArrayBuffer && buffer.byteLength > 0 ? [buffer] : []);
    },
    (error: unknown) => replyTo.fail(error instanceof Error ? error : new Error(String(error))),
  );
}
