/**
 * The shell of the control group: gives `GroupNode` its disk, its peers and its ticks, and lets callers wait
 * for their proposals. Effects run one batch at a time, persists awaited; events that come meanwhile gather.
 */
import { create } from '@bufbuild/protobuf';
import {
  type ProposeResponse,
  ProposeResponseSchema,
  ProposeResponse_Status as Status,
} from '../../proto/gen/torchring/v1/raft_pb.ts';
import type { Clock, Logger, Random, Timer } from '../base/index.ts';
import { decodeCommand } from './control/commands.ts';
import type { ControlChange } from './control/control_state.ts';
import {
  type GroupEffect,
  type GroupEvent,
  GroupNode,
  type GroupSettings,
  type LogPosition,
} from './control/group_node.ts';
import { ClusterFormatError, ProposalError, proposalErrorCodes } from './errors.ts';
import type { PeerOutbox } from './outbox.ts';
import type { Group } from './raft/birth_types.ts';
import { commandBytesMax, tickMs } from './raft/options.ts';
import type { ClusterStorage } from './storage/level_storage.ts';

/** Proposals of this node that are not applied yet. */
const waitersMax = 10_000;

interface Waiter {
  readonly position: LogPosition;
  readonly done: (outcome: 'committed' | 'uncertain') => void;
}

export interface ControlGroupHooks {
  onBorn(group: Group): void;
  onLeader(leader: string | undefined, term: number): void;
  /** After entries were applied, in log order; `changes` is empty when they changed nothing. */
  onApplied(changes: ReadonlySet<ControlChange>): void;
}

export interface ControlGroupDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly storage: ClusterStorage;
  readonly outbox: PeerOutbox;
  readonly hooks: ControlGroupHooks;
}

export class ControlGroup {
  readonly node: GroupNode;
  readonly #deps: ControlGroupDeps;
  readonly #waiters = new Set<Waiter>();
  readonly #appliedWaiters = new Set<{ index: number; done: () => void }>();
  #timer: Timer | undefined;
  #running = false;
  #stopped = false;
  #pumpDone: Promise<void> = Promise.resolve();

  private constructor(node: GroupNode, deps: ControlGroupDeps) {
    this.node = node;
    this.#deps = deps;
  }

  /** Reads the disk. Rejects with ClusterFormatError when it is damaged. */
  static async open(settings: GroupSettings, deps: ControlGroupDeps): Promise<ControlGroup> {
    const birth = await deps.storage.loadBirth();
    const raft = await deps.storage.load();
    return new ControlGroup(new GroupNode(settings, { birth, raft }, deps.random), deps);
  }

  start(): void {
    this.#tick();
  }

  /** Stops after the effects that are under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const waiter of this.#waiters) waiter.done('uncertain');
    await this.#pumpDone;
  }

  step(event: GroupEvent): void {
    if (this.#stopped) return;
    this.node.step(event);
    this.#pump();
  }

  /** Proposes here; undefined when this node does not lead (fully), or is too busy. */
  proposeHere(
    command: Uint8Array,
  ): Promise<{ outcome: 'committed' | 'uncertain'; index: number }> | undefined {
    if (this.#stopped || this.#waiters.size >= waitersMax) return undefined;
    const position = this.node.propose(command);
    if (position === undefined) return undefined;
    const result = new Promise<'committed' | 'uncertain'>((resolve) => {
      const waiter: Waiter = {
        position,
        done: (outcome) => {
          this.#waiters.delete(waiter);
          resolve(outcome);
        },
      };
      this.#waiters.add(waiter);
    });
    this.#pump();
    return result.then((outcome) => ({ outcome, index: position.index }));
  }

  /** A proposal that another node sent here. Rejects with ClusterFormatError: what is in the log, all must read. */
  async answerProposal(command: Uint8Array): Promise<ProposeResponse> {
    if (command.length > commandBytesMax)
      throw new ClusterFormatError(`a command of ${command.length} bytes`);
    decodeCommand(command);
    const here = this.proposeHere(command);
    if (here === undefined) {
      const leader = this.node.leader ?? '';
      return create(ProposeResponseSchema, { status: Status.NOT_LEADER, leader });
    }
    const { outcome, index } = await here;
    const status = outcome === 'committed' ? Status.COMMITTED : Status.UNCERTAIN;
    return create(ProposeResponseSchema, { status, index: BigInt(index) });
  }

  /** Resolves when this node has applied the entry; rejects with ProposalError after the deadline. */
  applied(index: number, deadlineMs: number): Promise<void> {
    if (this.node.applied.index >= index) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter = {
        index,
        done: () => {
          timer.cancel();
          this.#appliedWaiters.delete(waiter);
          resolve();
        },
      };
      const timer = this.#deps.clock.after(deadlineMs, () => {
        this.#appliedWaiters.delete(waiter);
        reject(
          new ProposalError(
            proposalErrorCodes.uncertain,
            'committed, but this node has not applied it in time',
          ),
        );
      });
      this.#appliedWaiters.add(waiter);
    });
  }

  #tick(): void {
    if (this.#stopped) return;
    this.step({ kind: 'tick' });
    this.#timer = this.#deps.clock.after(tickMs, () => this.#tick());
  }

  #pump(): void {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    this.#pumpDone = this.#drain().catch((error: unknown) => {
      // The disk or an invariant failed: a voter that goes on without its disk would break the group.
      this.#stopped = true;
      this.#timer?.cancel();
      this.#deps.log.error({ err: error }, 'this node takes no part in the control group any more');
    });
  }

  async #drain(): Promise<void> {
    try {
      for (let effects = this.node.takeEffects(); effects.length > 0; effects = this.node.takeEffects()) {
        for (const effect of effects) {
          if (effect.kind === 'persist') await this.#deps.storage.persist(effect.persist);
          else if (effect.kind === 'persistBirth') await this.#deps.storage.saveBirth(effect.record);
          else this.#carryOut(effect);
        }
        this.#deps.outbox.flush(this.node.group?.groupId ?? '');
        if (this.#stopped) return;
      }
    } finally {
      // Not later: an event that comes after the last take must find the pump free.
      this.#running = false;
    }
  }

  #carryOut(effect: Exclude<GroupEffect, { kind: 'persist' | 'persistBirth' }>): void {
    const { hooks, outbox, log } = this.#deps;
    switch (effect.kind) {
      case 'send':
        outbox.add(effect.message);
        break;
      case 'sendBirth':
        outbox.sendBirth(effect.message);
        break;
      case 'born':
        log.info(
          { group: effect.group.groupId, voter: effect.group.mayVote },
          'this node belongs to a control group',
        );
        hooks.onBorn(effect.group);
        break;
      case 'conflict':
        log.error(
          { groups: effect.groupIds },
          'nodes of different control groups see each other; they will not merge',
        );
        break;
      case 'leader':
        hooks.onLeader(effect.leader, effect.term);
        break;
      case 'restore':
      case 'apply':
        this.#apply(effect);
        break;
    }
  }

  #apply(effect: Extract<GroupEffect, { kind: 'restore' | 'apply' }>): void {
    const changes = this.node.apply(effect);
    const { applied } = this.node;
    this.#deps.hooks.onApplied(changes);
    const terms = new Map(
      effect.kind === 'apply' ? effect.entries.map(({ index, term }) => [index, term]) : [],
    );
    for (const waiter of this.#waiters) {
      const { index, term } = waiter.position;
      if (index > applied.index) continue;
      waiter.done(terms.get(index) === term ? 'committed' : 'uncertain');
    }
    for (const waiter of this.#appliedWaiters) if (waiter.index <= applied.index) waiter.done();
  }
}
