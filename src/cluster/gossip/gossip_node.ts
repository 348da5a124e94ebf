/**
 * Membership of one node: SWIM (Das, Gupta, Motivala 2002) with incarnations, relayed probes, suspicion,
 * piggybacked updates, and memberlist's push-pull exchange of whole states. A pure state machine: time and
 * randomness come in, effects go out; the shell owns sockets, names and timers.
 */
import { type Random, shuffle } from '../../base/index.ts';
import { Dissemination } from './dissemination.ts';
import { MemberList } from './member_list.ts';
import { assertGossipOptions, type GossipOptions, relayedProbesMax, seedAddressesMax } from './options.ts';
import { Suspicion } from './suspicion.ts';
import type {
  GossipBody,
  GossipEffect,
  GossipEvent,
  GossipPacket,
  Member,
  MemberMeta,
  MemberState,
  MemberUpdate,
} from './types.ts';

interface Probe {
  readonly id: string;
  readonly address: string;
  readonly sequence: number;
  readonly startedMs: number;
  relayed: boolean;
  acked: boolean;
}

/** A probe made for somebody else. */
interface Relay {
  readonly address: string;
  readonly sequence: number;
}

export class GossipNode {
  readonly #options: GossipOptions;
  readonly #random: Random;
  readonly #members: MemberList;
  readonly #queue = new Dissemination();
  readonly #suspicions = new Map<string, Suspicion>();
  readonly #relays = new Map<number, Relay>();
  #effects: GossipEffect[] = [];
  #meta: MemberMeta;
  #incarnation: number;
  #leaving = false;
  #sequence: number;
  #probe: Probe | undefined;
  #lastTickMs: number;
  #nextProbeMs: number;
  #nextGossipMs: number;
  #nextPushPullMs: number;
  #nextReconnectMs: number;
  #joinRetryMs: number;

  constructor(meta: MemberMeta, options: GossipOptions, nowMs: number, random: Random) {
    assertGossipOptions(options);
    this.#options = options;
    this.#random = random;
    this.#meta = meta;
    this.#incarnation = meta.startedAtMs;
    this.#sequence = random.below(0x7fffffff);
    this.#members = new MemberList(meta.id, random);
    this.#members.apply(this.#selfUpdate('alive'), nowMs);
    this.#lastTickMs = nowMs;
    // A random phase, so that nodes that start together do not probe in step.
    this.#nextProbeMs = nowMs + random.next() * options.probeIntervalMs;
    this.#nextGossipMs = nowMs;
    this.#nextPushPullMs = nowMs + (0.5 + random.next()) * options.pushPullIntervalMs;
    this.#nextReconnectMs = nowMs;
    this.#joinRetryMs = options.joinRetryMinMs;
  }

  members(): readonly Member[] {
    return this.#members.all();
  }

  member(id: string): Member | undefined {
    return this.#members.get(id);
  }

