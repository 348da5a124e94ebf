/**
 * The shell of gossip: carries packets over gRPC, resolves the seeds' names, ticks. What the receiver of a
 * packet wants to say back at once rides in the call's response.
 */
import type { Clock, Logger, Random, Timer } from '../base/index.ts';
import { resolveAddresses } from './address.ts';
import { TransportError, transportErrorCodes } from './errors.ts';
import { GossipNode } from './gossip/gossip_node.ts';
import type { GossipOptions } from './gossip/options.ts';
import type {
  GossipEffect,
  GossipEvent,
  GossipPacket,
  Member,
  MemberMeta,
  MemberState,
} from './gossip/types.ts';
import type { ClusterMetrics } from './metrics.ts';
import type { ClientPool } from './transport/client.ts';
import { packetFromWire, packetToWire } from './transport/gossip_codec.ts';
import { LogThrottle } from './transport/throttled_log.ts';

const tickIntervalMs = 100;
const callDeadlineMs = 2_000;
/** A node that reaches nobody for this long says so. */
const lonelyAfterMs = 10_000;
/** Packets under way to one address; beyond, the network is slower than gossip and drops are right. */
const callsPerAddressMax = 16;

export interface MembershipDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly pool: ClientPool;
  readonly metrics: ClusterMetrics;
  /** Called after a step that changed members. */
  readonly onChange: () => void;
}

export class Membership {
  readonly #deps: MembershipDeps;
  readonly #seeds: readonly string[];
  readonly #selfId: string;
  readonly #node: GossipNode;
  /** Calls under way, all and by address. */
  readonly #underWay = new Set<Promise<void>>();
  readonly #calls = new Map<string, number>();
  readonly #throttle: LogThrottle;
  readonly #startedMs: number;
  #resolving = false;
  #stopped = false;
  #timer: Timer | undefined;

  constructor(meta: MemberMeta, seeds: readonly string[], options: GossipOptions, deps: MembershipDeps) {
    this.#deps = deps;
    this.#seeds = seeds;
    this.#selfId = meta.id;
    this.#throttle = new LogThrottle(deps.clock);
    this.#startedMs = deps.clock.monotonicMs();
    this.#node = new GossipNode(meta, options, deps.clock.monotonicMs(), deps.random);
  }

  members(): readonly Member[] {
    return this.#node.members();
  }

  member(id: string): Member | undefined {
    return this.#node.member(id);
  }

  start(): void {
    this.#tick();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  setMeta(changes: Extract<GossipEvent, { kind: 'meta' }>['changes']): void {
    this.#step({ kind: 'meta', changes });
  }

  /** Tells the others that this node leaves; resolves when they were told, or after the calls' deadline. */
  async leave(): Promise<void> {
    this.#step({ kind: 'leave' });
    await Promise.all(this.#underWay);
  }

  /** A packet from a peer; what to answer in the same call. */
  receive(packet: GossipPacket): GossipPacket | undefined {
    if (this.#stopped) return undefined;
    const effects = this.#run({ kind: 'packet', packet });
    const answer = effects.findIndex(
      (effect) => effect.kind === 'send' && effect.address === packet.fromAddress,
    );
    const [reply] = answer === -1 ? [] : effects.splice(answer, 1);
    this.#carryOut(effects);
    return reply?.kind === 'send' ? reply.packet : undefined;
  }

  #tick(): void {
    if (this.#stopped) return;
    this.#step({ kind: 'tick' });
    this.#timer = this.#deps.clock.after(tickIntervalMs, () => this.#tick());
  }

  #run(event: GossipEvent): GossipEffect[] {
    return this.#node.step(event, this.#deps.clock.monotonicMs());
  }

  #step(event: GossipEvent): void {
    this.#carryOut(this.#run(event));
  }

