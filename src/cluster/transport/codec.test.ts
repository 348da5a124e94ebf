import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { GossipPacketSchema } from '../../../proto/gen/torchring/v1/gossip_pb.ts';
import { BirthMessageSchema, RaftBatchSchema } from '../../../proto/gen/torchring/v1/raft_pb.ts';
import { ClusterFormatError } from '../errors.ts';
import type { GossipBody, GossipPacket } from '../gossip/types.ts';
import { memberStates } from '../gossip/types.ts';
import type { BirthMessage } from '../raft/birth_types.ts';
import type { RaftMessage } from '../raft/types.ts';
import { packetFromWire, packetToWire } from './gossip_codec.ts';
import { birthFromWire, birthToWire, raftFromWire, raftToWire } from './raft_codec.ts';

const strict = { noNullPrototype: true } as const;
const id = fc.constantFrom('a', 'node-1', 'host.example:7946');
const text = fc.string({ maxLength: 30 });
const whole = fc.nat({ max: 2 ** 31 });
const index = fc.integer({ min: 0, max: 2 ** 52 });
const of = <T extends Record<string, fc.Arbitrary<unknown>>>(
  fields: T,
): fc.Arbitrary<{ [K in keyof T]: T[K] extends fc.Arbitrary<infer V> ? V : never }> =>
  fc.record(fields, strict) as fc.Arbitrary<{
    [K in keyof T]: T[K] extends fc.Arbitrary<infer V> ? V : never;
  }>;
const kind = <K extends string>(value: K): fc.Arbitrary<K> => fc.constant(value);

const meta = of({
  id,
  advertiseAddress: text,
  httpAddress: text,
  alertmanagerAddress: text,
  zone: text,
  version: text,
  configHash: text,
  groupId: text,
  voter: fc.boolean(),
  tableVersion: index,
  startedAtMs: index,
  expect: whole,
});
const update = of({ meta, state: fc.constantFrom(...memberStates), incarnation: index, by: id });
const gossipBody: fc.Arbitrary<GossipBody> = fc.oneof(
  of({ kind: kind('ping'), sequence: whole, target: id }),
  of({ kind: kind('ack'), sequence: whole }),
  of({ kind: kind('pingRequest'), sequence: whole, target: id, targetAddress: text }),
  of({ kind: kind('pushPull'), reply: fc.boolean() }),
  of({ kind: kind('updates') }),
);
const packet: fc.Arbitrary<GossipPacket> = of({
  from: id,
  fromAddress: text,
  body: gossipBody,
  updates: fc.array(update, { maxLength: 4 }),
});
const command = fc.uint8Array({ maxLength: 20 });
const append = fc
  .tuple(fc.nat({ max: 2 ** 40 }), index, index, fc.array(fc.tuple(index, command), { maxLength: 4 }))
  .map(([previousIndex, previousTerm, commitIndex, entries]) => ({
    kind: 'append' as const,
    previousIndex,
    previousTerm,
    commitIndex,
    entries: entries.map(([term, bytes], i) => ({ index: previousIndex + 1 + i, term, command: bytes })),
  }));
const raftMessage: fc.Arbitrary<RaftMessage> = of({
  from: id,
  to: id,
  term: index,
  body: fc.oneof(
    of({ kind: kind('voteRequest'), preVote: fc.boolean(), lastIndex: index, lastTerm: index }),
    of({ kind: kind('voteResponse'), preVote: fc.boolean(), granted: fc.boolean() }),
    append,
    of({ kind: kind('appendResponse'), rejected: fc.boolean(), matchIndex: index }),
    of({ kind: kind('snapshot'), snapshot: of({ lastIndex: index, lastTerm: index, state: command }) }),
  ),
});
const ids = fc.array(id, { maxLength: 5 });
const birthMessage: fc.Arbitrary<BirthMessage> = of({
  from: id,
  to: id,
  body: fc.oneof(
    of({
      kind: kind('proposal'),
      proposal: of({ birthId: text, coordinator: id, participants: ids, voters: ids }),
    }),
    of({ kind: kind('promise'), birthId: text, promised: fc.boolean(), groupId: text }),
    of({ kind: kind('query'), birthId: text }),
    of({ kind: kind('outcome'), birthId: text, committed: fc.boolean() }),
  ),
});

