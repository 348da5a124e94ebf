import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError, delay, seededRandom } from '../base/index.ts';
import { type ActorRef, ask, type ReplyTo } from './actor_ref.ts';
import type { ActorContext, Behavior } from './behavior.ts';
import { runtimeErrorCodes } from './errors.ts';
import { backoffMs, RestartTracker, type Supervision } from './supervision.ts';
import { testWorld } from './testing/harness.ts';

type Job =
  | { readonly type: 'work'; readonly id: number; readonly ms: number }
  | { readonly type: 'ask'; readonly id: number; readonly ms: number; readonly replyTo: ReplyTo<number> }
  | { readonly type: 'boom'; readonly id: number };

test('backoff doubles from its minimum to its maximum', () => {
  const shape = { minMs: 100, maxMs: 1000, jitter: 0 };
  const delays = [1, 2, 3, 4, 5, 6].map((restart) => backoffMs(restart, shape, seededRandom(1)));
  assert.deepEqual(delays, [100, 200, 400, 800, 1000, 1000]);
});

test('more restarts than the limit within the window end in the limit action, and the window forgets', () => {
  const random = seededRandom(1);
  const tracker = new RestartTracker({ restartsMax: 2, windowMs: 1000, afterLimit: 'stop' });
  assert.equal(tracker.decide(new Error(), 0, random).action, 'restart');
  assert.equal(tracker.decide(new Error(), 10, random).action, 'restart');
  assert.equal(tracker.decide(new Error(), 20, random).action, 'stop');
  assert.equal(tracker.decide(new Error(), 1005, random).action, 'restart');
});

/** Runs `receive` with the parent's supervision and its child's. */
function family(supervision: Supervision, childSupervision: Supervision, starts: string[]) {
  const escalated: string[] = [];
  const world = testWorld({ onEscalated: (path) => escalated.push(path) });
  let child: ActorRef<Job> | undefined;
  const leaf = (): Behavior<Job> => ({
    started: () => {
      starts.push('child');
    },
    receive(message) {
      if (message.type === 'boom') throw new Error('boom');
      if (message.type === 'ask') message.replyTo.ok(message.id);
    },
  });
  const create = (): Behavior<Job> => ({
    started(context: ActorContext<Job>) {
      starts.push('parent');
      child = context.spawn({ kind: 'child', create: leaf, supervision: childSupervision }, 'child');
    },
    receive() {},
  });
  const parent = world.system.spawn<Job>({ kind: 'parent', create, supervision }, 'parent');
  return { ...world, parent, escalated, child: () => child as ActorRef<Job> };
}

test('messages in the mailbox survive a restart; the one that failed is lost', async () => {
  const supervision = { backoffMinMs: 100, backoffJitter: 0 };
  const { system, scheduler, child } = family({}, supervision, []);
  await scheduler.runUntilIdle();
  child().tell({ type: 'boom', id: 1 });
  const reply = ask<Job, number>(child(), (replyTo) => ({ type: 'ask', id: 7, ms: 0, replyTo }), 5000);
  await scheduler.runFor(99);
  assert.equal(system.stats.of('child').restarts, 1);
  assert.equal(system.stats.of('child').messages, 1, 'nothing runs during the backoff');
  assert.equal(await scheduler.runUntilSettled(reply), 7);
});

test('escalation fails the parent, which restarts with new children', async () => {
  const starts: string[] = [];
  const { scheduler, child, parent, escalated } = family({}, { onFailure: 'escalate' }, starts);
  await scheduler.runUntilIdle();
  const first = child();
  first.tell({ type: 'boom', id: 1 });
  await scheduler.runFor(1000);
  assert.deepEqual(starts, ['parent', 'child', 'parent', 'child']);
  assert.equal(first.tell({ type: 'boom', id: 2 }), 'stopped');
  assert.equal(parent.tell({ type: 'boom', id: 2 }), 'queued');
  assert.deepEqual(escalated, []);
});

test('a failure that nobody takes stops the top-level actor and is reported', async () => {
  const { scheduler, child, parent, escalated } = family(
    { onFailure: 'escalate' },
    { onFailure: 'escalate' },
    [],
  );
  await scheduler.runUntilIdle();
  child().tell({ type: 'boom', id: 1 });
  await scheduler.runUntilIdle();
  assert.deepEqual(escalated, ['/parent']);
  assert.equal(parent.tell({ type: 'boom', id: 2 }), 'stopped');
});

test('an actor whose start fails is restarted like any other', async () => {
  const { system, scheduler } = testWorld();
  let starts = 0;
  const create = (): Behavior<Job> => {
    starts++;
    if (starts < 3) throw new Error('not yet');
    return {
      receive(message) {
        if (message.type === 'ask') message.replyTo.ok(starts);
      },
    };
  };
  const ref = system.spawn<Job>({ kind: 'late', create }, 'late');
  const reply = ask<Job, number>(ref, (replyTo) => ({ type: 'ask', id: 1, ms: 0, replyTo }), 5000);
  assert.equal(await scheduler.runUntilSettled(reply), 3);
});

