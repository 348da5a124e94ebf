/** The worker that the tests and benches of threads run: an actor that can echo, block, crash and hang. */
import { seededRandom, silentLogger, systemClock } from '../../base/index.ts';
import type { ReplyTo } from '../actor_ref.ts';
import type { Behavior } from '../behavior.ts';
import { connectThread } from '../remote/thread_link.ts';
import { ActorSystem } from '../system.ts';
import { runThread } from '../threads/entry.ts';

export type TestThreadMessage =
  | { readonly type: 'echo'; readonly value: number; readonly replyTo: ReplyTo<number> }
  | { readonly type: 'block'; readonly ms: number; readonly replyTo: ReplyTo<number> }
  | { readonly type: 'crash' };

export interface TestThreadData {
  /** Fails its start instead of getting ready. */
  readonly failStart?: boolean;
  /** Never finishes its stop. */
  readonly hangStop?: boolean;
}

function echo(): Behavior<TestThreadMessage> {
  return {
    receive(message) {
      if (message.type === 'echo') message.replyTo.ok(message.value);
      else if (message.type === 'block') {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, message.ms);
        message.replyTo.ok(message.ms);
      } else {
        // Out of reach of supervision, like an error of native code.
        setImmediate(() => {
          throw new Error('crashed on demand');
        });
      }
    },
  };
}

await runThread<TestThreadData>(async ({ index, data, link }) => {
  if (data.failStart === true) throw new Error('failed on demand');
  const random = seededRandom(index + 1);
  const system = new ActorSystem({ clock: systemClock, random, log: silentLogger, name: `worker-${index}` });
  system.spawn<TestThreadMessage>({ kind: 'echo', create: echo, mailboxMax: 4096 }, 'echo');
  connectThread(system, link, 'control');
  return async () => {
    if (data.hangStop === true) await new Promise(() => {});
    await system.shutdown(1000);
  };
});
