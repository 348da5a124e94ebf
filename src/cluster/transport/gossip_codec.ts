/** Membership packets between their wire form and the vocabulary of gossip; nothing out of bounds gets in. */
import { create } from '@bufbuild/protobuf';
import {
  GossipPacketSchema,
  type GossipResponse,
  GossipResponseSchema,
  type MemberMeta as WireMeta,
  type GossipPacket as WirePacket,
  type MemberUpdate as WireUpdate,
} from '../../../proto/gen/torchring/v1/gossip_pb.ts';
import { ClusterFormatError } from '../errors.ts';
import { membersMax } from '../gossip/options.ts';
import {
  type GossipBody,
  type GossipPacket,
  type MemberMeta,
  type MemberUpdate,
  memberStates,
} from '../gossip/types.ts';
import { isNodeId } from '../node_id.ts';

const textLengthMax = 512;
/** Bounds every 64-bit field: exact in a double, with room for refutations above a claimed incarnation. */
const wholeMax: bigint = 2n ** 52n;

type Init<T> = Omit<T, '$typeName' | '$unknown'>;
type WireBody = WirePacket['body'];

function bodyToWire(body: GossipBody): WireBody {
  const wire = (partial: unknown): WireBody => partial as WireBody;
  switch (body.kind) {
    case 'ping':
      return wire({ case: 'ping', value: { sequence: BigInt(body.sequence), target: body.target } });
    case 'ack':
      return wire({ case: 'ack', value: { sequence: BigInt(body.sequence) } });
    case 'pingRequest': {
      const { target, targetAddress } = body;
      return wire({ case: 'pingRequest', value: { sequence: BigInt(body.sequence), target, targetAddress } });
    }
    case 'pushPull':
      return wire({ case: 'pushPull', value: { reply: body.reply } });
    case 'updates':
      return { case: undefined };
  }
}

function metaToWire(meta: MemberMeta): Init<WireMeta> {
  return { ...meta, tableVersion: BigInt(meta.tableVersion), startedAtMs: BigInt(meta.startedAtMs) };
}

/** A packet as it travels. */
export function packetToWire({ from, fromAddress, body, updates }: GossipPacket): WirePacket {
  return create(GossipPacketSchema, {
    from,
    fromAddress,
    body: bodyToWire(body),
    updates: updates.map(({ meta, state, incarnation, by }) => ({
      meta: metaToWire(meta),
      state: memberStates.indexOf(state),
      incarnation: BigInt(incarnation),
      by,
    })),
  });
}

/** The answer to a packet: what the receiver wants to say back at once. */
export function responseToWire(packet: GossipPacket | undefined): GossipResponse {
  return create(GossipResponseSchema, packet === undefined ? {} : { packet: packetToWire(packet) });
}

/** Throws ClusterFormatError for what no node of ours would send. */
export function packetFromWire(wire: WirePacket): GossipPacket {
  const { from, fromAddress } = wire;
  checkId(from);
  checkText(fromAddress);
  if (wire.updates.length > membersMax)
    throw new ClusterFormatError(`${wire.updates.length} updates in a packet`);
  return { from, fromAddress, body: bodyFromWire(wire.body), updates: wire.updates.map(updateFromWire) };
}

function bodyFromWire(body: WireBody): GossipBody {
  switch (body.case) {
    case 'ping':
      if (body.value.target !== '') checkId(body.value.target);
      return { kind: 'ping', sequence: whole(body.value.sequence), target: body.value.target };
    case 'ack':
      return { kind: 'ack', sequence: whole(body.value.sequence) };
    case 'pingRequest': {
      const { sequence, target, targetAddress } = body.value;
      checkId(target);
      checkText(targetAddress);
      return { kind: 'pingRequest', sequence: whole(sequence), target, targetAddress };
    }
    case 'pushPull':
      return { kind: 'pushPull', reply: body.value.reply };
    case undefined:
      return { kind: 'updates' };
  }
}

function updateFromWire({ meta, state, incarnation, by }: WireUpdate): MemberUpdate {
  const name = memberStates[state];
  if (meta === undefined || name === undefined) throw new ClusterFormatError(`an update in state ${state}`);
  checkText(by);
  return { meta: metaFromWire(meta), state: name, incarnation: whole(incarnation), by };
}

function metaFromWire(wire: WireMeta): MemberMeta {
  const { id, advertiseAddress, httpAddress, alertmanagerAddress, zone, version, configHash, groupId } = wire;
  checkId(id);
  const texts = [advertiseAddress, httpAddress, alertmanagerAddress, zone, version, configHash, groupId];
  for (const text of texts) checkText(text);
  const { voter, expect } = wire;
  const addresses = { advertiseAddress, httpAddress, alertmanagerAddress };
  const tableVersion = whole(wire.tableVersion);
  const startedAtMs = whole(wire.startedAtMs);
  return { id, ...addresses, zone, version, configHash, groupId, voter, tableVersion, startedAtMs, expect };
}

function whole(value: bigint): number {
  if (value > wholeMax) throw new ClusterFormatError(`a number of ${value}`);
  return Number(value);
}

function checkId(id: string): void {
  if (!isNodeId(id)) throw new ClusterFormatError(`not a node id: ${JSON.stringify(id.slice(0, 80))}`);
}

function checkText(text: string): void {
  if (text.length > textLengthMax) throw new ClusterFormatError(`a text of ${text.length} characters`);
}
