import assert from 'node:assert/strict';
import test from 'node:test';
import { CodedError } from '../../base/index.ts';
import { placementShard, type ShardEntry } from '../../cluster/index.ts';
import { Labels, type WriteBatch, WriteBatchBuilder } from '../../model/index.ts';
import { DeterministicScheduler, TestInbox } from '../../runtime/testing/index.ts';
import type { AppendOutcome } from '../../tsdb/index.ts';
import { noVerdict } from './batch_split.ts';
import { ClusterView } from './cluster_view.ts';
import type { HostedShards } from './hosted_shards.ts';
import type { ControlMessage } from './messages.ts';
import { emptyOutcome, Router } from './router.ts';
import type { ShardMessage } from './shard_actor.ts';

const shards = 4;
const appended = (count: number): AppendOutcome => {
  const { unavailable: _, ...outcome } = emptyOutcome();
  return { ...outcome, appended: count };
};
type Append = Extract<ShardMessage, { type: 'append' }>;
type Route = Extract<ControlMessage, { type: 'route' }>;

class World {
  readonly scheduler = new DeterministicScheduler(1);
  readonly view = new ClusterView('a', shards, this.scheduler.clock);
  readonly control = new TestInbox<ControlMessage>('/control');
  readonly shard = new TestInbox<ShardMessage>('/shard');
  onHost: () => void = () => undefined;
  readonly router = new Router(
    this.view,
    {
      isMine: () => true,
      host: async () => {
        this.onHost();
        return { actor: this.shard };
      },
    } as unknown as HostedShards,
    this.control,
    this.scheduler.clock,
  );
  #version = 0;

