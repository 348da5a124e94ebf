/** Other programs' samples, taken and given by the workers of this node, each request by the next one in turn. */
import type { LocalWorkers } from '../actors/index.ts';
import type { RemoteBackend, WriteAnswer, WriteProtocol } from '../api/index.ts';
import { CodedError, errorText } from '../base/index.ts';

const writeDeadlineMs = 20_000;

export interface RemoteBackendDeps {
  readonly workers: LocalWorkers;
  /** Names of --enable-feature. */
  readonly features: readonly string[];
}

export class NodeRemoteBackend implements RemoteBackend {
  readonly #deps: RemoteBackendDeps;
  readonly #zeroSamples: boolean;

  constructor(deps: RemoteBackendDeps) {
    this.#deps = deps;
    this.#zeroSamples = deps.features.includes('created-timestamp-zero-ingestion');
  }

  async write(body: Uint8Array, protocol: WriteProtocol): Promise<WriteAnswer> {
    const request = { body, protocol, zeroSamples: this.#zeroSamples };
    return unlessUnavailable(() =>
      this.#deps.workers
        .next()
        .ask<WriteAnswer>((replyTo) => ({ type: 'remoteWrite', request, replyTo }), writeDeadlineMs),
    );
  }
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
