/**
 * The actor runtime's figures: local tell, local ask, ask to another thread. Each is the best of several runs, because
 * the machine may be busy with other things: the best run is the one that was disturbed least.
 */
import { seededRandom, silentLogger, systemClock } from '../../src/base/index.ts';
import { type ActorRef, ActorSystem, ask, type ReplyTo } from '../../src/runtime/index.ts';
import type { Figure } from '../figure.ts';

const runs = 7;

type CounterMessage =
  | { readonly type: 'add'; readonly amount: number }
  | { readonly type: 'get'; readonly replyTo: ReplyTo<number> };

function newSystem(): ActorSystem {
  return new ActorSystem({ clock: systemClock, random: seededRandom(1), log: silentLogger, name: 'bench' });
}

function spawnCounter(system: ActorSystem): ActorRef<CounterMessage> {
  const create = () => {
    let sum = 0;
    return {
      receive(message: CounterMessage): void {
        if (message.type === 'add') sum += message.amount;
        else message.replyTo.ok(sum);
      },
    };
  };
  return system.spawn<CounterMessage>({ kind: 'counter', create, mailboxMax: 4096 }, 'counter');
}

async function best(run: () => Promise<number>): Promise<number> {
  let most = 0;
  for (let i = 0; i < runs; i++) most = Math.max(most, await run());
  return Math.round(most);
}

/** Messages per second told in bursts that fit the mailbox, sender and receiver on the same thread. */
async function tellRate(): Promise<number> {
  const system = newSystem();
  const counter = spawnCounter(system);
  const bursts = 1000;
  const burst = 2000;
  const beganMs = performance.now();
  for (let i = 0; i < bursts; i++) {
    for (let j = 0; j < burst; j++) {
      if (counter.tell({ type: 'add', amount: 1 }) !== 'queued') throw new Error('mailbox overflowed');
    }
    // One ask after the burst waits for all of it: the queue is in order.
    await ask<CounterMessage, number>(counter, (replyTo) => ({ type: 'get', replyTo }), 10_000);
  }
  const sum = await ask<CounterMessage, number>(counter, (replyTo) => ({ type: 'get', replyTo }), 10_000);
  const seconds = (performance.now() - beganMs) / 1000;
  if (sum !== bursts * burst) throw new Error(`${sum} messages of ${bursts * burst} arrived`);
  await system.shutdown(1000);
  return sum / seconds;
}

/** Asks per second with `inFlight` askers that each wait for their reply before asking again. */
async function askRate(ref: ActorRef<CounterMessage>, inFlight: number, asks: number): Promise<number> {
  const asker = async (): Promise<void> => {
    for (let i = 0; i < asks / inFlight; i++) {
      await ask<CounterMessage, number>(ref, (replyTo) => ({ type: 'get', replyTo }), 10_000);
    }
  };
  const beganMs = performance.now();
  await Promise.all(Array.from({ length: inFlight }, asker));
  return asks / ((performance.now() - beganMs) / 1000);
}

async function localAskRate(inFlight: number): Promise<number> {
  const system = newSystem();
  const rate = await askRate(spawnCounter(system), inFlight, 500_000);
  await system.shutdown(1000);
  return rate;
}

export default async function* actors(): AsyncGenerator<Figure> {
  yield { figure: 'local tell', value: await best(tellRate), unit: 'messages/s' };
  yield { figure: 'local ask, one at a time', value: await best(() => localAskRate(1)), unit: 'asks/s' };
  yield { figure: 'local ask, 100 in flight', value: await best(() => localAskRate(100)), unit: 'asks/s' };
}