  owners(owner: (shard: number) => string, epoch = 1, count = shards): void {
    const entries = Array.from({ length: count }, (_, shard): ShardEntry => {
      return { owner: owner(shard), epoch, holders: [owner(shard)] };
    });
    this.view.update({ self: 'a', table: { version: ++this.#version, shards: entries }, live: ['a', 'b'] });
  }

  async routes(): Promise<Route[]> {
    await this.scheduler.runFor(0);
    return this.control.takeAll() as Route[];
  }

  async appends(): Promise<Append[]> {
    await this.scheduler.runFor(0);
    return this.shard.takeAll() as Append[];
  }
}

function batchOf(...instances: string[]): WriteBatch {
  const builder = new WriteBatchBuilder();
  for (const instance of instances) builder.add(Labels.fromRecord({ __name__: 'm', instance }), 1000, 1);
  return builder.finish();
}

const shardOf = (instance: string): number => placementShard(Labels.fromRecord({ instance }), shards);

test('samples go to the owner of their shard: own ones to its actor, others by way of the control thread', async () => {
  const world = new World();
  const instances = ['i0', 'i1', 'i2', 'i3', 'i4', 'i5'];
  const mine = shardOf('i0');
  world.owners((shard) => (shard === mine ? 'a' : 'b'), 3);
  const done = world.router.ingest(batchOf(...instances));
  const [append, ...moreAppends] = await world.appends();
  assert.equal(moreAppends.length, 0);
  assert.equal(append?.epoch, 3);
  assert.equal(append?.bypassOutOfOrder, false);
  append?.replyTo.ok(appended(append.batch.refs.length));
  const routes = await world.routes();
  assert.deepEqual(
    routes.map(({ shard }) => shard).sort(),
    [...new Set(instances.map(shardOf))].filter((shard) => shard !== mine).sort(),
  );
  for (const { shard, replyTo } of routes) {
    replyTo.ok(appended(instances.filter((instance) => shardOf(instance) === shard).length));
  }
  const outcome = await done;
  assert.equal(outcome.appended, instances.length);
  assert.equal(outcome.unavailable, 0);
});

test('a shard that moves meanwhile is followed, by the next table at once', async () => {
  const world = new World();
  world.owners(() => 'b');
  const done = world.router.write(0, batchOf('i'));
  const [first] = await world.routes();
  first?.replyTo.fail(new CodedError('not_owner', 'not me'));
  await world.scheduler.runFor(10);
  world.owners(() => 'a', 2);
  const [append] = await world.appends();
  append?.replyTo.ok(appended(1));
  assert.equal((await done).appended, 1);
  assert.equal(append?.epoch, 2);
});

test('a shard that is lost while it is being opened takes nothing in any more', async () => {
  const world = new World();
  world.owners(() => 'a');
  world.onHost = () => world.owners(() => 'b', 2);
  const done = world.router.write(0, batchOf('i'));
  await world.scheduler.runFor(200);
  assert.deepEqual(await world.appends(), []);
  const [route] = await world.routes();
  route?.replyTo.ok(appended(1));
  assert.equal((await done).appended, 1);
});

test('without a reachable owner the samples count as unavailable when the time is up', async () => {
  const world = new World();
  world.owners(() => 'b');
  let outcome: Awaited<ReturnType<Router['ingest']>> | undefined;
  void world.router.ingest(batchOf('i', 'j')).then((done) => {
    outcome = done;
  });
  for (let i = 0; i < 100 && outcome === undefined; i++) {
    for (const { replyTo } of await world.routes())
      replyTo.fail(new CodedError('transport_unavailable', 'refused'));
    await world.scheduler.runFor(200);
  }
  assert.equal(outcome?.unavailable, 2);
  assert.match(outcome?.unavailableReason ?? '', /refused/);
  assert.ok(world.scheduler.clock.monotonicMs() <= 16_000);
  assert.equal(world.scheduler.clock.pending, 0);
});

test('a batch that is malformed is refused for good and not tried again', async () => {
  const world = new World();
  world.owners(() => 'b');
  const done = world.router.ingest(batchOf('i'));
  const [route] = await world.routes();
  route?.replyTo.fail(new CodedError('bad_batch', 'the write batch is inconsistent'));
  const outcome = await done;
  assert.equal(outcome.unavailable, 0);
  assert.match(outcome.firstError ?? '', /inconsistent/);
});

test('a store that takes nothing more, and a bug, end the attempts at once, and the sender comes again', async () => {
  for (const error of [new CodedError('store_failed', 'disk'), new TypeError('bug')]) {
    const world = new World();
    world.owners(() => 'a');
    const done = world.router.ingest(batchOf('i'));
    const [append] = await world.appends();
    append?.replyTo.fail(error);
    assert.equal((await done).unavailable, 1);
  }
});

test('handed-over data keeps its epoch and is merged at any age', async () => {
  const world = new World();
  world.owners(() => 'b', 9);
  const done = world.router.write(0, batchOf('i'), { handOverEpoch: 4 });
  const [route] = await world.routes();
  assert.equal(route?.epoch, 4);
  assert.equal(route?.bypassOutOfOrder, true);
  route?.replyTo.ok(appended(1));
  await done;
});

test('after the stop an attempt under way is the last', async () => {
  const world = new World();
  world.owners(() => 'b');
  const done = world.router.ingest(batchOf('i'));
  world.router.stop();
  const [route] = await world.routes();
  route?.replyTo.fail(new CodedError('not_owner', 'not me'));
  assert.equal((await done).unavailable, 1);
});

test('labels are placed anew when the table turns out to have another number of shards', () => {
  const world = new World();
  const labels = Labels.fromRecord({ instance: 'i7' });
  assert.equal(world.router.shardOf(labels), placementShard(labels, shards));
  world.owners(() => 'a', 1, 128);
  assert.equal(world.router.shardOf(labels), placementShard(labels, 128));
});

test('the verdicts of all parts come back by the positions of the samples', async () => {
  const world = new World();
  const instances = ['i0', 'i1', 'i2', 'i3', 'i4', 'i5'];
  world.owners(() => 'a');
  const done = world.router.ingest(batchOf(...instances));
  const appends = await world.appends();
  const [failing, ...others] = appends;
  for (const { batch, replyTo } of others) {
    const verdicts = Uint8Array.from(batch.series, (labels) => instances.indexOf(labels.get('instance')));
    replyTo.ok({ ...appended(batch.refs.length), verdicts } as AppendOutcome);
  }
  failing?.replyTo.fail(new CodedError('store_failed', 'disk'));
  const lost = failing?.batch.series.map((labels) => labels.get('instance'));
  const expected = instances.map((instance, i) => (lost?.includes(instance) ? noVerdict : i));
  assert.deepEqual([...((await done).verdicts ?? [])], expected);
});

test('a batch that waits in a mailbox after its deadline is held, one that came to its shard is not', async () => {
  const world = new World();
  world.owners(() => 'a');
  const done = world.router.ingest(batchOf('i'));
  const [late] = await world.appends();
  late?.replyTo.fail(new CodedError('ask_deadline', 'no answer in time'));
  await world.scheduler.runFor(200);
  const [again] = await world.appends();
  again?.replyTo.ok(appended(1));
  assert.equal((await done).isHeld, true);
  const next = world.router.ingest(batchOf('i'));
  (await world.appends())[0]?.replyTo.ok(appended(1));
  assert.equal((await next).isHeld, undefined);
});
