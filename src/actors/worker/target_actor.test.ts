import assert from 'node:assert/strict';
import test from 'node:test';
import { Labels, type WriteBatch, WriteBatchBuilder } from '../../model/index.ts';
import { BehaviorTestKit, testWorld } from '../../runtime/testing/index.ts';
import type { ScrapeLoop, ScrapeResult } from '../../scrape/index.ts';
import { SampleVerdict } from '../../tsdb/index.ts';
import type { IngestOutcome } from './messages.ts';
import { emptyOutcome } from './router.ts';
import { refusedSamples, type TargetDeps, type TargetMessage, targetProps } from './target_actor.ts';

const intervalMs = 10_000;

function depsOf(
  scrape: (timestampMs: number) => Promise<ScrapeResult>,
  changes: Partial<TargetDeps> = {},
): TargetDeps & { stored: string[]; released: WriteBatch[] } {
  const stored: string[] = [];
  const endOfLife = new WriteBatchBuilder();
  endOfLife.add(Labels.fromRecord({ __name__: 'end' }), 1, 1);
  const released: WriteBatch[] = [];
  const loop = {
    target: { intervalMs, url: 'http://t/' },
    scrape,
    endOfLife: () => endOfLife.finish(),
    release: (batch: WriteBatch) => released.push(batch),
    noteRefused: () => undefined,
  };
  return {
    loop: loop as unknown as ScrapeLoop,
    offsetMs: 1_000,
    status: { health: 'unknown', lastError: '', lastScrapeMs: 0, lastDurationMs: 0 },
    refusal: '',
    timestampToleranceMs: 2,
    ingest: async ({ series }) => {
      stored.push(String(series[0]?.get('__name__')));
      return emptyOutcome();
    },
    stored,
    released,
    ...changes,
  };
}

test('a scrape that is late within the configured tolerance has the time of its schedule', async () => {
  for (const [timestampToleranceMs, lateMs] of [
    [40, 0],
    [0, 40],
  ]) {
    const stamps: number[] = [];
    const scrape = (timestampMs: number): Promise<never> => {
      stamps.push(timestampMs);
      return new Promise(() => undefined);
    };
    const deps = depsOf(scrape, timestampToleranceMs === undefined ? {} : { timestampToleranceMs });
    const kit = new BehaviorTestKit<TargetMessage>(targetProps(deps).create());
    const [first] = await kit.start();
    assert.ok(first?.effect === 'timerStarted' && first.message.type === 'scrape');
    const { scheduledMs } = first.message as Extract<TargetMessage, { type: 'scrape' }>;
    kit.clock.advance(scheduledMs - kit.clock.nowMs() + 40);
    await kit.run(first.message);
    assert.deepEqual(stamps, [scheduledMs + (lateMs ?? 0)]);
  }
});

test('a timer that comes early by the wall clock does not have the same slot scraped twice', async () => {
  const deps = depsOf(() => new Promise(() => undefined));
  const kit = new BehaviorTestKit<TargetMessage>(targetProps(deps).create());
  const [first] = await kit.start();
  assert.ok(first?.effect === 'timerStarted' && first.message.type === 'scrape');
  const { scheduledMs } = first.message as Extract<TargetMessage, { type: 'scrape' }>;
  kit.clock.advance(scheduledMs - kit.clock.nowMs() - 1);
  const [next] = await kit.run(first.message);
  assert.ok(next?.effect === 'timerStarted');
  assert.deepEqual(next.message, { type: 'scrape', scheduledMs: scheduledMs + intervalMs });
  assert.equal(next.delayMs, intervalMs + 1);
});

test('when the wall clock is set back the target is scraped within an interval all the same', async () => {
  const kit = new BehaviorTestKit<TargetMessage>(
    targetProps(depsOf(() => new Promise(() => undefined))).create(),
  );
  await kit.start();
  const [next] = await kit.run({ type: 'scrape', scheduledMs: kit.clock.nowMs() + 3_600_000 });
  assert.ok(next?.effect === 'timerStarted' && next.delayMs <= intervalMs);
});

test('a target that is gone stays so over a failure of its actor', async () => {
  const { scheduler, system } = testWorld();
  let fail: (error: Error) => void = () => undefined;
  let scrapes = 0;
  const deps = depsOf(() => {
    scrapes++;
    return new Promise((_, reject) => {
      fail = reject;
    });
  });
  const actor = system.spawn(targetProps(deps), 'target');
  await scheduler.runFor(intervalMs);
  actor.tell({ type: 'gone' });
  await scheduler.runFor(10);
  fail(new TypeError('bug'));
  await scheduler.runFor(intervalMs * 3);
  assert.equal(scrapes, 1);
  assert.deepEqual(deps.stored, ['end']);
  assert.deepEqual(system.paths, []);
});

test('an actor that fails scrapes again at its usual time', async () => {
  const { scheduler, system } = testWorld();
  const times: number[] = [];
  const deps = depsOf(async () => {
    times.push(scheduler.clock.nowMs() % intervalMs);
    throw new TypeError('bug');
  });
  system.spawn(targetProps(deps), 'target');
  await scheduler.runFor(intervalMs * 3);
  assert.deepEqual(times, [1_000, 1_000, 1_000]);
  await scheduler.runUntilSettled(system.shutdown(1_000));
  assert.equal(scheduler.clock.pending, 0);
});

test('a batch is given back when it is stored, and not while an append may still read it', async () => {
  const batchOf = (name: string): WriteBatch => {
    const builder = new WriteBatchBuilder();
    builder.add(Labels.fromRecord({ __name__: name }), 1, 1);
    return builder.finish();
  };
  const batches = [batchOf('stored'), batchOf('held'), batchOf('later')];
  const pending: ((outcome: IngestOutcome) => void)[] = [];
  const { scheduler, system } = testWorld();
  let scrapes = 0;
  const counts = { scraped: 1, kept: 1, seriesAdded: 0, duplicates: 0, outOfBounds: 0 };
  const deps = depsOf(
    async () => ({ batch: batches[scrapes++], counts, exposedSamples: 1 }) as unknown as ScrapeResult,
    {
      ingest: () => new Promise((resolve) => pending.push(resolve)),
    },
  );
  system.spawn(targetProps(deps), 'target');
  await scheduler.runFor(intervalMs * 3);
  assert.deepEqual(deps.released, []);
  pending[0]?.(emptyOutcome());
  pending[1]?.({ ...emptyOutcome(), isHeld: true });
  await scheduler.runFor(0);
  assert.deepEqual(deps.released, [batches[0]]);
});

test('what was refused is counted of what the target exposed alone, without zeros that were added', () => {
  const { outOfOrder, conflict, tooOld, tooFarInFuture, duplicate } = SampleVerdict;
  const verdicts = Uint8Array.of(
    outOfOrder,
    outOfOrder,
    conflict,
    tooOld,
    tooFarInFuture,
    duplicate,
    conflict,
  );
  const refused = refusedSamples({ exposedSamples: 6, zeros: [1] }, { verdicts });
  assert.deepEqual(refused, { outOfOrder: 1, duplicates: 1, outOfBounds: 2 });
});
