import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodedError, delay, seededRandom } from '../base/index.ts';
import { ask, type ReplyTo } from './actor_ref.ts';
import type { ActorContext, Behavior } from './behavior.ts';
import { runtimeErrorCodes } from './errors.ts';
import { NodeLink } from './remote/node_link.ts';
import { DeterministicScheduler } from './testing/deterministic_scheduler.ts';
import { testWorld } from './testing/harness.ts';
import { jsonCodec } from './testing/json_codec.ts';
import { MemoryNetwork } from './testing/memory_network.ts';
import type { VirtualActors } from './virtual.ts';

type Message =
  | { readonly type: 'work'; readonly id: number; readonly ms: number }
  | { readonly type: 'where'; readonly id: number; readonly replyTo: ReplyTo<string> };

/** A placement that nodes learn of one by one. */
interface View {
  version: number;
  place: ReadonlyMap<string, string>;
  previous: ReadonlyMap<string, string>;
}

interface Node {
  readonly name: string;
  readonly actors: VirtualActors<Message>;
  view: View;
}

class Cluster {
  readonly scheduler: DeterministicScheduler;
  readonly network: MemoryNetwork;
  readonly nodes: Node[];
  readonly alive: Map<string, string[]> = new Map();
  readonly handled: Map<number, number> = new Map();
  readonly twice: string[] = [];

