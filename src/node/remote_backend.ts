/** Other programs' samples, taken and given by the workers of this node, each request by the next one in turn. */
import { Counter, Gauge, type Registry } from 'prom-client';
import {
  type FederateOutcome,
  Gate,
  type LocalWorkers,
  type RemoteReadPart,
  type RemoteReadStart,
  type WorkerMessage,
} from '../actors/index.ts';
import type {
  FederateAnswer,
  OtlpBody,
  ReadAnswer,
  RemoteBackend,
  WriteAnswer,
  WriteProtocol,
} from '../api/index.ts';
import { type Clock, CodedError, errorText } from '../base/index.ts';
import { federateContentType, negotiateFederateFormat, type OtlpRules } from '../remote/index.ts';
import type { ActorRef } from '../runtime/index.ts';
import type { OtlpConfig, PrometheusConfig } from './config_types.ts';

const writeDeadlineMs = 20_000;
const readDeadlineMs = 70_000;
const readsWaitingMax = 1_000;
const federateDeadlineMs = 70_000;

export interface RemoteBackendDeps {
  readonly workers: LocalWorkers;
  /** Names of --enable-feature. */
  readonly features: readonly string[];
  readonly limits: {
    readonly readSamplesMax: number;
    readonly readsMax: number;
    readonly frameBytesMax: number;
    readonly lookbackMs: number;
  };
  /** Undefined until the configuration is loaded. */
  readonly config: () => Pick<PrometheusConfig, 'global' | 'otlp'> | undefined;
  readonly clock: Clock;
  readonly registry: Registry;
}

export class NodeRemoteBackend implements RemoteBackend {
  readonly #deps: RemoteBackendDeps;
  readonly #zeroSamples: boolean;
  readonly #gate: Gate;
  readonly #federationErrors: Counter;
  readonly #federationWarnings: Counter;
  #lastId = 0;

  constructor(deps: RemoteBackendDeps) {
    this.#deps = deps;
    this.#zeroSamples = deps.features.includes('created-timestamp-zero-ingestion');
    const gate = new Gate({
      max: deps.limits.readsMax,
      waitingMax: readsWaitingMax,
      whenFull: () => new CodedError('too_many_reads', 'too many remote reads are waiting, try again later'),
    });
    this.#gate = gate;
    const registers = [deps.registry];
    new Gauge({
      name: 'prometheus_remote_read_handler_queries',
      help: 'The current number of remote read queries that are either in execution or queued on the handler.',
      registers,
      collect(): void {
        this.set(gate.size);
      },
    });
    this.#federationErrors = new Counter({
      name: 'prometheus_web_federation_errors_total',
      help: 'Total number of errors that occurred while sending federation responses.',
      registers,
    });
    this.#federationWarnings = new Counter({
      name: 'prometheus_web_federation_warnings_total',
      help: 'Total number of warnings that occurred while sending federation responses.',
      registers,
    });
  }

  async write(body: Uint8Array, protocol: WriteProtocol): Promise<WriteAnswer> {
    const request = { body, protocol, zeroSamples: this.#zeroSamples };
    return unlessUnavailable(() =>
      this.#deps.workers
        .next()
        .ask<WriteAnswer>(
          (replyTo) => ({ type: 'remoteWrite', request, replyTo }),
          writeDeadlineMs,
          movable(body),
        ),
    );
  }

  async otlp(body: OtlpBody): Promise<WriteAnswer> {
    return unlessUnavailable(() => {
      const rules = otlpRules(this.#config().otlp, this.#deps.features);
      const request = { body, rules };
      return this.#deps.workers
        .next()
        .ask<WriteAnswer>(
          (replyTo) => ({ type: 'otlp', request, replyTo }),
          writeDeadlineMs,
          movable(body.bytes),
        );
    });
  }

  async read(body: Uint8Array, signal: AbortSignal): Promise<ReadAnswer> {
    await this.#gate.enter(signal);
    const id = ++this.#lastId;
    let worker: ActorRef<WorkerMessage> | undefined;
    let isOver = false;
    // Also when the client goes before it has taken anything: then nobody asks for the pieces at all.
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      worker?.tell({ type: 'remoteReadEnd', id });
      this.#gate.leave();
    };
    signal.addEventListener('abort', end, { once: true });
    try {
      const { readSamplesMax, frameBytesMax } = this.#deps.limits;
      const { externalLabels } = this.#config().global;
      const spec = { body, externalLabels, samplesMax: readSamplesMax, frameBytesMax };
      const reader = this.#deps.workers.next();
      worker = reader;
      const start = await reader.ask<RemoteReadStart>(
        (replyTo) => ({ type: 'remoteRead', id, spec, replyTo }),
        readDeadlineMs,
      );
      if (start.type === 'chunks') return { type: 'chunks', pieces: pieces(reader, id, end) };
      end();
      return start;
    } catch (error) {
      end();
      if (!(error instanceof CodedError)) throw error;
      return { type: 'refused', status: 503, message: errorText(error) };
    }
  }

  async federate(selectors: readonly string[], accept: string): Promise<FederateAnswer> {
    const format = negotiateFederateFormat(accept);
    try {
      const { externalLabels } = this.#config().global;
      const nowMs = this.#deps.clock.nowMs();
      const spec = { selectors, format, externalLabels, nowMs, lookbackMs: this.#deps.limits.lookbackMs };
      const outcome = await this.#deps.workers
        .next()
        .ask<FederateOutcome>((replyTo) => ({ type: 'federate', spec, replyTo }), federateDeadlineMs);
      if (outcome.status === 500) this.#federationErrors.inc();
      if (outcome.status !== 200) return outcome;
      this.#federationWarnings.inc(outcome.warnings);
      return { status: 200, body: outcome.body, contentType: federateContentType(format) };
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      this.#federationErrors.inc();
      return { status: 503, message: errorText(error) };
    }
  }

  /** Throws CodedError `unavailable` while the node starts. */
  #config(): Pick<PrometheusConfig, 'global' | 'otlp'> {
    const config = this.#deps.config();
    if (config === undefined) throw new CodedError('unavailable', 'this node is starting');
    return config;
  }
}

