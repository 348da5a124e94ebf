import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../base/index.ts';
import { GossipNode } from './gossip_node.ts';
import { defaultGossipOptions } from './options.ts';
import { suspicionTimeoutMs } from './suspicion.ts';
import type {
  GossipBody,
  GossipEffect,
  GossipPacket,
  MemberMeta,
  MemberState,
  MemberUpdate,
} from './types.ts';

const meta = (id: string, startedAtMs = 100): MemberMeta => ({
  id,
  advertiseAddress: `${id}:7946`,
  httpAddress: '',
  alertmanagerAddress: '',
  zone: '',
  version: '',
  configHash: '',
  groupId: '',
  voter: false,
  tableVersion: 0,
  startedAtMs,
  expect: 0,
});
const update = (id: string, state: MemberState, incarnation: number, by = 'c'): MemberUpdate => ({
  meta: meta(id),
  state,
  incarnation,
  by,
});
const packet = (
  from: string,
  updates: MemberUpdate[],
  body: GossipBody = { kind: 'updates' },
): GossipPacket => ({
  from,
  fromAddress: `${from}:7946`,
  body,
  updates,
});
const node = (): GossipNode => new GossipNode(meta('self'), defaultGossipOptions, 0, seededRandom(1));
const sends = (effects: readonly GossipEffect[]): { address: string; packet: GossipPacket }[] =>
  effects.flatMap((effect) => (effect.kind === 'send' ? [effect] : []));

/**
 * SWIM section 4.2, one row per (known state, claimed state): the state afterwards when the claim's
 * incarnation is older, equal, newer.
 */
const table: [MemberState | 'unknown', MemberState, [MemberState, MemberState, MemberState]][] = [
  ['unknown', 'alive', ['alive', 'alive', 'alive']],
  ['unknown', 'suspect', ['suspect', 'suspect', 'suspect']],
  ['unknown', 'dead', ['dead', 'dead', 'dead']],
  ['unknown', 'left', ['left', 'left', 'left']],
  ['alive', 'alive', ['alive', 'alive', 'alive']],
  ['alive', 'suspect', ['alive', 'suspect', 'suspect']],
  ['alive', 'dead', ['alive', 'dead', 'dead']],
  ['alive', 'left', ['alive', 'left', 'left']],
  ['suspect', 'alive', ['suspect', 'suspect', 'alive']],
  ['suspect', 'suspect', ['suspect', 'suspect', 'suspect']],
  ['suspect', 'dead', ['suspect', 'dead', 'dead']],
  ['suspect', 'left', ['suspect', 'left', 'left']],
  ['dead', 'alive', ['dead', 'dead', 'alive']],
  ['dead', 'suspect', ['dead', 'dead', 'suspect']],
  ['dead', 'dead', ['dead', 'dead', 'dead']],
  ['dead', 'left', ['dead', 'left', 'left']],
  ['left', 'alive', ['left', 'left', 'alive']],
  ['left', 'suspect', ['left', 'left', 'suspect']],
  ['left', 'dead', ['left', 'left', 'dead']],
  ['left', 'left', ['left', 'left', 'left']],
];
const ages = ['older', 'equal', 'newer'] as const;

for (const [known, claimed, expected] of table) {
  for (const [index, age] of ages.entries()) {
    test(`a member that is ${known} and claimed ${claimed} by an ${age} incarnation is ${expected[index]}`, () => {
      const self = node();
      if (known !== 'unknown')
        self.step({ kind: 'packet', packet: packet('b', [update('m', known, 10)]) }, 0);
      const effects = self.step(
        { kind: 'packet', packet: packet('b', [update('m', claimed, 9 + index)]) },
        1,
      );
      const member = self.member('m');
      assert.equal(member?.state, expected[index]);
      const changed = effects.some(({ kind }) => kind === 'changed');
      const taken =
        known === 'unknown' || index === 2 || (index === 1 && claimed === member?.state && known !== claimed);
      assert.equal(changed, taken, 'a change is told exactly when the claim was taken');
      assert.equal(member?.incarnation, taken ? 9 + index : 10);
    });
  }
}

for (const state of ['suspect', 'dead', 'left'] as const) {
  for (const [incarnation, refuted] of [
    [99, false],
    [100, true],
    [101, true],
  ] as const) {
    test(`this node ${refuted ? 'refutes' : 'ignores'} that it is ${state} in incarnation ${incarnation} of 100`, () => {
      const self = node();
      self.step({ kind: 'packet', packet: packet('b', [update('self', state, incarnation)]) }, 0);
      assert.equal(self.member('self')?.state, 'alive');
      assert.equal(self.member('self')?.incarnation, refuted ? incarnation + 1 : 100);
    });
  }
}

test('a twin that started later under the same id is reported', () => {
  const twin: MemberUpdate = { meta: meta('self', 500), state: 'alive', incarnation: 500, by: 'self' };
  const effects = node().step({ kind: 'packet', packet: packet('self', [twin]) }, 0);
  assert.ok(effects.some(({ kind }) => kind === 'idConflict'));
});

test('an unanswered probe asks relays after its timeout, suspects at its end and kills after the suspicion', () => {
  const self = node();
  self.step({ kind: 'packet', packet: packet('b', [update('b', 'alive', 10), update('c', 'alive', 10)]) }, 0);
  const trace: string[] = [];
  let target = '';
  for (let nowMs = 0; nowMs <= 8_000 && target !== 'done'; nowMs += 100) {
    for (const effect of self.step({ kind: 'tick' }, nowMs)) {
      if (effect.kind === 'changed') trace.push(`${effect.member.state}`);
      if (effect.kind !== 'send') continue;
      const { body } = effect.packet;
      if (body.kind === 'ping' && target === '') target = body.target;
      if (body.kind === 'ping' && body.target === target) trace.push('ping');
      if (body.kind === 'pingRequest' && body.target === target) trace.push('pingRequest');
      // Everyone but the target answers.
      if (body.kind === 'ping' && body.target !== target) {
        self.step(
          { kind: 'packet', packet: packet(body.target, [], { kind: 'ack', sequence: body.sequence }) },
          nowMs,
        );
      }
    }
    if (trace.at(-1) === 'dead') {
      assert.ok(nowMs <= 6_000, `dead after ${nowMs} ms`);
      break;
    }
  }
  assert.deepEqual(trace.slice(0, 3), ['ping', 'pingRequest', 'suspect']);
  assert.equal(trace.at(-1), 'dead');
});

