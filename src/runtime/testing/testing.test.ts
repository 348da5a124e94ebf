import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../base/index.ts';
import type { ActorRef } from '../actor_ref.ts';
import type { Behavior } from '../behavior.ts';
import { DeadlineEntry, DeadlineWheel, tickMs } from '../deadlines.ts';
import { Mailbox } from '../mailbox.ts';
import { BehaviorTestKit } from './behavior_test_kit.ts';
import { DeterministicScheduler } from './deterministic_scheduler.ts';
import { VirtualClock } from './virtual_clock.ts';

type Message = { readonly type: 'begin' } | { readonly type: 'tick' } | { readonly type: 'end' };

function behavior(): Behavior<Message> {
  let child: ActorRef<string> | undefined;
  return {
    started: (context) => context.startPeriodic('tick', 1000, { type: 'tick' }),
    receive(message, context) {
      if (message.type === 'begin') {
        child = context.spawn<string>({ kind: 'child', create: () => ({ receive() {} }) }, 'child');
        context.watch(child, { type: 'end' });
        context.self.tell({ type: 'tick' });
        child.tell('hello');
      } else if (message.type === 'end') context.stopSelf();
      else throw new Error('unexpected');
    },
  };
}

test('the behavior test kit returns effects as values', async () => {
  const kit = new BehaviorTestKit<Message>(behavior());
  const tick = { type: 'tick' } as const;
  assert.deepEqual(await kit.start(), [
    { effect: 'periodicStarted', key: 'tick', intervalMs: 1000, message: tick },
  ]);
  assert.deepEqual(await kit.run({ type: 'begin' }), [
    { effect: 'spawned', name: 'child', kind: 'child' },
    { effect: 'watched', path: '/test/child', message: { type: 'end' } },
    { effect: 'toldSelf', message: tick },
  ]);
  assert.deepEqual(kit.child<string>('child').takeAll(), ['hello']);
  assert.deepEqual(await kit.run({ type: 'end' }), [{ effect: 'stoppedSelf' }]);
  await assert.rejects(kit.run(tick), /unexpected/);
});

test('virtual timers run in the order of their due time and never when cancelled', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(50), fc.boolean())), (timers) => {
      const clock = new VirtualClock();
      const ran: number[] = [];
      const set = timers.map(([delayMs]) => clock.after(delayMs, () => ran.push(delayMs)));
      for (const [i, [, cancelled]] of timers.entries()) if (cancelled) set[i]?.cancel();
      clock.advance(100);
      const expected = timers.filter(([, cancelled]) => !cancelled).map(([delayMs]) => delayMs);
      assert.deepEqual(
        ran,
        expected.sort((a, b) => a - b),
      );
      assert.equal(clock.pending, 0);
    }),
  );
});

test('another seed gives another interleaving', async () => {
  const order = async (seed: number): Promise<string> => {
    const scheduler = new DeterministicScheduler(seed);
    let text = '';
    for (const name of 'abcdefgh') {
      scheduler.post(() => {
        text += name;
      });
    }
    await scheduler.runUntilIdle();
    return text;
  };
  assert.equal(await order(1), await order(1));
  assert.notEqual(await order(1), await order(2));
});

test('a deadline is met at most one tick late and never early, whatever else the wheel holds', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 60_000 }), fc.nat(500))), (deadlines) => {
      const clock = new VirtualClock();
      const wheel = new DeadlineWheel(clock);
      let met = 0;
      for (const [delayMs, pauseMs] of deadlines) {
        const dueMs = clock.monotonicMs() + delayMs;
        const entry = new DeadlineEntry();
        entry.expire = () => {
          met++;
          const lateMs = clock.monotonicMs() - dueMs;
          assert.ok(lateMs >= 0 && lateMs <= tickMs, `late by ${lateMs} ms`);
        };
        wheel.add(entry, delayMs);
        clock.advance(pauseMs);
      }
      clock.advance(70_000);
      assert.equal(met, deadlines.length);
      assert.equal(wheel.size, 0);
    }),
    { numRuns: 50 },
  );
});

test('a mailbox is a bounded queue: it behaves like an array', () => {
  const operations = fc.array(fc.oneof(fc.constant('take' as const), fc.constant('push' as const)), {
    maxLength: 300,
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), operations, (max, steps) => {
      const mailbox = new Mailbox<number>(max);
      const model: number[] = [];
      for (const [i, step] of steps.entries()) {
        if (step === 'push') {
          const fits = model.length < max;
          assert.equal(mailbox.push(i, undefined), fits);
          if (fits) model.push(i);
        } else if (model.length > 0) assert.equal(mailbox.take(), model.shift());
        assert.equal(mailbox.size, model.length);
      }
    }),
  );
});

test('a seeded Random drives nothing global: two schedulers do not disturb each other', () => {
  const [a, b] = [new DeterministicScheduler(7), new DeterministicScheduler(7)];
  a.random.next();
  assert.equal(b.random.next(), seededRandom(7).next());
});
