/**
 * What the workers ask of the control thread: to take a batch to a shard's owner, to have a node execute a payload, to
 * tell the control group that data was handed over. It looks at no payload. Mailbox: 8192 messages, since every worker
 * sends here; when it is full, the router's retry and the query's error tell.
 */
import { CodedError } from '../../base/index.ts';
import type { ShardTable } from '../../cluster/index.ts';
import type { ActorProps, Behavior } from '../../runtime/index.ts';
import type { AppendOutcome } from '../../tsdb/index.ts';
import { actorErrorCodes } from '../errors.ts';
import type { ControlMessage } from '../worker/messages.ts';
import { settle } from '../worker/shard_actor.ts';
import type { LocalWorkers, ShardExecution, ShardWrite } from './local_workers.ts';

/** Calls to other nodes. */
export interface Peers {
  readonly self: string;
  table(): ShardTable;
  write(nodeId: string, write: ShardWrite, deadlineMs: number): Promise<AppendOutcome>;
  execute(nodeId: string, execution: ShardExecution): Promise<Uint8Array[]>;
  /** Tells the control group that this node's data of the shards is with their owners. Rejects when it was not taken. */
  handedOver(shards: readonly number[], epochs: readonly number[]): Promise<void>;
}

const controlMailboxMax = 8192;

class ControlBehavior implements Behavior<ControlMessage> {
  readonly #workers: LocalWorkers;
  readonly #peers: Peers;
  /** Those that are under way. */
  readonly #fetches = new Map<string, AbortController>();

  constructor(workers: LocalWorkers, peers: Peers) {
    this.#workers = workers;
    this.#peers = peers;
  }

  receive(message: ControlMessage): void {
    switch (message.type) {
      case 'route':
        settle(this.#route(message, message.deadlineMs), message.replyTo);
        break;
      case 'fetch':
        settle(this.#fetch(message), message.replyTo);
        break;
      case 'cancelFetch':
        this.#fetches.get(message.id)?.abort(new CodedError('canceled', 'nobody waits for it any more'));
        break;
      case 'handedOver':
        settle(this.#peers.handedOver(message.shards, message.epochs), message.replyTo);
        break;
    }
  }

  async #route(write: ShardWrite, deadlineMs: number): Promise<AppendOutcome> {
    const owner = this.#peers.table().shards[write.shard]?.owner ?? '';
    if (owner === '')
      throw new CodedError(actorErrorCodes.unavailable, `shard ${write.shard} has no owner yet`);
    return owner === this.#peers.self
      ? this.#workers.append(write, deadlineMs)
      : this.#peers.write(owner, write, deadlineMs);
  }

  async #fetch(message: Extract<ControlMessage, { type: 'fetch' }>): Promise<Uint8Array[]> {
    const { id, nodeId, kind, shards, payload, deadlineMs } = message;
    const abort = new AbortController();
    this.#fetches.set(id, abort);
    const execution = { kind, shards, payload, deadlineMs, signal: abort.signal };
    try {
      return await (nodeId === this.#peers.self
        ? this.#workers.execute(execution)
        : this.#peers.execute(nodeId, execution));
    } finally {
      this.#fetches.delete(id);
    }
  }
}

export function controlProps(workers: LocalWorkers, peers: Peers): ActorProps<ControlMessage> {
  return {
    kind: 'control',
    create: () => new ControlBehavior(workers, peers),
    mailboxMax: controlMailboxMax,
  };
}
