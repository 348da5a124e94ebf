import assert from 'node:assert/strict';
import test from 'node:test';
import { Registry } from 'prom-client';
import { CodedError, silentLogger } from '../../base/index.ts';
import type { ShardEntry } from '../../cluster/index.ts';
import { Labels, WriteBatchBuilder } from '../../model/index.ts';
import { DeterministicScheduler, TestInbox } from '../../runtime/testing/index.ts';
import type { ExportedBatch, ShardStore } from '../../tsdb/index.ts';
import { ClusterView } from './cluster_view.ts';
import { HandOver } from './hand_over.ts';
import type { ControlMessage } from './messages.ts';

const queryTimeoutMs = 120_000;

function batch(epoch: number, value: number): ExportedBatch {
  const builder = new WriteBatchBuilder();
  builder.add(Labels.fromRecord({ a: 'b' }), 1000 + value, value);
  return { epoch, ...builder.finish() };
}

/** Node a with shard 0, and what it does about it. */
class World {
  readonly scheduler = new DeterministicScheduler(1);
  readonly view = new ClusterView('a', 1, this.scheduler.clock);
  readonly control = new TestInbox<ControlMessage>('/control');
  data: ExportedBatch[] = [batch(1, 1), batch(1, 2), batch(3, 3)];
  readonly written: string[] = [];
  readonly events: string[] = [];
  onWrite: () => void = () => undefined;
  readonly handOver = new HandOver(
    this.view,
    {
      hosted: [0],
      isMine: () => true,
      settled: async () => {
        this.events.push('settled');
      },
      store: () => {
        const samples = this.data.length;
        return { stats: () => ({ samples }), export: () => this.data } as unknown as ShardStore;
      },
      deleteShard: async () => {
        this.events.push('deleted');
        this.data = [];
      },
    },
    {
      write: async (_shard, { values }, options) => {
        this.onWrite();
        this.written.push(`${values[0]}@${options?.handOverEpoch}`);
        return {
          appended: 1,
          duplicates: 0,
          outOfOrder: 0,
          tooOld: 0,
          tooFarInFuture: 0,
          conflicts: 0,
          limited: 0,
        };
      },
    },
    {
      clock: this.scheduler.clock,
      log: silentLogger,
      registry: new Registry(),
      control: this.control,
      queryTimeoutMs,
    },
  );
  #version = 0;

  /** A new table, as a worker hears of it. */
  table(
    owner: string,
    epoch: number,
    holders: readonly string[],
    live: readonly string[] = ['a', 'b', 'c'],
  ): void {
    const entry: ShardEntry = { owner, epoch, holders };
    this.view.update({ self: 'a', table: { version: ++this.#version, shards: [entry] }, live });
    this.handOver.check();
  }

  /** Reports to the control group, answered with `error` or well. */
  async reports(error?: CodedError): Promise<number> {
    await this.scheduler.runFor(0);
    const messages = this.control.takeAll();
    for (const message of messages) {
      assert.equal(message.type, 'handedOver');
      if (message.type !== 'handedOver') continue;
      if (error === undefined) message.replyTo.ok(undefined);
      else message.replyTo.fail(error);
    }
    await this.scheduler.runFor(0);
    return messages.length;
  }
}

test('everything is given under its own epoch, reported, and deleted when no query can read it any more', async () => {
  const world = new World();
  world.table('b', 4, ['b', 'a']);
  assert.equal(await world.reports(), 1);
  assert.deepEqual(world.written, ['1@1', '2@1', '3@3']);
  await world.scheduler.runFor(queryTimeoutMs * 2);
  assert.deepEqual(world.events, ['settled'], 'while the table has queries come here nothing is deleted');
  world.table('b', 4, ['b']);
  await world.scheduler.runFor(queryTimeoutMs);
  assert.deepEqual(world.events, ['settled']);
  await world.scheduler.runFor(40_000);
  assert.deepEqual(world.events, ['settled', 'deleted']);
  await world.scheduler.runFor(600_000);
  assert.equal(world.written.length, 3);
  assert.equal(world.scheduler.clock.pending, 0);
});

test('nothing is given to an owner that is away, nor while this node owns the shard', async () => {
  const world = new World();
  world.table('b', 4, ['b', 'a'], ['a', 'c']);
  world.table('a', 5, ['a']);
  assert.equal(await world.reports(), 0);
  assert.deepEqual(world.written, []);
});

test('a failed attempt is repeated after a pause, by one timer, and then from the beginning', async () => {
  const world = new World();
  let failures = 2;
  world.onWrite = () => {
    if (world.written.length % 3 === 1 && failures-- > 0) throw new CodedError('shard_unavailable', 'no');
  };
  world.table('b', 4, ['b', 'a']);
  assert.equal(await world.reports(), 0);
  assert.equal(world.scheduler.clock.pending, 1);
  await world.scheduler.runFor(2_000);
  world.written.length = 0;
  await world.scheduler.runFor(4_000);
  assert.deepEqual(world.written, ['1@1', '2@1', '3@3']);
  assert.equal(await world.reports(), 1);
});

test('a report that the control group did not take is told again, without giving the data again', async () => {
  const world = new World();
  world.table('b', 4, ['b', 'a']);
  assert.equal(await world.reports(new CodedError('no_leader', 'nobody leads')), 1);
  await world.scheduler.runFor(1_000);
  assert.equal(await world.reports(), 0);
  await world.scheduler.runFor(1_000);
  assert.equal(await world.reports(), 1);
  assert.equal(world.written.length, 3);
});

test('data is kept when the ownership returns before its deletion, and given anew when it leaves again', async () => {
  const world = new World();
  world.table('b', 4, ['b', 'a']);
  await world.reports();
  world.table('b', 4, ['b']);
  await world.scheduler.runFor(10_000);
  world.table('a', 5, ['a', 'b']);
  await world.scheduler.runFor(300_000);
  assert.deepEqual(world.events, ['settled']);
  world.data.push(batch(5, 4));
  world.written.length = 0;
  world.table('b', 6, ['b', 'a']);
  assert.equal(await world.reports(), 1);
  assert.deepEqual(world.written, ['1@1', '2@1', '3@3', '4@5']);
});

test('an owner that changes midway is given everything, and only that ownership is reported', async () => {
  const world = new World();
  let moved = false;
  world.onWrite = () => {
    if (world.written.length === 1 && !moved) {
      moved = true;
      world.table('c', 5, ['c', 'b', 'a']);
    }
  };
  world.table('b', 4, ['b', 'a']);
  assert.equal(await world.reports(), 1);
  assert.deepEqual(world.written, ['1@1', '2@1', '1@1', '2@1', '3@3']);
});

test('what a crash left on disk after the report is given again and then deleted', async () => {
  const world = new World();
  world.table('b', 4, ['b']);
  assert.equal(await world.reports(), 0);
  assert.equal(world.written.length, 3);
  await world.scheduler.runFor(queryTimeoutMs + 40_000);
  assert.deepEqual(world.events, ['settled', 'deleted']);
});

test('after the stop nothing is begun and no timer is left', async () => {
  const world = new World();
  world.table('b', 4, ['b', 'a']);
  await world.reports();
  world.table('b', 4, ['b']);
  await world.scheduler.runFor(0);
  world.handOver.stop();
  assert.equal(world.scheduler.clock.pending, 0);
  world.table('c', 5, ['c', 'b', 'a']);
  await world.scheduler.runFor(600_000);
  assert.deepEqual(world.events, ['settled']);
  assert.equal(await world.reports(), 0);
});
