import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { CodedError, delay, seededRandom, silentLogger, systemClock } from '../../base/index.ts';
import { type ActorRef, ask } from '../actor_ref.ts';
import { runtimeErrorCodes } from '../errors.ts';
import { connectThread } from '../remote/thread_link.ts';
import { ActorSystem } from '../system.ts';
import type { TestThreadData, TestThreadMessage } from '../testing/thread_entry.ts';
import { VirtualClock } from '../testing/virtual_clock.ts';
import { Probe } from './probe.ts';
import { ThreadGroup, type ThreadGroupOptions } from './thread_group.ts';

type Options = ThreadGroupOptions<TestThreadData>;

async function group(count: number, extra: Partial<Options> = {}) {
  const random = seededRandom(1);
  const system = new ActorSystem({ clock: systemClock, random, log: silentLogger, name: 'control' });
  const refs: ActorRef<TestThreadMessage>[] = [];
  const threads = new ThreadGroup<TestThreadData>({
    entry: new URL('../testing/thread_entry.ts', import.meta.url),
    count,
    data: () => ({}),
    clock: systemClock,
    random,
    log: silentLogger,
    backoffMinMs: 10,
    ...extra,
    onStarted: (index, link, restarts) => {
      refs[index] = connectThread(system, link, `worker-${index}`).remoteRef<TestThreadMessage>('/echo');
      extra.onStarted?.(index, link, restarts);
    },
  });
  const echo = (index: number, value: number): Promise<number> =>
    ask<TestThreadMessage, number>(
      refs[index] as ActorRef<TestThreadMessage>,
      (replyTo) => ({ type: 'echo', value, replyTo }),
      5000,
    );
  const stop = async (deadlineMs = 5000): Promise<void> => {
    await threads.stop(deadlineMs);
    await system.shutdown(100);
  };
  return { threads, stop, refs, echo };
}

test('workers start, answer and stop gracefully', async () => {
  const { threads, stop, echo } = await group(2);
  await threads.start();
  assert.deepEqual(await Promise.all([echo(0, 7), echo(1, 8)]), [7, 8]);
  await stop();
});

/** Blocks the worker for 5 s and measures by how much a timer of this thread was late meanwhile, at most. */
async function latenessWhileBlocked(ref: ActorRef<TestThreadMessage>): Promise<number> {
  let blocked = true;
  const done = ask<TestThreadMessage, number>(
    ref,
    (replyTo) => ({ type: 'block', ms: 5000, replyTo }),
    10_000,
  );
  void done.then(() => {
    blocked = false;
  });
  let latenessMsMax = 0;
  while (blocked) {
    const beganMs = systemClock.monotonicMs();
    await delay(systemClock, 20);
    latenessMsMax = Math.max(latenessMsMax, systemClock.monotonicMs() - beganMs - 20);
  }
  assert.equal(await done, 5000);
  return latenessMsMax;
}

test('a worker blocked for 5 s delays no timer of the control thread by more than 50 ms, and the probe sees it', async () => {
  const registry = new Registry();
  const missed: number[] = [];
  const { threads, stop, refs } = await group(1, {
    registry,
    probeIntervalMs: 500,
    onProbeMissed: (_, count) => missed.push(count),
  });
  await threads.start();
  const ref = refs[0] as ActorRef<TestThreadMessage>;
  // A thread that waits for the worker is late by seconds, every time. Another process that takes the core for a
  // moment makes a timer late too, but not three times in a row.
  const latenessesMs: number[] = [];
  while (latenessesMs.length < 3 && !latenessesMs.some((ms) => ms <= 50)) {
    latenessesMs.push(await latenessWhileBlocked(ref));
  }
  assert.ok(
    latenessesMs.some((ms) => ms <= 50),
    `timers were ${latenessesMs.join(', ')} ms late`,
  );
  assert.ok(missed.length >= 5, `missed ${missed.length}`);
  assert.match(
    await registry.metrics(),
    /torchring_thread_probes_missed_total\{thread="0"\} ([5-9]|[1-9][0-9])/,
  );
  await stop();
});

test('a crashed worker is restarted, its open asks fail, and its owner is told', async () => {
  const events: string[] = [];
  let restarted = (): void => {};
  const back = new Promise<void>((resolve) => {
    restarted = resolve;
  });
  const { threads, stop, refs, echo } = await group(1, {
    onCrashed: (_, error) => events.push(error.message),
    onRestart: (index, restarts) => {
      events.push(`restart ${restarts} of ${index}`);
      restarted();
    },
  });
  await threads.start();
  refs[0]?.tell({ type: 'crash' });
  const open = ask<TestThreadMessage, number>(
    refs[0] as ActorRef<TestThreadMessage>,
    (replyTo) => ({ type: 'block', ms: 100, replyTo }),
    10_000,
  );
  await assert.rejects(
    open.then(() => echo(0, 1)),
    (error) => error instanceof CodedError && error.code === runtimeErrorCodes.linkLost,
  );
  await back;
  assert.deepEqual(events, ['crashed on demand', 'restart 1 of 0']);
  assert.equal(await echo(0, 9), 9);
  await stop();
});

test('a worker that fails its first start fails the start of the group', async () => {
  const { threads } = await group(2, { data: (index) => ({ failStart: index === 1 }) });
  await assert.rejects(threads.start(), /failed on demand/);
});

test('a worker that hangs in its stop is terminated at the deadline', async () => {
  const { threads, stop } = await group(1, { data: () => ({ hangStop: true }) });
  await threads.start();
  const beganMs = systemClock.monotonicMs();
  await stop(200);
  const tookMs = systemClock.monotonicMs() - beganMs;
  assert.ok(tookMs >= 190 && tookMs < 4000, `${tookMs} ms`);
});

test('a probe counts what stays unanswered and starts over with an answer', () => {
  const clock = new VirtualClock();
  const events: string[] = [];
  const probe: Probe = new Probe(clock, 100, {
    send: (id) => events.push(`ping ${id}`),
    onMissed: (missed) => events.push(`missed ${missed}`),
    onAnswered: (elapsedMs, missed) => events.push(`answered after ${elapsedMs}, ${missed} missed`),
  });
  probe.start();
  clock.advance(320);
  probe.pong(1);
  clock.advance(100);
  probe.pong(2);
  probe.stop();
  clock.advance(1000);
  const expected = ['ping 1', 'missed 1', 'missed 2', 'answered after 220, 2 missed', 'ping 2'];
  assert.deepEqual(events, [...expected, 'answered after 20, 0 missed']);
});
