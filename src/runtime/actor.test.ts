import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { CodedError, delay, seededRandom, silentLogger, systemClock } from '../base/index.ts';
import { ask, type ReplyTo } from './actor_ref.ts';
import type { ActorProps, Behavior } from './behavior.ts';
import { runtimeErrorCodes } from './errors.ts';
import { ActorSystem } from './system.ts';
import { testWorld } from './testing/harness.ts';

type Message =
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'echo'; readonly text: string; readonly replyTo: ReplyTo<string> }
  | { readonly type: 'slow'; readonly ms: number; readonly text: string }
  | { readonly type: 'boom' }
  | { readonly type: 'silent'; readonly replyTo: ReplyTo<string> };

/** An actor that writes down what it does, across its incarnations. */
function recorder(log: string[], extra: Partial<ActorProps<Message>> = {}): ActorProps<Message> {
  const create = (): Behavior<Message> => ({
    started: () => {
      log.push('started');
    },
    stopped: () => {
      log.push('stopped');
    },
    async receive(message, context) {
      if (message.type === 'note') log.push(message.text);
      else if (message.type === 'echo') message.replyTo.ok(message.text);
      else if (message.type === 'boom') throw new Error('boom');
      else if (message.type === 'slow') {
        log.push(`${message.text} begins`);
        await delay(context.clock, message.ms);
        log.push(`${message.text} ends`);
      }
    },
  });
  return { kind: 'recorder', create, ...extra };
}

function note(text: string): Message {
  return { type: 'note', text };
}

function coded(code: string): (error: unknown) => boolean {
  return (error) => error instanceof CodedError && error.code === code;
}

test('one message at a time, in order, also when receive is asynchronous', async () => {
  const { system, scheduler } = testWorld();
  const log: string[] = [];
  const ref = system.spawn(recorder(log), 'a');
  ref.tell({ type: 'slow', ms: 100, text: 'first' });
  ref.tell(note('second'));
  await scheduler.runFor(50);
  assert.deepEqual(log, ['started', 'first begins']);
  await scheduler.runFor(100);
  assert.deepEqual(log, ['started', 'first begins', 'first ends', 'second']);
});

test('a full mailbox answers full, and who waits for room is served in order', async () => {
  const { system, scheduler } = testWorld();
  const log: string[] = [];
  const ref = system.spawn(recorder(log, { mailboxMax: 2 }), 'a');
  assert.equal(ref.tell(note('1')), 'queued');
  assert.equal(ref.tell(note('2')), 'queued');
  assert.equal(ref.tell(note('lost')), 'full');
  const waiting = [ref.tellWhenRoom(note('3')), ref.tellWhenRoom(note('4'))];
  await assert.rejects(ref.tellWhenRoom(note('too many')), coded(runtimeErrorCodes.full));
  await assert.rejects(
    ask<Message, string>(ref, (replyTo) => ({ type: 'echo', text: 'x', replyTo }), 1000),
    coded(runtimeErrorCodes.full),
  );
  await scheduler.runUntilIdle();
  assert.deepEqual(await Promise.all(waiting), ['queued', 'queued']);
  assert.deepEqual(log, ['started', '1', '2', '3', '4']);
  assert.equal(system.stats.of('recorder').deadLetters.get('full'), 2);
});

test('every ask ends: reply, deadline, failure, stop', async () => {
  const { system, scheduler } = testWorld();
  const ref = system.spawn(recorder([]), 'a');
  const silent = (deadlineMs: number): Promise<string> =>
    ask<Message, string>(ref, (replyTo) => ({ type: 'silent', replyTo }), deadlineMs);
  const reply = ask<Message, string>(ref, (replyTo) => ({ type: 'echo', text: 'x', replyTo }), 1000);
  assert.equal(await scheduler.runUntilSettled(reply), 'x');
  const startMs = scheduler.clock.monotonicMs();
  await assert.rejects(scheduler.runUntilSettled(silent(500)), coded(runtimeErrorCodes.deadline));
  assert.ok(scheduler.clock.monotonicMs() - startMs >= 500 && scheduler.clock.monotonicMs() - startMs <= 510);
  const received = silent(5000);
  await scheduler.runUntilIdle();
  ref.tell({ type: 'boom' });
  await assert.rejects(scheduler.runUntilSettled(received), coded(runtimeErrorCodes.failed));
  const inMailbox = silent(5000);
  const stopped = system.stop(ref);
  await assert.rejects(scheduler.runUntilSettled(inMailbox), coded(runtimeErrorCodes.stopped));
  await stopped;
  await assert.rejects(silent(5000), coded(runtimeErrorCodes.stopped));
  assert.equal(system.deadlines.size, 0);
});

test('an ask of a message that cannot be built rejects and leaves nothing behind', async () => {
  const { system } = testWorld();
  const ref = system.spawn(recorder([]), 'a');
  const broken = ask<Message, string>(
    ref,
    () => {
      throw new Error('no message');
    },
    1000,
  );
  await assert.rejects(broken, /no message/);
  assert.equal(system.deadlines.size, 0);
});

test('a graceful stop drains the mailbox, then stops children, then runs stopped', async () => {
  const { system, scheduler } = testWorld();
  const log: string[] = [];
  const create = (): Behavior<Message> => ({
    started(context) {
      const child = context.spawn(recorder(log), 'child');
      child.tell({ type: 'slow', ms: 20, text: 'child work' });
    },
    receive: (message) => {
      if (message.type === 'note') log.push(message.text);
    },
    stopped: () => {
      log.push('parent stopped');
    },
  });
  const ref = system.spawn<Message>({ kind: 'parent', create }, 'parent');
  ref.tell(note('drained'));
  const done = system.stop(ref);
  assert.equal(ref.tell(note('late')), 'stopped');
  await scheduler.runUntilSettled(done);
  assert.equal(log.indexOf('drained') < log.indexOf('stopped'), true);
  assert.deepEqual(log.slice(-3), ['child work ends', 'stopped', 'parent stopped']);
  assert.deepEqual(system.paths, []);
});

