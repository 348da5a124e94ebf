/**
 * Remote read: the series of a request are selected over the cluster, and the answer is made piece by piece as the client
 * takes it, each piece in a few milliseconds, so that a large answer holds up nothing and is never in memory whole. What
 * was selected is, until its last piece is out.
 */
import { type Clock, CodedError, errorText } from '../../base/index.ts';
import type { SeriesColumns } from '../../model/index.ts';
import { type Replicas, selectSeries } from '../../query/index.ts';
import {
  decodeReadRequest,
  frames,
  type ReadQuery,
  type ReadRequest,
  RemoteRequestError,
  SampledAnswer,
} from '../../remote/index.ts';
import type { RemoteReadPart, RemoteReadSpec, RemoteReadStart } from './remote_messages.ts';

/** Of the selection of one query. */
const selectDeadlineMs = 60_000;
/** Bytes of a part, and how long making one may take. */
const partBytes = 1 << 20;
const partMs = 5;
/** Answers that are under way; the control thread allows fewer. */
const sessionsMax = 10_000;

interface Session {
  readonly abort: AbortController;
  frames: AsyncGenerator<Uint8Array> | undefined;
}

export class RemoteReads {
  readonly #replicasFor: (deadlineMs: number) => Replicas;
  readonly #clock: Clock;
  readonly #sessions = new Map<number, Session>();

  constructor(replicasFor: (deadlineMs: number) => Replicas, clock: Clock) {
    this.#replicasFor = replicasFor;
    this.#clock = clock;
  }

  /** Never rejects for what the request says. */
  async start(id: number, spec: RemoteReadSpec): Promise<RemoteReadStart> {
    if (this.#sessions.size >= sessionsMax) {
      return { type: 'refused', status: 503, message: 'too many remote reads are under way' };
    }
    const session: Session = { abort: new AbortController(), frames: undefined };
    this.#sessions.set(id, session);
    let isStreamed = false;
    try {
      const request = decodeReadRequest(spec.body, spec.externalLabels);
      if (request.responseType === 'samples') return await this.#samples(request, spec, session.abort.signal);
      session.frames = this.#frames(request, spec, session.abort.signal);
      isStreamed = true;
      return { type: 'chunks' };
    } catch (error) {
      return refusalOf(error);
    } finally {
      if (!isStreamed) this.#sessions.delete(id);
    }
  }

  /** The next part of a streamed answer. */
  async next(id: number): Promise<RemoteReadPart> {
    const stream = this.#sessions.get(id)?.frames;
    if (stream === undefined) throw new CodedError('read_ended', 'this answer of remote read has ended');
    const parts: Uint8Array[] = [];
    let bytes = 0;
    let isLast = false;
    try {
      const untilMs = this.#clock.monotonicMs() + partMs;
      do {
        const { value, done } = await stream.next();
        if (done === true) {
          isLast = true;
          break;
        }
        parts.push(value);
        bytes += value.length;
      } while (bytes < partBytes && this.#clock.monotonicMs() < untilMs);
    } catch (error) {
      this.end(id);
      throw error;
    }
    if (isLast) this.#sessions.delete(id);
    return { bytes: joined(parts, bytes), isLast };
  }

  /** Forgets an answer. */
  end(id: number): void {
    const session = this.#sessions.get(id);
    session?.abort.abort(new CodedError('canceled', 'nobody waits for the answer'));
    this.#sessions.delete(id);
  }

  async #samples(request: ReadRequest, spec: RemoteReadSpec, signal: AbortSignal): Promise<RemoteReadStart> {
    const answer = new SampledAnswer(spec);
    for (const query of request.queries) answer.add(await this.#select(query, signal));
    return { type: 'samples', body: answer.finish() };
  }

  async *#frames(
    request: ReadRequest,
    spec: RemoteReadSpec,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    for (const [index, query] of request.queries.entries()) {
      yield* frames(await this.#select(query, signal), index, spec);
    }
  }

  /** Rejects with `incomplete`: the protocol has no way to say that something is missing. */
  async #select(
    { matchers, fromMs, toMs }: ReadQuery,
    signal: AbortSignal,
  ): Promise<readonly SeriesColumns[]> {
    if (fromMs > toMs) return [];
    const late = AbortSignal.any([signal, AbortSignal.timeout(selectDeadlineMs)]);
    const request = { matchers, fromMs, toMs, stepMs: 0 };
    const replicas = this.#replicasFor(selectDeadlineMs);
    const { series, isIncomplete } = await selectSeries(replicas, request, selectDeadlineMs, late);
    if (isIncomplete) throw new CodedError('incomplete', 'a node that holds some of the data is away');
    return series.filter(({ timestamps }) => timestamps.length > 0);
  }
}

const badCodes: readonly string[] = ['bad_regex'];

function refusalOf(error: unknown): RemoteReadStart {
  const isBad =
    error instanceof RemoteRequestError || (error instanceof CodedError && badCodes.includes(error.code));
  const status = isBad ? 400 : error instanceof CodedError ? 503 : 500;
  return { type: 'refused', status, message: errorText(error) };
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