/** The parts of a streamed answer, as the worker makes them. */
async function* pieces(
  worker: ActorRef<WorkerMessage>,
  id: number,
  end: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const { bytes, isLast } = await worker.ask<RemoteReadPart>(
        (replyTo) => ({ type: 'remoteReadNext', id, replyTo }),
        readDeadlineMs,
      );
      if (bytes.length > 0) yield bytes;
      if (isLast) return;
    }
  } finally {
    end();
  }
}

/** A body's memory, if it is its own: it goes to the worker, for nobody here looks at it again. */
function movable({ buffer, byteLength }: Uint8Array): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}

/** Nothing was acknowledged when no worker answers, so the sender has to come again. */
async function unlessUnavailable(write: () => Promise<WriteAnswer>): Promise<WriteAnswer> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const nothing = { samplesWritten: 0, histogramsWritten: 0, exemplarsWritten: 0 };
    return { status: 503, message: errorText(error), ...nothing };
  }
}

/** The section `otlp` and the features that belong to it. */
function otlpRules(otlp: OtlpConfig, features: readonly string[]): OtlpRules {
  const { translationStrategy, promoteAllResourceAttributes: promoteAll } = otlp;
  return {
    withSuffixes: translationStrategy.endsWith('WithSuffixes'),
    allowUtf8: !translationStrategy.startsWith('Underscore'),
    sanitizeUnderscore: otlp.labelNameUnderscoreSanitization,
    preserveUnderscores: otlp.labelNamePreserveMultipleUnderscores,
    promoteAll,
    resourceAttributes: promoteAll ? otlp.ignoreResourceAttributes : otlp.promoteResourceAttributes,
    promoteScope: otlp.promoteScopeMetadata,
    keepIdentifyingAttributes: otlp.keepIdentifyingResourceAttributes,
    convertToNhcb: otlp.convertHistogramsToNhcb,
    allowDelta: features.includes('otlp-native-delta-ingestion'),
  };
}