  #carryOut(effects: readonly GossipEffect[]): void {
    let changed = false;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send':
          this.#startSend(effect.address, effect.packet);
          break;
        case 'resolveSeeds':
          this.#resolve().catch((error: unknown) => {
            this.#deps.log.error({ err: error }, 'resolving the seeds failed');
          });
          break;
        case 'changed':
          changed = true;
          this.#logChange(effect.member, effect.previous);
          this.#abandonDead(effect.member, effect.previous);
          break;
        case 'probeFailed':
          this.#deps.metrics.probeFailures.inc();
          break;
        case 'idConflict':
          if (this.#throttle.allows(`conflict ${effect.address}`)) {
            this.#deps.log.error({ address: effect.address }, 'another node uses the id of this node');
          }
          break;
      }
    }
    if (changed) this.#deps.onChange();
  }

  #startSend(address: string, packet: GossipPacket): void {
    const call = this.#send(address, packet)
      .catch((error: unknown) => this.#deps.log.error({ address, err: error }, 'sending gossip failed'))
      .finally(() => this.#underWay.delete(call));
    this.#underWay.add(call);
  }

  async #send(address: string, packet: GossipPacket): Promise<void> {
    const underWay = this.#calls.get(address) ?? 0;
    if (underWay >= callsPerAddressMax) {
      this.#deps.metrics.gossipCalls.inc({ outcome: 'dropped' });
      return;
    }
    this.#calls.set(address, underWay + 1);
    try {
      const { pool } = this.#deps;
      const response = await pool.call(address, 'gossip', packetToWire(packet), {
        deadlineMs: callDeadlineMs,
      });
      this.#deps.metrics.gossipCalls.inc({ outcome: 'ok' });
      if (response.packet !== undefined && !this.#stopped) {
        this.#step({ kind: 'packet', packet: packetFromWire(response.packet) });
      }
    } catch (error) {
      this.#deps.metrics.gossipCalls.inc({ outcome: 'failed' });
      this.#failed(address, error);
    } finally {
      const left = (this.#calls.get(address) ?? 1) - 1;
      if (left === 0) this.#calls.delete(address);
      else this.#calls.set(address, left);
    }
  }

  #failed(address: string, error: unknown): void {
    if (this.#stopped) return;
    this.#deps.log.debug({ address, err: error }, 'a gossip packet was not delivered');
    if (!(error instanceof TransportError)) {
      if (this.#throttle.allows(address))
        this.#deps.log.warn({ address, err: error }, 'a peer answered nonsense');
    } else if (error.code === transportErrorCodes.unavailable) {
      this.#warnIfLonely(address, error);
      this.#step({ kind: 'unreachable', address });
    }
  }

  /** Seeds that start a little later are normal; a node that stays alone is what an operator must hear of. */
  #warnIfLonely(address: string, error: TransportError): void {
    const aloneMs = this.#deps.clock.monotonicMs() - this.#startedMs;
    if (aloneMs < lonelyAfterMs || this.#node.members().length > 1 || !this.#throttle.allows(address)) return;
    this.#deps.log.warn({ address, err: error }, 'this node is alone: a seed can not be reached');
  }

  async #resolve(): Promise<void> {
    if (this.#resolving || this.#seeds.length === 0) return;
    this.#resolving = true;
    try {
      const found = await Promise.all(this.#seeds.map(resolveAddresses));
      if (!this.#stopped) this.#step({ kind: 'seeds', addresses: [...new Set(found.flat())] });
    } finally {
      this.#resolving = false;
    }
  }

  #abandonDead({ meta, state }: Member, previous: MemberState | undefined): void {
    if (state === 'dead' && previous !== 'dead') this.#deps.pool.abandon(meta.advertiseAddress);
  }

  #logChange({ meta, state }: Member, previous: MemberState | undefined): void {
    if (state === previous || meta.id === this.#selfId) return;
    const fields = {
      member: meta.id,
      address: meta.advertiseAddress,
      state,
      previous: previous ?? 'unknown',
    };
    if (state === 'suspect' || previous === 'suspect') this.#deps.log.debug(fields, 'a member changed');
    if (state === 'dead') this.#deps.log.warn(fields, 'a member is dead');
    else if (state !== 'suspect' && previous !== 'suspect') this.#deps.log.info(fields, 'a member changed');
  }
}