  /** Takes one event; the effects are to be carried out in order. */
  step(event: GossipEvent, nowMs: number): GossipEffect[] {
    this.#effects = [];
    switch (event.kind) {
      case 'tick':
        this.#tick(nowMs);
        break;
      case 'packet':
        this.#receive(event.packet, nowMs);
        break;
      case 'unreachable':
        if (this.#probe?.address === event.address && !this.#probe.acked) this.#askRelays(this.#probe);
        break;
      case 'seeds':
        this.#contactSeeds(event.addresses);
        break;
      case 'meta':
        this.#meta = { ...this.#meta, ...event.changes };
        this.#assertSelf(this.#incarnation, nowMs);
        break;
      case 'leave':
        this.#leave(nowMs);
        break;
    }
    return this.#effects;
  }

  // ---- time

  #tick(nowMs: number): void {
    this.#excuse(nowMs - this.#lastTickMs);
    this.#lastTickMs = nowMs;
    this.#expireSuspicions(nowMs);
    this.#advanceProbe(nowMs);
    if (this.#leaving) return;
    if (nowMs >= this.#nextGossipMs) {
      this.#nextGossipMs = nowMs + this.#options.gossipIntervalMs;
      this.#spread();
    }
    if (nowMs >= this.#nextPushPullMs) {
      this.#nextPushPullMs = nowMs + (0.8 + 0.4 * this.#random.next()) * this.#options.pushPullIntervalMs;
      for (const { meta } of this.#members.sample(1, '')) this.#sendState(meta.advertiseAddress, false);
      this.#members.reap(nowMs - this.#options.reapAfterMs);
    }
    if (nowMs >= this.#nextReconnectMs) this.#reconnect(nowMs);
  }

  /** After standing still itself (a long pause of the process) a node blames nobody for answers that it missed. */
  #excuse(gapMs: number): void {
    if (gapMs < this.#options.probeTimeoutMs) return;
    this.#probe = undefined;
    for (const suspicion of this.#suspicions.values()) suspicion.postpone(gapMs);
  }

  /** Seeds and one dead member are tried for ever: after a split nobody else would look for the other side. */
  #reconnect(nowMs: number): void {
    const alone = this.#members.living().length <= 1;
    this.#joinRetryMs = alone
      ? Math.min(this.#joinRetryMs * 2, this.#options.reconnectIntervalMs)
      : this.#options.reconnectIntervalMs;
    this.#nextReconnectMs = nowMs + (0.8 + 0.4 * this.#random.next()) * this.#joinRetryMs;
    this.#effects.push({ kind: 'resolveSeeds' });
    const dead = this.#members.randomDead();
    if (dead !== undefined) this.#sendState(dead.meta.advertiseAddress, false);
  }

  /** While alone every address is tried; later one at a time, in case a seed stands for a part unknown here. */
  #contactSeeds(addresses: readonly string[]): void {
    if (this.#leaving) return;
    const living = this.#members.living();
    const known = new Set(living.map(({ meta }) => meta.advertiseAddress));
    const strangers = addresses.slice(0, seedAddressesMax).filter((address) => !known.has(address));
    const chosen = living.length > 1 ? shuffle(strangers, this.#random).slice(0, 1) : strangers;
    for (const address of chosen) this.#sendState(address, false);
  }

  #spread(): void {
    if (this.#queue.size === 0) return;
    for (const { meta } of this.#members.sample(this.#options.fanout, '')) {
      if (this.#queue.size === 0) return;
      this.#send(meta.advertiseAddress, { kind: 'updates' });
    }
  }

  #expireSuspicions(nowMs: number): void {
    const members = this.#members.living().length;
    for (const [id, suspicion] of this.#suspicions) {
      if (!suspicion.expired(this.#options, members, nowMs)) continue;
      const suspect = this.#members.get(id);
      this.#suspicions.delete(id);
      if (suspect?.state === 'suspect') this.#claim(suspect, 'dead', nowMs);
    }
  }

  // ---- probes

  #advanceProbe(nowMs: number): void {
    const probe = this.#probe;
    if (probe !== undefined) {
      if (!probe.acked && nowMs - probe.startedMs >= this.#options.probeTimeoutMs) this.#askRelays(probe);
      if (nowMs - probe.startedMs < this.#options.probeIntervalMs) return;
      this.#probe = undefined;
      if (!probe.acked) this.#probeFailed(probe, nowMs);
    }
    if (nowMs < this.#nextProbeMs || this.#leaving) return;
    this.#nextProbeMs = nowMs + this.#options.probeIntervalMs;
    const target = this.#members.nextProbe();
    if (target === undefined) return;
    const sequence = this.#nextSequence();
    const address = target.meta.advertiseAddress;
    this.#probe = { id: target.meta.id, address, sequence, startedMs: nowMs, relayed: false, acked: false };
    // A suspect is told so first of all (Lifeguard's buddy system): it can refute in its answer.
    const extra = target.state === 'suspect' ? [this.#updateOf(target, this.#meta.id)] : [];
    this.#send(address, { kind: 'ping', sequence, target: target.meta.id }, extra);
  }

  #askRelays(probe: Probe): void {
    if (probe.relayed) return;
    probe.relayed = true;
    for (const { meta } of this.#members.sample(this.#options.relays, probe.id)) {
      this.#send(meta.advertiseAddress, {
        kind: 'pingRequest',
        sequence: probe.sequence,
        target: probe.id,
        targetAddress: probe.address,
      });
    }
  }

  #probeFailed(probe: Probe, nowMs: number): void {
    this.#effects.push({ kind: 'probeFailed', id: probe.id });
    const target = this.#members.get(probe.id);
    if (target === undefined) return;
    if (target.state === 'alive') this.#claim(target, 'suspect', nowMs);
    else if (target.state === 'suspect') this.#applyUpdate(this.#updateOf(target, this.#meta.id), nowMs);
  }

  #nextSequence(): number {
    this.#sequence = (this.#sequence + 1) % 0x7fffffff;
    return this.#sequence;
  }

  // ---- packets

  #receive(packet: GossipPacket, nowMs: number): void {
    if (packet.from === this.#meta.id) {
      // Either this node reached itself through a seed, or another one took its id.
      for (const update of packet.updates)
        if (update.meta.id === packet.from) this.#applyUpdate(update, nowMs);
      return;
    }
    for (const update of packet.updates) this.#applyUpdate(update, nowMs);
    const { body, fromAddress } = packet;
    switch (body.kind) {
      case 'ping':
        // A ping for another id that lived at this address must not keep it alive.
        if (body.target === '' || body.target === this.#meta.id) {
          this.#send(fromAddress, { kind: 'ack', sequence: body.sequence });
        }
        break;
      case 'ack':
        this.#acknowledge(body.sequence);
        break;
      case 'pingRequest':
        this.#relay(body.targetAddress, body.target, { address: fromAddress, sequence: body.sequence });
        break;
      case 'pushPull':
        if (!body.reply) this.#sendState(fromAddress, true);
        break;
      case 'updates':
        break;
    }
  }

  #acknowledge(sequence: number): void {
    if (this.#probe?.sequence === sequence) this.#probe.acked = true;
    const relay = this.#relays.get(sequence);
    if (relay === undefined) return;
    this.#relays.delete(sequence);
    this.#send(relay.address, { kind: 'ack', sequence: relay.sequence });
  }

  #relay(address: string, target: string, relay: Relay): void {
    const sequence = this.#nextSequence();
    const oldest = this.#relays.keys().next();
    if (this.#relays.size >= relayedProbesMax && !oldest.done) this.#relays.delete(oldest.value);
    this.#relays.set(sequence, relay);
    this.#send(address, { kind: 'ping', sequence, target });
  }

  #send(address: string, body: GossipBody, extra: readonly MemberUpdate[] = []): void {
    const members = this.#members.living().length;
    const transmitsMax = this.#options.retransmitFactor * Math.ceil(Math.log10(members + 1));
    const updates = [...extra, ...this.#queue.take(transmitsMax)];
    const packet = { from: this.#meta.id, fromAddress: this.#meta.advertiseAddress, body, updates };
    this.#effects.push({ kind: 'send', address, packet });
  }

  #sendState(address: string, reply: boolean): void {
    const updates = this.#members.all().map((member) => this.#updateOf(member, this.#meta.id));
    const body: GossipBody = { kind: 'pushPull', reply };
    const packet = { from: this.#meta.id, fromAddress: this.#meta.advertiseAddress, body, updates };
    this.#effects.push({ kind: 'send', address, packet });
  }

  // ---- claims

  #applyUpdate(update: MemberUpdate, nowMs: number): void {
    const { id } = update.meta;
    if (id === this.#meta.id) {
      this.#hearOfSelf(update, nowMs);
      return;
    }
    const outcome = this.#members.apply(update, nowMs);
    if (outcome === undefined) {
      this.#confirm(update);
      return;
    }
    const { member, previous } = outcome;
    if (update.state === 'suspect') this.#suspicions.set(id, new Suspicion(nowMs, update.by));
    else this.#suspicions.delete(id);
    this.#queue.add(update);
    this.#effects.push({ kind: 'changed', member, previous });
  }

  /** The same suspicion from another voice shortens it, and is handed on as that voice's. */
  #confirm(update: MemberUpdate): void {
    const known = this.#members.get(update.meta.id);
    if (update.state !== 'suspect' || known?.state !== 'suspect') return;
    if (update.incarnation !== known.incarnation) return;
    if (this.#suspicions.get(update.meta.id)?.confirm(update.by) === true) this.#queue.add(update);
  }

  /** Whatever is worse than alive, or newer than this life, is refuted by a newer incarnation. */
  #hearOfSelf(update: MemberUpdate, nowMs: number): void {
    const { startedAtMs, advertiseAddress } = update.meta;
    const twin = startedAtMs > this.#meta.startedAtMs;
    if (twin) this.#effects.push({ kind: 'idConflict', address: advertiseAddress });
    if (this.#leaving) return;
    const worse = update.state !== 'alive' && update.incarnation >= this.#incarnation;
    if (worse || update.incarnation > this.#incarnation) this.#assertSelf(update.incarnation, nowMs);
  }

  #assertSelf(above: number, nowMs: number): void {
    if (this.#leaving) return;
    this.#incarnation = Math.max(this.#incarnation, above) + 1;
    this.#announceSelf('alive', nowMs);
  }

  #announceSelf(state: MemberState, nowMs: number): void {
    const update = this.#selfUpdate(state);
    const outcome = this.#members.apply(update, nowMs);
    this.#queue.add(update);
    if (outcome !== undefined) this.#effects.push({ kind: 'changed', ...outcome });
  }

  /** Tells as many members as an update is ever sent to, since no later packet will. */
  #leave(nowMs: number): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#incarnation++;
    this.#announceSelf('left', nowMs);
    this.#probe = undefined;
    for (const { meta } of this.#members.sample(this.#options.fanout * this.#options.retransmitFactor, '')) {
      this.#send(meta.advertiseAddress, { kind: 'updates' }, [this.#selfUpdate('left')]);
    }
  }

  #claim(member: Member, state: MemberState, nowMs: number): void {
    this.#applyUpdate({ ...this.#updateOf(member, this.#meta.id), state }, nowMs);
  }

  #updateOf({ meta, state, incarnation }: Member, by: string): MemberUpdate {
    return { meta, state, incarnation, by };
  }

  #selfUpdate(state: MemberState): MemberUpdate {
    return { meta: this.#meta, state, incarnation: this.#incarnation, by: this.#meta.id };
  }
}
