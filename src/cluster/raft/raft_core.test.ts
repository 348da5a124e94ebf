import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../base/index.ts';
import { defaultRaftOptions } from './options.ts';
import { RaftCore } from './raft_core.ts';
import {
  type Entry,
  emptyRaft,
  type Persist,
  type RaftEffect,
  type RaftMessage,
  type StoredRaft,
} from './types.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const entry = (index: number, term: number, text = ''): Entry => ({ index, term, command: bytes(text) });
const stored = (term: number, entries: Entry[] = [], vote = ''): StoredRaft => ({
  hardState: { term, vote },
  snapshot: undefined,
  entries,
});
const core = (
  selfId: string,
  from: StoredRaft = emptyRaft,
  voters = ['a', 'b', 'c'],
  mayVote = true,
): RaftCore =>
  new RaftCore(
    { selfId, voters, mayVote, options: defaultRaftOptions },
    from,
    seededRandom(selfId.charCodeAt(0)),
  );
const sent = (effects: readonly RaftEffect[]): RaftMessage[] =>
  effects.flatMap((effect) => (effect.kind === 'send' ? [effect.message] : []));
const persisted = (effects: readonly RaftEffect[]): Persist | undefined =>
  effects.flatMap((effect) => (effect.kind === 'persist' ? [effect.persist] : []))[0];
const receive = (to: RaftCore, from: string, term: number, body: RaftMessage['body']): RaftEffect[] => {
  to.step({ kind: 'message', message: { from, to: '', term, body } });
  return to.takeEffects();
};
function tickUntil(node: RaftCore, done: (effects: RaftEffect[]) => boolean, ticksMax = 60): RaftEffect[] {
  for (let i = 0; i < ticksMax; i++) {
    node.step({ kind: 'tick' });
    const effects = node.takeEffects();
    if (done(effects)) return effects;
  }
  throw new Error('nothing happened');
}
const voteRequest = (preVote: boolean, lastIndex = 0, lastTerm = 0): RaftMessage['body'] => ({
  kind: 'voteRequest',
  preVote,
  lastIndex,
  lastTerm,
});
const append = (
  previousIndex: number,
  previousTerm: number,
  entries: Entry[],
  commitIndex = 0,
): RaftMessage['body'] => ({
  kind: 'append',
  previousIndex,
  previousTerm,
  commitIndex,
  entries,
});
/** Makes `node` the leader of its next term, with b's votes. */
function elect(node: RaftCore): RaftEffect[] {
  tickUntil(node, (effects) => sent(effects).length > 0);
  receive(node, 'b', node.term + 1, { kind: 'voteResponse', preVote: true, granted: true });
  return receive(node, 'b', node.term, { kind: 'voteResponse', preVote: false, granted: true });
}

test('9.6 a node that can not win does not disturb: pre-vote leaves the term alone', () => {
  const node = core('a', stored(3));
  for (let i = 0; i < 200; i++) node.step({ kind: 'tick' });
  assert.equal(node.term, 3);
  assert.equal(node.role, 'preCandidate');
});

test('3.4 a candidate persists term and vote before it asks for votes', () => {
  const node = core('a', stored(3));
  tickUntil(node, (effects) => sent(effects).length > 0);
  const effects = receive(node, 'b', 4, { kind: 'voteResponse', preVote: true, granted: true });
  assert.deepEqual(
    effects.map(({ kind }) => kind),
    ['persist', 'send', 'send'],
  );
  assert.deepEqual(persisted(effects)?.hardState, { term: 4, vote: 'a' });
});

test('3.4 one vote per term, remembered across a restart', () => {
  const node = core('a');
  const first = receive(node, 'b', 1, voteRequest(false));
  assert.deepEqual(persisted(first)?.hardState, { term: 1, vote: 'b' });
  assert.deepEqual(sent(first)[0]?.body, { kind: 'voteResponse', preVote: false, granted: true });
  const again = core('a', stored(1, [], 'b'));
  const second = receive(again, 'c', 1, voteRequest(false));
  assert.deepEqual(sent(second)[0]?.body, { kind: 'voteResponse', preVote: false, granted: false });
});

test('3.6.1 a vote goes only to a log that is at least as complete', () => {
  for (const [lastIndex, lastTerm, granted] of [
    [1, 2, true],
    [3, 1, false],
    [2, 2, true],
    [1, 1, false],
  ] as const) {
    const node = core('a', stored(2, [entry(1, 2)]));
    const [answer] = sent(receive(node, 'b', 3, voteRequest(false, lastIndex, lastTerm)));
    assert.deepEqual(answer?.body, { kind: 'voteResponse', preVote: false, granted });
  }
});

test('4.2.3 a follower that hears from its leader ignores candidates', () => {
  const node = core('a');
  receive(node, 'b', 1, append(0, 0, []));
  assert.deepEqual(sent(receive(node, 'c', 5, voteRequest(false, 9, 9))), []);
  assert.equal(node.term, 1);
});

test('a node that came later or lost its disk neither votes nor campaigns', () => {
  const node = core('a', emptyRaft, ['a', 'b', 'c'], false);
  for (let i = 0; i < 100; i++) node.step({ kind: 'tick' });
  assert.deepEqual(sent(node.takeEffects()), []);
  assert.deepEqual(sent(receive(node, 'b', 1, voteRequest(false))), []);
});