test('gossip packets arrive as they were sent', () => {
  fc.assert(
    fc.property(packet, (sent) => {
      const bytes = toBinary(GossipPacketSchema, packetToWire(sent));
      assert.deepEqual(packetFromWire(fromBinary(GossipPacketSchema, bytes)), sent);
    }),
  );
});

test('raft messages arrive as they were sent', () => {
  fc.assert(
    fc.property(fc.array(raftMessage, { maxLength: 3 }), (sent) => {
      const bytes = toBinary(RaftBatchSchema, raftToWire('group', sent));
      const arrived = fromBinary(RaftBatchSchema, bytes);
      assert.equal(arrived.groupId, 'group');
      assert.deepEqual(raftFromWire(arrived), sent);
    }),
  );
});

test('birth messages arrive as they were sent', () => {
  fc.assert(
    fc.property(birthMessage, (sent) => {
      const bytes = toBinary(BirthMessageSchema, birthToWire(sent));
      assert.deepEqual(birthFromWire(fromBinary(BirthMessageSchema, bytes)), sent);
    }),
  );
});

const sequence = 2n ** 60n;
const hostileProbes = [
  { case: 'ping' as const, value: { sequence, target: 'b' } },
  { case: 'ping' as const, value: { sequence: 1n, target: 'b'.repeat(100_000) } },
  { case: 'ping' as const, value: { sequence: 1n, target: '../etc' } },
  { case: 'ack' as const, value: { sequence } },
  { case: 'pingRequest' as const, value: { sequence, target: 'b', targetAddress: 'b:1' } },
];

test('a ping may leave open whom it expects', () => {
  const body = { case: 'ping' as const, value: { sequence: 1n, target: '' } };
  const arrived = packetFromWire(create(GossipPacketSchema, { from: 'a', body }));
  assert.deepEqual(arrived.body, { kind: 'ping', sequence: 1, target: '' });
});

test('what no node of ours would send is refused by a coded error', () => {
  const hostile = [
    () => packetFromWire(create(GossipPacketSchema, { from: '../etc' })),
    () => packetFromWire(create(GossipPacketSchema, { from: 'a', fromAddress: 'x'.repeat(10_000) })),
    () => packetFromWire(create(GossipPacketSchema, { from: 'a', updates: [{ state: 0 }] })),
    () =>
      packetFromWire(create(GossipPacketSchema, { from: 'a', updates: [{ meta: { id: 'b' }, state: 9 }] })),
    () =>
      packetFromWire(
        create(GossipPacketSchema, { from: 'a', updates: [{ meta: { id: 'b' }, incarnation: 2n ** 63n }] }),
      ),
    ...[{ startedAtMs: 2n ** 60n }, { tableVersion: 2n ** 60n }].map(
      (fields) => () =>
        packetFromWire(
          create(GossipPacketSchema, { from: 'a', updates: [{ meta: { id: 'b', ...fields }, by: 'a' }] }),
        ),
    ),
    ...hostileProbes.map((body) => () => packetFromWire(create(GossipPacketSchema, { from: 'a', body }))),
    () => raftFromWire(create(RaftBatchSchema, { messages: [{ from: 'a' }] })),
    () =>
      raftFromWire(
        create(RaftBatchSchema, {
          messages: [
            { from: 'a', body: { case: 'append', value: { previousIndex: 3n, entries: [{ index: 9n }] } } },
          ],
        }),
      ),
    () => birthFromWire(create(BirthMessageSchema, { from: 'a' })),
  ];
  for (const attempt of hostile) assert.throws(attempt, ClusterFormatError);
});
