import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { CodedError, seededRandom, silentLogger, systemClock } from '../../base/index.ts';
import { ask, type ReplyTo } from '../actor_ref.ts';
import type { Behavior } from '../behavior.ts';
import { runtimeErrorCodes } from '../errors.ts';
import { ActorSystem } from '../system.ts';
import { connectThread, windowMax } from './thread_link.ts';

type Message =
  | { readonly type: 'note'; readonly text: string; readonly extra?: unknown }
  | { readonly type: 'echo'; readonly text: string; readonly replyTo: ReplyTo<string> }
  | {
      readonly type: 'double';
      readonly values: Float64Array<ArrayBuffer>;
      readonly replyTo: ReplyTo<Float64Array>;
    }
  | { readonly type: 'wait'; readonly for: Promise<void> }
  | { readonly type: 'boom'; readonly replyTo: ReplyTo<string> }
  | { readonly type: 'badReply'; readonly replyTo: ReplyTo<unknown> }
  | { readonly type: 'silent'; readonly replyTo: ReplyTo<string> };

function twoSystems() {
  const make = (name: string): ActorSystem =>
    new ActorSystem({ clock: systemClock, random: seededRandom(1), log: silentLogger, name });
  const [near, far] = [make('near'), make('far')];
  const { port1, port2 } = new MessageChannel();
  const nearLink = connectThread(near, port1, 'far');
  const farLink = connectThread(far, port2, 'near');
  const close = async (): Promise<void> => {
    nearLink.close();
    farLink.close();
    await Promise.all([near.shutdown(500), far.shutdown(500)]);
  };
  return { near, far, nearLink, farLink, port1, port2, close };
}

function coded(code: string): (error: unknown) => boolean {
  return (error) => error instanceof CodedError && error.code === code;
}

function worker(notes: string[]): Behavior<Message> {
  return {
    async receive(message) {
      if (message.type === 'note') notes.push(message.text);
      else if (message.type === 'echo') message.replyTo.ok(message.text);
      else if (message.type === 'wait') await message.for;
      else if (message.type === 'boom') throw new Error('boom');
      else if (message.type === 'badReply') message.replyTo.ok(() => 'a function cannot be cloned');
      else if (message.type === 'double') {
        const doubled = message.values.map((value) => value * 2);
        message.replyTo.ok(doubled, [doubled.buffer]);
      }
    },
  };
}

test('ask and tell reach the actor of the other thread in order, buffers move', async () => {
  const { far, nearLink, close } = twoSystems();
  const notes: string[] = [];
  far.spawn<Message>({ kind: 'worker', create: () => worker(notes) }, 'worker');
  const ref = nearLink.remoteRef<Message>('/worker');
  for (let i = 0; i < 100; i++) assert.equal(ref.tell({ type: 'note', text: String(i) }), 'queued');
  assert.equal(
    await ask<Message, string>(ref, (replyTo) => ({ type: 'echo', text: 'x', replyTo }), 1000),
    'x',
  );
  assert.deepEqual(
    notes,
    Array.from({ length: 100 }, (_, i) => String(i)),
  );
  const values = Float64Array.of(1, 2.5);
  const doubled = ask<Message, Float64Array>(ref, (replyTo) => ({ type: 'double', values, replyTo }), 1000, [
    values.buffer,
  ]);
  assert.deepEqual([...(await doubled)], [2, 5]);
  assert.equal(values.length, 0, 'the buffer was moved, not copied');
  await close();
});

test('errors come back with their code: failure, no such actor, deadline', async () => {
  const { far, nearLink, close } = twoSystems();
  far.spawn<Message>({ kind: 'worker', create: () => worker([]) }, 'worker');
  const ref = nearLink.remoteRef<Message>('/worker');
  const nobody = nearLink.remoteRef<Message>('/nobody');
  const asks = [
    assert.rejects(
      ask<Message, string>(ref, (replyTo) => ({ type: 'silent', replyTo }), 30),
      coded(runtimeErrorCodes.deadline),
    ),
    assert.rejects(
      ask<Message, string>(nobody, (replyTo) => ({ type: 'boom', replyTo }), 1000),
      coded(runtimeErrorCodes.notFound),
    ),
  ];
  await Promise.all(asks);
  await assert.rejects(
    ask<Message, string>(ref, (replyTo) => ({ type: 'boom', replyTo }), 1000),
    coded(runtimeErrorCodes.failed),
  );
  await close();
});