test('a message that hangs cannot keep a stop from ending', async () => {
  const { system, scheduler } = testWorld();
  const log: string[] = [];
  const ref = system.spawn(recorder(log, { stopDeadlineMs: 300 }), 'a');
  ref.tell({ type: 'slow', ms: 60_000, text: 'hang' });
  ref.tell(note('never'));
  await scheduler.runUntilIdle();
  const beganMs = scheduler.clock.monotonicMs();
  await scheduler.runUntilSettled(system.stop(ref));
  assert.equal(scheduler.clock.monotonicMs() - beganMs, 300);
  await scheduler.runFor(120_000);
  assert.equal(log.includes('never'), false);
});

test('shutdown ends within its deadline whatever the actors do', async () => {
  const { system, scheduler } = testWorld();
  const ref = system.spawn(recorder([]), 'a');
  ref.tell({ type: 'slow', ms: 60_000, text: 'hang' });
  await scheduler.runUntilIdle();
  await scheduler.runUntilSettled(system.shutdown(1000));
  assert.equal(scheduler.clock.monotonicMs(), 1000);
  assert.throws(() => system.spawn(recorder([]), 'b'), /shut down/);
});

test('a watcher is told once, also when the watched had stopped before', async () => {
  const { system, scheduler } = testWorld();
  const log: string[] = [];
  const target = system.spawn(recorder([]), 'target');
  const create = (): Behavior<Message> => ({
    receive(message, context) {
      if (message.type !== 'note') return;
      if (message.text === 'watch') context.watch(target, note('gone'));
      else log.push(message.text);
    },
  });
  const watcher = system.spawn<Message>({ kind: 'watcher', create }, 'watcher');
  watcher.tell(note('watch'));
  await scheduler.runUntilIdle();
  await scheduler.runUntilSettled(system.stop(target));
  await scheduler.runUntilIdle();
  assert.deepEqual(log, ['gone']);
  watcher.tell(note('watch'));
  await scheduler.runUntilIdle();
  assert.deepEqual(log, ['gone', 'gone']);
});

test('a cancelled timer is silent even when its message waits already, and timers end with the actor', async () => {
  const { system, scheduler } = testWorld();
  const log: string[] = [];
  const create = (): Behavior<Message> => ({
    started(context) {
      context.startPeriodic('tick', 100, note('tick'));
      context.startTimer('once', 150, note('once'));
    },
    async receive(message, context) {
      if (message.type === 'slow') {
        await delay(context.clock, message.ms);
        context.cancelTimer('once');
      } else if (message.type === 'note') log.push(message.text);
    },
  });
  const ref = system.spawn<Message>({ kind: 'timed', create }, 'timed');
  ref.tell({ type: 'slow', ms: 310, text: '' });
  await scheduler.runFor(320);
  assert.deepEqual(log, ['tick'], 'ticks missed during a long message collapse into one');
  await scheduler.runFor(180);
  assert.deepEqual(log, ['tick', 'tick', 'tick'], 'ticks keep their phase');
  await scheduler.runUntilSettled(system.stop(ref));
  await scheduler.runFor(1000);
  assert.equal(log.length, 3);
  assert.equal(scheduler.clock.pending, 0);
});

test('a pipe brings a promise back as a message', async () => {
  const { system, scheduler } = testWorld();
  const log: string[] = [];
  const create = (): Behavior<Message> => ({
    started(context) {
      context.pipe(
        delay(context.clock, 10),
        () => note('done'),
        () => note('failed'),
      );
      context.pipe(
        Promise.reject(new Error('x')),
        () => note('done'),
        (error) => note(String(error)),
      );
    },
    receive(message) {
      if (message.type === 'note') log.push(message.text);
    },
  });
  system.spawn<Message>({ kind: 'piping', create }, 'piping');
  await scheduler.runFor(20);
  assert.deepEqual(log, ['Error: x', 'done']);
});

test('names are unique among the living and free again after a stop', async () => {
  const { system, scheduler } = testWorld();
  const ref = system.spawn(recorder([]), 'a');
  assert.throws(() => system.spawn(recorder([]), 'a'), coded(runtimeErrorCodes.nameTaken));
  await scheduler.runUntilSettled(system.stop(ref));
  assert.equal(system.spawn(recorder([]), 'a').path, '/a');
});

test('on the event loop: a chain of asks leaves I/O and timers their turn', async () => {
  const registry = new Registry();
  const random = seededRandom(1);
  const system = new ActorSystem({ clock: systemClock, random, log: silentLogger, name: 't', registry });
  const create = (): Behavior<Message> => ({
    receive(message) {
      if (message.type === 'echo') message.replyTo.ok(message.text);
    },
  });
  const ref = system.spawn<Message>({ kind: 'echo', create }, 'a');
  let timerRan = false;
  const timer = systemClock.after(20, () => {
    timerRan = true;
  });
  const giveUpMs = systemClock.monotonicMs() + 2000;
  while (!timerRan && systemClock.monotonicMs() < giveUpMs) {
    await ask<Message, string>(ref, (replyTo) => ({ type: 'echo', text: '', replyTo }), 1000);
  }
  timer.cancel();
  assert.equal(timerRan, true);
  const text = await registry.metrics();
  assert.match(text, /torchring_actors\{kind="echo"\} 1/);
  assert.match(text, /torchring_actor_processing_seconds_total\{kind="echo"\} 0\.\d+/);
  await system.shutdown(1000);
});
