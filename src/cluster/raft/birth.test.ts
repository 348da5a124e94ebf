import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../base/index.ts';
import { Birth } from './birth.ts';
import type { BirthBody, BirthEffect, BirthPeer, BirthRecord } from './birth_types.ts';

const birth = (selfId: string, expect: number, hasSeeds = true, record?: BirthRecord): Birth =>
  new Birth({ selfId, expect, hasSeeds }, record, seededRandom(selfId.charCodeAt(0)));
const peers = (ids: string[], groupId = ''): BirthPeer[] => ids.map((id) => ({ id, groupId, expect: 3 }));
const tick = (node: Birth, seen: BirthPeer[]): BirthEffect[] => node.step({ kind: 'tick', peers: seen });
const receive = (node: Birth, from: string, body: BirthBody): BirthEffect[] =>
  node.step({ kind: 'message', message: { from, to: '', body } });
const bodies = (effects: readonly BirthEffect[]): BirthBody[] =>
  effects.flatMap((effect) => (effect.kind === 'send' ? [effect.message.body] : []));
const kinds = (effects: readonly BirthEffect[]): string[] => effects.map(({ kind }) => kind);
const proposal = (birthId: string, coordinator = 'a', participants = ['a', 'b', 'c']): BirthBody => ({
  kind: 'proposal',
  proposal: { birthId, coordinator, participants, voters: participants },
});
const promise = (birthId: string, promised = true): BirthBody => ({
  kind: 'promise',
  birthId,
  promised,
  groupId: '',
});

function proposedBy(node: Birth): string {
  const [first] = bodies(tick(node, peers(['a', 'b', 'c'])));
  assert.ok(first?.kind === 'proposal');
  return first.proposal.birthId;
}

test('a node without seeds that expects nobody is a group at once', () => {
  const node = birth('a', 1, false);
  assert.deepEqual(kinds(tick(node, [])), ['persist', 'born']);
  assert.deepEqual([node.group?.voters, node.group?.mayVote], [['a'], true]);
});

test('a node with seeds that expects nobody waits for a group, then learns from it', () => {
  const node = birth('a', 1);
  assert.deepEqual(tick(node, peers(['a', 'b'])), []);
  assert.deepEqual(kinds(tick(node, peers(['b'], 'g'))), ['persist', 'born']);
  assert.deepEqual([node.group?.groupId, node.group?.mayVote], ['g', false]);
});

test('only the smallest of enough nodes proposes, and it commits when all have promised', () => {
  assert.deepEqual(tick(birth('a', 3), peers(['a', 'b'])), [], 'too few');
  assert.deepEqual(tick(birth('b', 3), peers(['a', 'b', 'c'])), [], 'not the smallest');
  const node = birth('a', 3);
  const birthId = proposedBy(node);
  assert.deepEqual(receive(node, 'b', promise(birthId)), []);
  assert.deepEqual(receive(node, 'b', promise(birthId)), [], 'one promise counts once');
  assert.deepEqual(receive(node, 'x', promise(birthId)), [], 'only participants count');
  assert.deepEqual(kinds(receive(node, 'c', promise(birthId))), ['persist', 'born', 'send', 'send']);
  assert.deepEqual(node.group, { groupId: birthId, voters: ['a', 'b', 'c'], mayVote: true });
});

test('a promise is durable before it is given, and given to one birth only', () => {
  const node = birth('b', 3);
  const first = receive(node, 'a', proposal('x'));
  assert.deepEqual(kinds(first), ['persist', 'send']);
  assert.deepEqual(bodies(receive(node, 'a', proposal('x'))), [promise('x')], 'a repetition is confirmed');
  assert.deepEqual(bodies(receive(node, 'a', proposal('y'))), [promise('y', false)]);
  const [persisted] = first;
  assert.ok(persisted?.kind === 'persist');
  const again = birth('b', 3, true, persisted.record);
  assert.deepEqual(bodies(receive(again, 'a', proposal('y'))), [promise('y', false)], 'also after a restart');
});

test('a promised node asks its coordinator, joins when it committed, is free when it never will', () => {
  const node = birth('b', 3);
  receive(node, 'a', proposal('x'));
  const asked = Array.from({ length: 10 }, () => bodies(tick(node, peers(['c'], 'other')))).flat();
  assert.deepEqual(asked.slice(0, 1), [{ kind: 'query', birthId: 'x' }]);
  assert.equal(node.group, undefined, 'another group does not tempt it');
  const outcome = (committed: boolean): BirthBody => ({ kind: 'outcome', birthId: 'x', committed });
  assert.deepEqual(receive(node, 'c', outcome(false)), [], 'only the coordinator knows');
  assert.deepEqual(kinds(receive(node, 'a', outcome(false))), ['persist']);
  receive(node, 'a', proposal('z'));
  receive(node, 'a', { kind: 'outcome', birthId: 'z', committed: true });
  assert.deepEqual(node.group, { groupId: 'z', voters: ['a', 'b', 'c'], mayVote: true });
});

test('a coordinator that restarted disowns what it had not committed', () => {
  const first = birth('a', 3);
  const birthId = proposedBy(first);
  assert.deepEqual(receive(first, 'b', { kind: 'query', birthId }), [], 'no answer while it is open');
  const again = birth('a', 3);
  assert.deepEqual(bodies(receive(again, 'b', { kind: 'query', birthId })), [
    { kind: 'outcome', birthId, committed: false },
  ]);
});

test('a refusal ends the attempt, and of two coordinators the smaller goes on', () => {
  const refused = birth('a', 3);
  const birthId = proposedBy(refused);
  const told = bodies(receive(refused, 'b', promise(birthId, false)));
  assert.deepEqual(
    told,
    Array.from({ length: 2 }, () => ({ kind: 'outcome', birthId, committed: false })),
  );
  const larger = birth('b', 3);
  tick(larger, peers(['b', 'c', 'd']));
  const answer = bodies(receive(larger, 'a', proposal('x'))).at(-1);
  assert.deepEqual(answer, promise('x'));
  const smaller = birth('b', 3);
  tick(smaller, peers(['b', 'c', 'd']));
  assert.deepEqual(bodies(receive(smaller, 'c', proposal('y', 'c', ['b', 'c', 'd']))), [promise('y', false)]);
});

test('two groups in sight are reported and neither is joined', () => {
  const node = birth('a', 3);
  const effects = tick(node, [...peers(['b'], 'g1'), ...peers(['c'], 'g2')]);
  assert.deepEqual(effects, [{ kind: 'conflict', groupIds: ['g1', 'g2'] }]);
});

test('of many nodes the first five vote', () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const [first] = bodies(tick(birth('a', 7), peers(ids)));
  assert.ok(first?.kind === 'proposal');
  assert.deepEqual([first.proposal.participants, first.proposal.voters], [ids, ids.slice(0, 5)]);
});