test('a full mailbox over there becomes full here, and nothing told is lost', async () => {
  const { far, nearLink, close } = twoSystems();
  const notes: string[] = [];
  const actor = far.spawn<Message>({ kind: 'worker', create: () => worker(notes), mailboxMax: 10 }, 'worker');
  let release = (): void => {};
  const blocked = new Promise<void>((resolve) => {
    release = resolve;
  });
  actor.tell({ type: 'wait', for: blocked });
  const ref = nearLink.remoteRef<Message>('/worker');
  let told = 0;
  while (ref.tell({ type: 'note', text: String(told) }) === 'queued') told++;
  assert.equal(told, windowMax);
  const offered = ref.tellWhenRoom({ type: 'note', text: String(told) });
  release();
  assert.equal(await offered, 'queued');
  await ask<Message, string>(ref, (replyTo) => ({ type: 'echo', text: 'x', replyTo }), 1000);
  assert.deepEqual(
    notes,
    Array.from({ length: windowMax + 1 }, (_, i) => String(i)),
  );
  assert.equal(ref.tell({ type: 'note', text: 'room again' }), 'queued');
  await close();
});

test('a message that cannot be cloned harms only itself', async () => {
  const { far, near, nearLink, close } = twoSystems();
  const notes: string[] = [];
  far.spawn<Message>({ kind: 'worker', create: () => worker(notes) }, 'worker');
  const ref = nearLink.remoteRef<Message>('/worker');
  ref.tell({ type: 'note', text: 'before' });
  ref.tell({ type: 'note', text: 'bad', extra: () => {} });
  const echo = ask<Message, string>(ref, (replyTo) => ({ type: 'echo', text: 'after', replyTo }), 1000);
  assert.equal(await echo, 'after');
  assert.deepEqual(notes, ['before']);
  assert.equal(near.stats.of('thread_link').deadLetters.get('not_sent'), 1);
  const badReply = ask<Message, unknown>(ref, (replyTo) => ({ type: 'badReply', replyTo }), 1000);
  await assert.rejects(badReply, coded(runtimeErrorCodes.notSent));
  const nested = ask<Message, string>(
    ref,
    (replyTo) => ({ type: 'note', text: '', extra: { replyTo } }),
    1000,
  );
  await assert.rejects(nested, /top-level/);
  await close();
});

test('a watch works across threads, also when the link goes', async () => {
  const { far, nearLink, farLink, close } = twoSystems();
  const actor = far.spawn<Message>({ kind: 'worker', create: () => worker([]) }, 'worker');
  far.spawn<Message>({ kind: 'worker', create: () => worker([]) }, 'other');
  const ref = nearLink.remoteRef<Message>('/worker');
  const gone = new Promise<void>((resolve) => ref.onStopped(resolve));
  await ask<Message, string>(ref, (replyTo) => ({ type: 'echo', text: '', replyTo }), 1000);
  await far.stop(actor);
  await gone;
  const other = nearLink.remoteRef<Message>('/other');
  const otherGone = new Promise<void>((resolve) => other.onStopped(resolve));
  const open = ask<Message, string>(other, (replyTo) => ({ type: 'silent', replyTo }), 5000);
  farLink.close();
  await otherGone;
  await assert.rejects(open, coded(runtimeErrorCodes.linkLost));
  assert.equal(other.tell({ type: 'note', text: '' }), 'stopped');
  await close();
});

test('messages of one turn travel in one post', async () => {
  const { far, nearLink, port2, close } = twoSystems();
  far.spawn<Message>({ kind: 'worker', create: () => worker([]) }, 'worker');
  const ref = nearLink.remoteRef<Message>('/worker');
  for (let i = 0; i < 50; i++) ref.tell({ type: 'note', text: '' });
  const [batch] = (await once(port2, 'message')) as [unknown[]];
  assert.equal(batch.length, 50);
  await close();
});