test('3.5 conflicting entries are replaced by the leader, in memory and on disk', () => {
  const node = core('a', stored(2, [entry(1, 1), entry(2, 2), entry(3, 2)]));
  const effects = receive(node, 'b', 3, append(1, 1, [entry(2, 3, 'new')]));
  assert.deepEqual(persisted(effects), {
    entries: [entry(2, 3, 'new')],
    truncateFrom: 2,
    hardState: { term: 3, vote: '' },
  });
  assert.deepEqual(sent(effects)[0]?.body, { kind: 'appendResponse', rejected: false, matchIndex: 2 });
});

test('3.5 a repeated or reordered append drops nothing', () => {
  const node = core('a');
  receive(node, 'b', 1, append(0, 0, [entry(1, 1, 'x'), entry(2, 1, 'y')]));
  const late = receive(node, 'b', 1, append(0, 0, [entry(1, 1, 'x')]));
  assert.equal(persisted(late), undefined);
  assert.equal(node.log.lastIndex, 2);
});

test('3.5 an append that does not fit is refused with the place to try next', () => {
  const node = core('a', stored(2, [entry(1, 1), entry(2, 2), entry(3, 2)]));
  const [gap] = sent(receive(node, 'b', 3, append(7, 3, [])));
  assert.deepEqual(gap?.body, { kind: 'appendResponse', rejected: true, matchIndex: 3 });
  const [conflict] = sent(receive(node, 'b', 3, append(3, 3, [])));
  assert.deepEqual(conflict?.body, { kind: 'appendResponse', rejected: true, matchIndex: 1 });
});

test('3.6.2 figure 3.7: an entry of an older term is not committed by counting', () => {
  const node = core('a', stored(2, [entry(1, 1), entry(2, 2)]));
  elect(node);
  assert.equal(node.log.lastIndex, 3, 'a new leader appends an entry of its own');
  receive(node, 'b', 3, { kind: 'appendResponse', rejected: false, matchIndex: 2 });
  assert.equal(node.commitIndex, 0);
  receive(node, 'b', 3, { kind: 'appendResponse', rejected: false, matchIndex: 3 });
  assert.equal(node.commitIndex, 3);
});

test('6.2 a leader that hears from no majority steps down', () => {
  const node = core('a');
  elect(node);
  assert.equal(node.role, 'leader');
  tickUntil(node, () => node.role === 'follower');
  assert.equal(node.leader, undefined);
});

test('an old leader that is told a newer term steps down', () => {
  const node = core('a');
  elect(node);
  receive(node, 'c', 9, { kind: 'appendResponse', rejected: true, matchIndex: 0 });
  assert.deepEqual([node.role, node.term], ['follower', 9]);
});

test('a voter alone leads and commits at its first tick', () => {
  const node = core('a', emptyRaft, ['a']);
  const effects = tickUntil(node, () => true);
  assert.equal(node.role, 'leader');
  assert.deepEqual(
    effects.map(({ kind }) => kind),
    ['persist', 'apply', 'leader'],
  );
  assert.deepEqual(node.propose(bytes('x')), { index: 2, term: 1 });
  assert.equal(node.commitIndex, 2);
});

test('a learner receives the log and does not count', () => {
  const node = core('a');
  elect(node);
  node.step({ kind: 'learners', ids: ['l'] });
  const [first] = sent(node.takeEffects());
  assert.equal(first?.to, 'l');
  receive(node, 'l', 1, { kind: 'appendResponse', rejected: false, matchIndex: 1 });
  assert.equal(node.commitIndex, 0);
});

test('a follower behind the compacted log gets the snapshot, and goes on from there', () => {
  const leader = core('a', emptyRaft, ['a', 'b']);
  tickUntil(leader, (effects) => sent(effects).length > 0);
  receive(leader, 'b', 1, { kind: 'voteResponse', preVote: true, granted: true });
  receive(leader, 'b', 1, { kind: 'voteResponse', preVote: false, granted: true });
  leader.propose(bytes('x'));
  receive(leader, 'b', 1, { kind: 'appendResponse', rejected: false, matchIndex: 2 });
  leader.step({ kind: 'compact', index: 2, state: bytes('state') });
  assert.equal(persisted(leader.takeEffects())?.snapshot?.lastIndex, 2);
  // b lost its disk: it refuses what it once acknowledged.
  const [snapshot] = sent(receive(leader, 'b', 1, { kind: 'appendResponse', rejected: true, matchIndex: 0 }));
  assert.equal(snapshot?.body.kind, 'snapshot');
  const follower = core('b', emptyRaft, ['a', 'b']);
  const effects = receive(follower, 'a', 1, snapshot.body);
  assert.deepEqual(
    effects.map(({ kind }) => kind),
    ['persist', 'send', 'restore', 'leader'],
  );
  assert.deepEqual(sent(effects)[0]?.body, { kind: 'appendResponse', rejected: false, matchIndex: 2 });
  receive(follower, 'a', 1, append(2, 1, [entry(3, 1, 'y')], 3));
  assert.equal(follower.commitIndex, 3);
});

test('proposals beyond the bound on uncommitted entries are turned away', () => {
  const node = core('a');
  elect(node);
  let taken = 0;
  while (node.propose(bytes('x')) !== undefined) taken++;
  assert.equal(taken, defaultRaftOptions.uncommittedMax - 1);
});