test('a refused connection asks the relays at once', () => {
  const self = node();
  self.step({ kind: 'packet', packet: packet('b', [update('b', 'alive', 10), update('c', 'alive', 10)]) }, 0);
  let address = '';
  for (let nowMs = 0; address === ''; nowMs += 100) {
    for (const sent of sends(self.step({ kind: 'tick' }, nowMs)))
      if (sent.packet.body.kind === 'ping') address = sent.address;
  }
  const effects = self.step({ kind: 'unreachable', address }, 1);
  assert.deepEqual(
    sends(effects).map(({ packet: { body } }) => body.kind),
    ['pingRequest'],
  );
});

test('a relayed probe is answered to whom asked for it, with its own sequence', () => {
  const self = node();
  const body: GossipBody = { kind: 'pingRequest', sequence: 77, target: 'm', targetAddress: 'm:7946' };
  const [ping] = sends(self.step({ kind: 'packet', packet: packet('b', [], body) }, 0));
  assert.equal(ping?.address, 'm:7946');
  assert.ok(ping.packet.body.kind === 'ping');
  const ack: GossipBody = { kind: 'ack', sequence: ping.packet.body.sequence };
  const [answer] = sends(self.step({ kind: 'packet', packet: packet('m', [], ack) }, 1));
  assert.equal(answer?.address, 'b:7946');
  assert.deepEqual(answer.packet.body, { kind: 'ack', sequence: 77 });
});

test('a ping for another id at this address is not answered', () => {
  const body: GossipBody = { kind: 'ping', sequence: 1, target: 'former' };
  assert.deepEqual(sends(node().step({ kind: 'packet', packet: packet('b', [], body) }, 0)), []);
});

test('a node that is alone tries all seed addresses for ever, backing off', () => {
  const self = node();
  const times: number[] = [];
  for (let nowMs = 0; nowMs < 60_000; nowMs += 100) {
    if (self.step({ kind: 'tick' }, nowMs).some(({ kind }) => kind === 'resolveSeeds')) times.push(nowMs);
  }
  assert.ok(times.length > 10 && times.length < 25, `${times.length} attempts in a minute`);
  const joined = sends(self.step({ kind: 'seeds', addresses: ['x:1', 'x:2'] }, 60_000));
  assert.deepEqual(
    joined.map(({ address, packet: { body } }) => [address, body.kind]),
    [
      ['x:1', 'pushPull'],
      ['x:2', 'pushPull'],
    ],
  );
});

test('a node that leaves says so at once and is not argued back to life', () => {
  const self = node();
  self.step({ kind: 'packet', packet: packet('b', [update('b', 'alive', 10)]) }, 0);
  const told = sends(self.step({ kind: 'leave' }, 1));
  assert.ok(told.some(({ packet: { updates } }) => updates.some(({ state }) => state === 'left')));
  self.step({ kind: 'packet', packet: packet('b', [update('self', 'dead', 500)]) }, 2);
  assert.equal(self.member('self')?.state, 'left');
});

test('confirmations shorten a suspicion from twice the minimum to the minimum, and never below', () => {
  const at = (members: number, confirmations: number): number =>
    Math.round(suspicionTimeoutMs(defaultGossipOptions, members, confirmations));
  assert.equal(at(3, 0), 3_000);
  assert.equal(at(5, 0), 6_000);
  assert.ok(at(5, 1) < 6_000 && at(5, 1) > 3_000);
  assert.equal(at(5, 2), 3_000);
  assert.equal(at(5, 9), 3_000);
  assert.equal(at(100, 2), 6_000);
});

test('updates on one packet are bounded and each ends its life after its transmissions', () => {
  const self = node();
  const many = Array.from({ length: 100 }, (_, i) => update(`m${i}`, 'alive', 10));
  self.step({ kind: 'packet', packet: packet('b', many) }, 0);
  let total = 0;
  for (let nowMs = 0; nowMs < 60_000; nowMs += 200) {
    for (const { packet: sent } of sends(self.step({ kind: 'tick' }, nowMs))) {
      if (sent.body.kind === 'pushPull') continue;
      assert.ok(sent.updates.length <= 17);
      total += sent.updates.filter(({ state, by }) => state === 'alive' && by === 'c').length;
    }
  }
  assert.ok(total > 0 && total <= 100 * 4 * 3, `${total} transmissions`);
});

test('a node that stood still itself blames nobody for the answers that it missed', () => {
  const self = node();
  self.step(
    { kind: 'packet', packet: packet('b', [update('b', 'alive', 10), update('m', 'suspect', 10)]) },
    0,
  );
  let pinged = false;
  let nowMs = 0;
  for (; !pinged; nowMs += 100) {
    const pings = sends(self.step({ kind: 'tick' }, nowMs)).filter(
      ({ packet: { body } }) => body.kind === 'ping',
    );
    pinged = pings.some(({ address }) => address === 'b:7946');
  }
  self.step({ kind: 'tick' }, nowMs + 60_000);
  assert.equal(self.member('b')?.state, 'alive');
  assert.equal(self.member('m')?.state, 'suspect');
});