test('an actor given up in the middle of a message stays dead when that message fails at last', async () => {
  const { system, scheduler } = testWorld();
  let starts = 0;
  const hang = async (context: ActorContext<Job>): Promise<void> => {
    await delay(context.clock, 60_000);
    throw new Error('late');
  };
  const child = (): Behavior<Job> => {
    starts++;
    return { receive: (_, context) => hang(context) };
  };
  const create = (): Behavior<Job> => ({
    receive(_, context) {
      context.spawn<Job>({ kind: 'child', create: child }, 'child').tell({ type: 'boom', id: 1 });
      return hang(context);
    },
  });
  const parent = system.spawn<Job>({ kind: 'parent', create, stopDeadlineMs: 100 }, 'parent');
  parent.tell({ type: 'boom', id: 1 });
  await scheduler.runUntilIdle();
  await scheduler.runUntilSettled(system.stop(parent));
  await scheduler.runFor(200_000);
  assert.equal(starts, 1);
  assert.deepEqual(system.paths, []);
  assert.equal(system.stats.of('child').failures, 0);
});

/** What the chaos test keeps of the truth. */
interface Ledger {
  readonly delivered: Map<number, number>;
  readonly stoppedAt: Map<string, number>;
  readonly afterStop: string[];
  asksOpen: number;
  asksEnded: Record<string, number>;
}

function chaosBehavior(name: string, ledger: Ledger): Behavior<Job> {
  return {
    started() {
      if (ledger.stoppedAt.has(name)) ledger.afterStop.push(`${name} started`);
    },
    async receive(message, context) {
      if (ledger.stoppedAt.has(name)) ledger.afterStop.push(name);
      ledger.delivered.set(message.id, (ledger.delivered.get(message.id) ?? 0) + 1);
      if (message.type === 'boom') {
        if (message.id % 2 === 0) await delay(context.clock, 70);
        throw new Error('boom');
      }
      if (message.ms > 0) await delay(context.clock, message.ms);
      // Every seventh ask is forgotten, so that deadlines have work.
      if (message.type === 'ask' && message.id % 7 !== 0) message.replyTo.ok(message.id);
    },
  };
}

async function chaos(seed: number): Promise<Ledger> {
  const { system, scheduler } = testWorld({ seed });
  const random = seededRandom(seed ^ 0x5eed);
  const ledger: Ledger = {
    delivered: new Map(),
    stoppedAt: new Map(),
    afterStop: [],
    asksOpen: 0,
    asksEnded: {},
  };
  const actors = ['a', 'b', 'c'].map((name) => {
    const create = (): Behavior<Job> => chaosBehavior(name, ledger);
    const supervision = { backoffMinMs: 5, restartsMax: 3, afterLimit: 'stop' as const };
    const ref = system.spawn<Job>(
      { kind: 'chaos', create, supervision, mailboxMax: 4, stopDeadlineMs: 60 },
      name,
    );
    ref.onStopped(() => ledger.stoppedAt.set(name, scheduler.steps));
    return ref;
  });
  const end = (how: string): void => {
    ledger.asksOpen--;
    ledger.asksEnded[how] = (ledger.asksEnded[how] ?? 0) + 1;
  };
  for (let id = 1; id <= 40; id++) {
    const ref = actors[random.below(actors.length)] as ActorRef<Job>;
    const ms = random.below(3) === 0 ? random.below(80) : 0;
    const dice = random.below(20);
    if (dice < 9) ref.tell({ type: 'work', id, ms });
    else if (dice < 16) {
      ledger.asksOpen++;
      const asked = ask<Job, number>(
        ref,
        (replyTo) => ({ type: 'ask', id, ms, replyTo }),
        1 + random.below(100),
      );
      asked.then(
        (reply) => end(reply === id ? 'reply' : 'wrong reply'),
        (error: unknown) => end(error instanceof CodedError ? error.code : String(error)),
      );
    } else if (dice < 18) ref.tell({ type: 'boom', id });
    else if (dice === 18) void system.kill(ref);
    else void ref.tellWhenRoom({ type: 'work', id, ms });
    if (dice === 19 && random.below(3) === 0) void system.stop(ref);
    if (random.below(3) === 0) await scheduler.runFor(random.below(20));
    else await scheduler.step();
  }
  await scheduler.runFor(1000);
  await scheduler.runUntilSettled(system.shutdown(100));
  assert.equal(system.deadlines.size, 0, 'no deadline is left');
  assert.deepEqual(system.paths, []);
  return ledger;
}

test('1,000 seeds of random failures, kills and stops: nothing delivered twice or after stop, every ask ends', async () => {
  const ended: Record<string, number> = {};
  for (let seed = 1; seed <= 1000; seed++) {
    const ledger = await chaos(seed);
    for (const [id, times] of ledger.delivered) assert.equal(times, 1, `seed ${seed}: message ${id}`);
    assert.deepEqual(ledger.afterStop, [], `seed ${seed}`);
    assert.equal(ledger.asksOpen, 0, `seed ${seed}: asks still open`);
    for (const [how, times] of Object.entries(ledger.asksEnded)) ended[how] = (ended[how] ?? 0) + times;
  }
  const expected = [
    'reply',
    ...(['deadline', 'failed', 'full', 'stopped'] as const).map((k) => runtimeErrorCodes[k]),
  ];
  assert.deepEqual(Object.keys(ended).sort(), expected.sort(), 'all ends of an ask occur, and no other');
});

test('the same seed gives the same run', async () => {
  const [a, b] = [await chaos(42), await chaos(42)];
  assert.deepEqual([...a.delivered.keys()], [...b.delivered.keys()]);
  assert.deepEqual(a.stoppedAt, b.stoppedAt);
});
