/**
 * Brings a command to the leader, wherever it is, and waits until it is committed and applied here. Every
 * command is idempotent (a table has its version, a keyed entry its key), so what is uncertain is repeated
 * until the deadline.
 */
import { create } from '@bufbuild/protobuf';
import {
  ProposeRequestSchema,
  ProposeResponse_Status as Status,
} from '../../proto/gen/torchring/v1/raft_pb.ts';
import { type Clock, delay } from '../base/index.ts';
import type { ControlCommand } from './control/commands.ts';
import { encodeCommand } from './control/commands.ts';
import type { ControlGroup } from './control_group.ts';
import { ProposalError, proposalErrorCodes, TransportError } from './errors.ts';
import type { ClusterMetrics } from './metrics.ts';
import { commandBytesMax } from './raft/options.ts';
import type { ClientPool } from './transport/client.ts';

const retryMs = 50;
/** One attempt at a leader that may have died unnoticed. */
const attemptMs = 2_000;

type Attempt = 'done' | 'notLeader' | 'uncertain';

export class Proposer {
  readonly #selfId: string;
  readonly #group: ControlGroup;
  readonly #pool: ClientPool;
  readonly #addressOf: (id: string) => string | undefined;
  readonly #deps: { clock: Clock; metrics: ClusterMetrics };

  constructor(
    selfId: string,
    group: ControlGroup,
    calls: { pool: ClientPool; addressOf: (id: string) => string | undefined },
    deps: { clock: Clock; metrics: ClusterMetrics },
  ) {
    this.#selfId = selfId;
    this.#group = group;
    this.#pool = calls.pool;
    this.#addressOf = calls.addressOf;
    this.#deps = deps;
  }

  /** Resolves when the command is committed and applied here. Rejects with ProposalError. */
  async propose(command: ControlCommand, deadlineMs: number): Promise<void> {
    const bytes = encodeCommand(command);
    if (bytes.length > commandBytesMax) {
      throw new ProposalError(
        proposalErrorCodes.tooLarge,
        `a ${command.kind} command of ${bytes.length} bytes; at most ${commandBytesMax} fit`,
      );
    }
    const { clock, metrics } = this.#deps;
    const endMs = clock.monotonicMs() + deadlineMs;
    let uncertain = false;
    for (let leftMs = deadlineMs; leftMs > 0; leftMs = endMs - clock.monotonicMs()) {
      const outcome = await this.#attempt(bytes, Math.min(leftMs, attemptMs));
      if (outcome === 'done') {
        metrics.proposals.inc({ outcome: 'committed' });
        return;
      }
      if (outcome === 'uncertain') uncertain = true;
      await delay(clock, retryMs);
    }
    metrics.proposals.inc({ outcome: uncertain ? 'uncertain' : 'no_leader' });
    throw uncertain
      ? new ProposalError(
          proposalErrorCodes.uncertain,
          `a ${command.kind} command may or may not be committed`,
        )
      : new ProposalError(proposalErrorCodes.noLeader, `no leader took a ${command.kind} command`);
  }

  async #attempt(bytes: Uint8Array, deadlineMs: number): Promise<Attempt> {
    const here = this.#group.proposeHere(bytes);
    if (here !== undefined) {
      const late = delay(this.#deps.clock, deadlineMs).then(() => 'late' as const);
      const first = await Promise.race([here, late]);
      return first !== 'late' && first.outcome === 'committed' ? 'done' : 'uncertain';
    }
    const { leader } = this.#group.node;
    const address = leader === undefined || leader === this.#selfId ? undefined : this.#addressOf(leader);
    return address === undefined ? 'notLeader' : this.#forward(address, bytes, deadlineMs);
  }

  async #forward(address: string, command: Uint8Array, deadlineMs: number): Promise<Attempt> {
    try {
      const request = create(ProposeRequestSchema, { command });
      const { status, index } = await this.#pool.call(address, 'propose', request, { deadlineMs });
      if (status === Status.NOT_LEADER) return 'notLeader';
      if (status !== Status.COMMITTED) return 'uncertain';
      await this.#group.applied(Number(index), deadlineMs);
      return 'done';
    } catch (error) {
      if (error instanceof TransportError || error instanceof ProposalError) return 'uncertain';
      throw error;
    }
  }
}
