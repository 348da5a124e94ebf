import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError } from '../../base/index.ts';
import { ask, type ReplyTo } from '../actor_ref.ts';
import { runtimeErrorCodes } from '../errors.ts';
import { DeterministicScheduler } from '../testing/deterministic_scheduler.ts';
import { testWorld } from '../testing/harness.ts';
import { jsonCodec } from '../testing/json_codec.ts';
import { MemoryNetwork } from '../testing/memory_network.ts';
import { NodeLink } from './node_link.ts';

type Message =
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'echo'; readonly text: string; readonly replyTo: ReplyTo<string> }
  | { readonly type: 'boom'; readonly replyTo: ReplyTo<string> }
  | { readonly type: 'silent'; readonly replyTo: ReplyTo<string> };

function twoNodes() {
  const scheduler = new DeterministicScheduler(1);
  const network = new MemoryNetwork(scheduler);
  const node = (name: string) => {
    const { system } = testWorld({ scheduler, name });
    const link = new NodeLink(system, network.transport(name), name);
    link.registerCodec<Message>('worker', jsonCodec<Message>());
    return { system, link };
  };
  const [a, b] = [node('a'), node('b')];
  const notes: string[] = [];
  const create = () => ({
    receive(message: Message): void {
      if (message.type === 'note') notes.push(message.text);
      else if (message.type === 'echo') message.replyTo.ok(message.text);
      else if (message.type === 'boom') throw new Error('boom');
    },
  });
  const actor = b.system.spawn<Message>({ kind: 'worker', create, mailboxMax: 2 }, 'worker');
  const ref = a.link.remoteRef<Message>('b', '/worker', 'worker');
  return { scheduler, network, a, b, notes, actor, ref };
}

function coded(code: string): (error: unknown) => boolean {
  return (error) => error instanceof CodedError && error.code === code;
}

test('tell, ask and tellWhenRoom reach an actor on another node', async () => {
  const { scheduler, notes, ref } = twoNodes();
  assert.equal(ref.tell({ type: 'note', text: 'told' }), 'queued');
  const reply = ask<Message, string>(ref, (replyTo) => ({ type: 'echo', text: 'x', replyTo }), 1000);
  assert.equal(await scheduler.runUntilSettled(reply), 'x');
  assert.equal(
    await scheduler.runUntilSettled(ref.tellWhenRoom({ type: 'note', text: 'offered' })),
    'queued',
  );
  await scheduler.runUntilIdle();
  assert.deepEqual(notes, ['told', 'offered']);
});

test('an ask to another node ends: failure, nobody there, deadline, unreachable, node lost', async () => {
  const { scheduler, network, a, ref } = twoNodes();
  const silent = (deadlineMs: number): Promise<string> =>
    ask<Message, string>(ref, (replyTo) => ({ type: 'silent', replyTo }), deadlineMs);
  const boom = ask<Message, string>(ref, (replyTo) => ({ type: 'boom', replyTo }), 1000);
  await assert.rejects(scheduler.runUntilSettled(boom), coded(runtimeErrorCodes.failed));
  const nobody = a.link.remoteRef<Message>('b', '/nobody', 'worker');
  const lost = ask<Message, string>(nobody, (replyTo) => ({ type: 'silent', replyTo }), 1000);
  await assert.rejects(scheduler.runUntilSettled(lost), coded(runtimeErrorCodes.notFound));
  await assert.rejects(scheduler.runUntilSettled(silent(50)), coded(runtimeErrorCodes.deadline));
  const open = silent(60_000);
  let told = false;
  ref.onStopped(() => {
    told = true;
  });
  await scheduler.runFor(100);
  a.link.nodeLost('b');
  await assert.rejects(open, coded(runtimeErrorCodes.linkLost));
  assert.equal(told, true);
  network.cut('a', 'b');
  await assert.rejects(scheduler.runUntilSettled(silent(60_000)), coded(runtimeErrorCodes.linkLost));
});

test('a kind without a codec, and an envelope that is none, are refused', async () => {
  const { scheduler, network, a, b } = twoNodes();
  const strange = a.link.remoteRef<Message>('b', '/worker', 'strange');
  assert.equal(strange.tell({ type: 'note', text: '' }), 'full');
  const asked = ask<Message, string>(strange, (replyTo) => ({ type: 'silent', replyTo }), 1000);
  await assert.rejects(asked, coded(runtimeErrorCodes.notSent));
  void network.transport('a').send('b', Uint8Array.of(9, 9, 9));
  await scheduler.runFor(100);
  assert.equal(b.system.stats.of('node_link').deadLetters.get('not_found'), 1);
});