  constructor(seed: number, names: readonly string[], view: View, eagerKeys: readonly string[] = []) {
    this.scheduler = new DeterministicScheduler(seed);
    this.network = new MemoryNetwork(this.scheduler);
    this.nodes = names.map((name) => this.#node(name, view, eagerKeys));
  }

  node(name: string): Node {
    return this.nodes.find((node) => node.name === name) as Node;
  }

  learn(name: string, view: View): Promise<void> {
    const node = this.node(name);
    node.view = view;
    return node.actors.placementChanged();
  }

  #node(name: string, view: View, eagerKeys: readonly string[]): Node {
    const { system } = testWorld({ scheduler: this.scheduler, name });
    const link = new NodeLink(system, this.network.transport(name), name);
    const holder: { node?: Node } = {};
    const current = (): View => holder.node?.view ?? view;
    const actors = system.virtual<Message>({
      kind: 'v',
      props: (key) => ({ create: () => this.#behavior(name, key), mailboxMax: 100 }),
      place: (key) => current().place.get(key),
      selfNodeId: name,
      link,
      codec: jsonCodec<Message>(),
      eagerKeys,
      handOff: {
        previous: (key) => current().previous.get(key),
        version: () => current().version,
        deadlineMs: 5000,
      },
    });
    holder.node = { name, actors, view };
    return holder.node;
  }

  #behavior(name: string, key: string): Behavior<Message> {
    const cluster = this;
    return {
      started(): void {
        const homes = [...(cluster.alive.get(key) ?? []), name];
        cluster.alive.set(key, homes);
        if (homes.length > 1) cluster.twice.push(`${key} on ${homes.join(' and ')}`);
      },
      stopped(): void {
        const homes = cluster.alive.get(key) ?? [];
        cluster.alive.set(
          key,
          homes.filter((home) => home !== name),
        );
      },
      async receive(message: Message, context: ActorContext<Message>): Promise<void> {
        cluster.handled.set(message.id, (cluster.handled.get(message.id) ?? 0) + 1);
        if (message.type === 'work' && message.ms > 0) await delay(context.clock, message.ms);
        if (message.type === 'where') message.replyTo.ok(name);
      },
    };
  }
}

function view(version: number, place: Record<string, string>, previous: Record<string, string> = {}): View {
  return { version, place: new Map(Object.entries(place)), previous: new Map(Object.entries(previous)) };
}

function where(node: Node, key: string, id: number, deadlineMs = 10_000): Promise<string> {
  return ask<Message, string>(
    node.actors.ref(key),
    (replyTo) => ({ type: 'where', id, replyTo }),
    deadlineMs,
  );
}

test('a key is answered by the node that the placement names, from every node', async () => {
  const cluster = new Cluster(1, ['a', 'b'], view(1, { x: 'a', y: 'b' }));
  const asks = ['a', 'b'].flatMap((from) => [
    where(cluster.node(from), 'x', 1),
    where(cluster.node(from), 'y', 2),
  ]);
  assert.deepEqual(await cluster.scheduler.runUntilSettled(Promise.all(asks)), ['a', 'b', 'a', 'b']);
  assert.deepEqual(cluster.node('a').actors.localKeys, ['x']);
});

test('eager keys start without a message, and stop when they are no longer eager', async () => {
  const cluster = new Cluster(1, ['a', 'b'], view(1, { x: 'a', y: 'b' }), ['x', 'y']);
  await cluster.scheduler.runFor(100);
  assert.deepEqual(Object.fromEntries(cluster.alive), { x: ['a'], y: ['b'] });
  const learned = Promise.all([
    cluster.learn('a', view(2, { x: 'b', y: 'b' }, { x: 'a' })),
    cluster.learn('b', view(2, { x: 'b', y: 'b' }, { x: 'a' })),
  ]);
  await cluster.scheduler.runUntilSettled(learned);
  await cluster.scheduler.runFor(100);
  assert.deepEqual(Object.fromEntries(cluster.alive), { x: ['b'], y: ['b'] });
  await cluster.scheduler.runUntilSettled(cluster.node('b').actors.setEagerKeys(['x']));
  assert.deepEqual(Object.fromEntries(cluster.alive), { x: ['b'], y: [] });
});

test('what waits in the mailbox follows its actor to the new place, asks included', async () => {
  const cluster = new Cluster(1, ['a', 'b'], view(1, { x: 'a' }));
  const a = cluster.node('a');
  a.actors.ref('x').tell({ type: 'work', id: 1, ms: 50 });
  await cluster.scheduler.runUntilIdle();
  a.actors.ref('x').tell({ type: 'work', id: 2, ms: 0 });
  const asked = where(a, 'x', 3);
  const next = view(2, { x: 'b' }, { x: 'a' });
  void cluster.learn('a', next);
  a.actors.ref('x').tell({ type: 'work', id: 4, ms: 0 });
  void cluster.learn('b', next);
  assert.equal(await cluster.scheduler.runUntilSettled(asked), 'b');
  await cluster.scheduler.runFor(100);
  assert.deepEqual([...cluster.handled.keys()], [1, 2, 3, 4]);
  assert.deepEqual(cluster.twice, []);
});

test('a key without a place: ask fails, tell is refused, tellWhenRoom waits for a place', async () => {
  const cluster = new Cluster(1, ['a'], view(1, {}));
  const a = cluster.node('a');
  await assert.rejects(
    where(a, 'x', 1),
    (e) => e instanceof CodedError && e.code === runtimeErrorCodes.unplaced,
  );
  assert.equal(a.actors.ref('x').tell({ type: 'work', id: 2, ms: 0 }), 'full');
  const waiting = a.actors.ref('x').tellWhenRoom({ type: 'work', id: 3, ms: 0 });
  await cluster.scheduler.runFor(100);
  void cluster.learn('a', view(2, { x: 'a' }));
  assert.equal(await cluster.scheduler.runUntilSettled(waiting), 'queued');
});

test('a dead previous place does not keep an actor from starting', async () => {
  const cluster = new Cluster(1, ['a', 'b'], view(1, { x: 'a' }));
  cluster.network.cut('b', 'a');
  void cluster.learn('b', view(2, { x: 'b' }, { x: 'a' }));
  assert.equal(await cluster.scheduler.runUntilSettled(where(cluster.node('b'), 'x', 1)), 'b');
});

test('300 seeds of moving keys: never two of a key in a connected cluster, nothing handled twice, every ask ends', async () => {
  const names = ['a', 'b', 'c'];
  const keys = ['x', 'y'];
  let replies = 0;
  const ends: Record<string, number> = {};
  let sent = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const random = seededRandom(seed);
    const draw = (): Record<string, string> =>
      Object.fromEntries(keys.map((key) => [key, names[random.below(names.length)] as string]));
    let current = view(1, draw());
    const cluster = new Cluster(seed, names, current);
    let open = 0;
    for (let id = 1; id <= 40; id++) {
      const node = cluster.nodes[random.below(names.length)] as Node;
      const key = keys[random.below(keys.length)] as string;
      if (random.below(2) === 0) node.actors.ref(key).tell({ type: 'work', id, ms: random.below(10) });
      else {
        open++;
        sent++;
        where(node, key, id).then(
          () => {
            open--;
            replies++;
          },
          (error: CodedError) => {
            open--;
            ends[error.code] = (ends[error.code] ?? 0) + 1;
          },
        );
      }
      if (id % 10 === 0) {
        // Placement changes are further apart than it takes to learn of one, as the committed table's are.
        await cluster.scheduler.runFor(300);
        const next = view(current.version + 1, draw(), Object.fromEntries(current.place));
        current = next;
        for (const name of names) {
          cluster.scheduler.clock.after(random.below(100), () => void cluster.learn(name, next));
        }
      }
      await cluster.scheduler.runFor(random.below(30));
    }
    await cluster.scheduler.runFor(20_000);
    assert.equal(open, 0, `seed ${seed}: asks open`);
    assert.deepEqual(cluster.twice, [], `seed ${seed}`);
    for (const [id, times] of cluster.handled) assert.equal(times, 1, `seed ${seed}: message ${id}`);
  }
  assert.ok(replies >= sent * 0.99, `${replies} replies to ${sent} asks, ${JSON.stringify(ends)}`);
});
