/** Silences as the control group remembers them: read at any node, changed by a proposal. */
import { randomUUID } from 'node:crypto';
import {
  expireSilence,
  parsePostedSilence,
  putSilence,
  type Silence,
  type SilenceChange,
  silenceRetentionMs,
  silenceState,
} from '../alertmanager/index.ts';
import { type Clock, CodedError } from '../base/index.ts';
import type { ClusterNode } from '../cluster/index.ts';

const formatVersion = 1;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class SilenceStore {
  readonly #cluster: Pick<ClusterNode, 'silences' | 'propose'>;
  readonly #clock: Clock;

  constructor(cluster: Pick<ClusterNode, 'silences' | 'propose'>, clock: Clock) {
    this.#cluster = cluster;
    this.#clock = clock;
  }

  all(): readonly Silence[] {
    return [...this.#byId().values()];
  }

  #byId(): Map<string, Silence> {
    const silences = new Map<string, Silence>();
    for (const { key, payload } of this.#cluster.silences.entries()) {
      const { version, silence } = JSON.parse(decoder.decode(payload)) as {
        version: number;
        silence: Silence;
      };
      if (version !== formatVersion) {
        throw new CodedError('silence_format', `silence ${key} has format version ${version}`);
      }
      silences.set(key, silence);
    }
    return silences;
  }

  /** A new silence, or an edit of an old one. Rejects with BadSilenceError, SilenceNotFoundError, ProposalError. */
  async put(posted: unknown): Promise<string> {
    const request = parsePostedSilence(posted);
    return this.#commit(putSilence(this.#byId(), request, this.#clock.nowMs(), randomUUID));
  }

  /** One that has expired already stays as it is. Rejects with SilenceNotFoundError, ProposalError. */
  async expire(id: string): Promise<void> {
    const known = this.#byId().get(id);
    if (known !== undefined && silenceState(known, this.#clock.nowMs()) === 'expired') return;
    await this.#commit(expireSilence(this.#byId(), id, this.#clock.nowMs()));
  }

  async #commit({ id, put }: SilenceChange): Promise<string> {
    for (const silence of put) {
      const payload = encoder.encode(JSON.stringify({ version: formatVersion, silence }));
      const entry = { key: silence.id, payload, expiresAtMs: silence.endsAtMs + silenceRetentionMs };
      await this.#cluster.propose({ kind: 'setSilence', entry });
    }
    return id;
  }
}
