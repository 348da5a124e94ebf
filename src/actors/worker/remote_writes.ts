/**
 * Remote write requests as they come to a worker: decoded here, their samples taken to the owners of the series, and the
 * sender told what became of them. One decoder per protocol remembers the series of all senders.
 */
import { errorText, systemRandom } from '../../base/index.ts';
import type { WriteBatch } from '../../model/index.ts';
import {
  type DecodedRemoteWrite,
  RemoteWrite2Decoder,
  RemoteWriteDecoder,
  type RemoteWriteMetrics,
} from '../../remote/index.ts';
import { SampleVerdict } from '../../tsdb/index.ts';
import type { IngestOutcome } from './messages.ts';
import type { RemoteWriteOutcome, RemoteWriteRequest } from './remote_messages.ts';
import type { Router } from './router.ts';

/** Bytes of a request, uncompressed. */
const requestBytesMax = 64 * 1024 * 1024;

type Decoder = Pick<RemoteWriteDecoder, 'decode' | 'settled'>;

export class RemoteWrites {
  readonly #router: Pick<Router, 'ingest'>;
  readonly #metrics: RemoteWriteMetrics;
  readonly #hashSeed = systemRandom().below(2 ** 32);
  /** By protocol, made when the first sender comes. */
  readonly #decoders = new Map<string, Decoder>();

  constructor(router: Pick<Router, 'ingest'>, metrics: RemoteWriteMetrics) {
    this.#router = router;
    this.#metrics = metrics;
  }

  /** Never rejects for what the request says. */
  async write({ body, protocol, zeroSamples }: RemoteWriteRequest): Promise<RemoteWriteOutcome> {
    const decoder = this.#decoder(protocol, zeroSamples);
    let decoded: DecodedRemoteWrite;
    try {
      decoded = decoder.decode(body);
    } catch (error) {
      return { status: 400, message: errorText(error), ...nothingWritten };
    }
    const outcome = await this.#router.ingest(decoded.batch);
    decoder.settled(decoded.batch, outcome.isHeld === true);
    const answer = remoteWriteOutcome(decoded, outcome);
    const labels = { protocol: String(protocol) };
    this.#metrics.samples.inc(labels, answer.samplesWritten + answer.histogramsWritten);
    this.#metrics.refused.inc(labels, answer.refused);
    this.#metrics.invalidLabels.inc(decoded.rejected);
    return answer;
  }

  #decoder(protocol: RemoteWriteRequest['protocol'], zeroSamples: boolean): Decoder {
    const key = `${protocol} ${zeroSamples}`;
    let decoder = this.#decoders.get(key);
    if (decoder === undefined) {
      const options = { sizeMax: requestBytesMax, hashSeed: this.#hashSeed };
      decoder =
        protocol === 1
          ? new RemoteWriteDecoder(options)
          : new RemoteWrite2Decoder({ ...options, zeroSamples });
      this.#decoders.set(key, decoder);
    }
    return decoder;
  }
}

export const nothingWritten: Omit<RemoteWriteOutcome, 'status' | 'message'> = {
  samplesWritten: 0,
  histogramsWritten: 0,
  exemplarsWritten: 0,
  refused: 0,
};

/** What the sender is told: keep and retry what could not be placed, drop what was refused for good. */
export function remoteWriteOutcome(
  { batch, rejected, firstError, zeroSamplesAt = [] }: DecodedRemoteWrite,
  outcome: IngestOutcome,
): RemoteWriteOutcome {
  const written = writtenOf(batch, outcome, zeroSamplesAt);
  const { unavailable } = outcome;
  if (unavailable > 0) {
    const message = outcome.unavailableReason ?? 'some shards have no reachable owner';
    return { status: 503, message, ...written, exemplarsWritten: 0, refused: 0 };
  }
  const asked = batch.refs.length - zeroSamplesAt.length;
  const refused = rejected + asked - written.samplesWritten - written.histogramsWritten;
  const counts = { ...written, exemplarsWritten: batch.exemplars?.length ?? 0, refused };
  const first = firstError ?? (refused > 0 ? outcome.firstError : undefined);
  if (first === undefined) return { status: 204, ...counts };
  const total = asked + rejected;
  const message = refused > 1 ? `${first} (${refused} of ${total} samples were refused)` : first;
  return { status: 400, message, ...counts };
}

/** How many of a batch's samples are there now, without those that nobody has sent. */
function writtenOf(
  { refs, histograms }: WriteBatch,
  { verdicts, firstError }: IngestOutcome,
  zeroSamplesAt: readonly number[],
): Pick<RemoteWriteOutcome, 'samplesWritten' | 'histogramsWritten'> {
  if (verdicts === undefined && histograms === undefined && firstError === undefined) {
    return { samplesWritten: refs.length - zeroSamplesAt.length, histogramsWritten: 0 };
  }
  const isThere = (at: number): boolean => {
    const verdict = verdicts?.[at] ?? SampleVerdict.ok;
    return verdict === SampleVerdict.ok || verdict === SampleVerdict.duplicate;
  };
  let samplesWritten = 0;
  let histogramsWritten = 0;
  const count = (at: number, step: number): void => {
    if (!isThere(at)) return;
    if (histograms?.[at] == null) samplesWritten += step;
    else histogramsWritten += step;
  };
  for (let at = 0; at < refs.length; at++) count(at, 1);
  for (const at of zeroSamplesAt) count(at, -1);
  return { samplesWritten, histogramsWritten };
}
