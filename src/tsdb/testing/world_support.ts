/** Small things that a model test's world needs: counts of verdicts, errors of the disk, promises that must end. */
import assert from 'node:assert/strict';
import { type AppendOutcome, emptyOutcome, SampleVerdict } from '../shard/verdicts.ts';
import type { NaiveSample } from './naive_store.ts';
import type { KnownSeries } from './query_check.ts';

/** Real time that something may take that should end by itself. */
const patienceMs = 5_000;

export type End<T> = { readonly value: T } | { readonly error: unknown };

/** Notes a sample that was written. */
export function know(known: Map<string, KnownSeries>, { labels, t }: NaiveSample): void {
  const key = labels.key();
  const { minMs = t, maxMs = t } = known.get(key) ?? {};
  known.set(key, { labels, minMs: Math.min(minMs, t), maxMs: Math.max(maxMs, t) });
}

export function checkCounts(outcome: AppendOutcome, verdicts: readonly number[]): void {
  const names = Object.keys(emptyOutcome()) as (keyof ReturnType<typeof emptyOutcome>)[];
  const byVerdict = [
    'ok',
    'duplicate',
    'outOfOrder',
    'tooOld',
    'tooFarInFuture',
    'conflict',
    'limited',
  ] as const;
  for (const [i, verdict] of byVerdict.entries()) {
    const count = verdicts.filter((one) => one === SampleVerdict[verdict]).length;
    assert.equal(outcome[names[i] as keyof AppendOutcome], count, `the count of ${verdict}`);
  }
}

/** Throws anything else. */
export function assertDiskTrouble(error: unknown): void {
  if (error instanceof assert.AssertionError) throw error;
  const text = String(error);
  assert.match(
    text,
    /No space left|Input\/output error|store_failed|writing the log failed|could not be opened/,
    text,
  );
}

/** How something ended; that it does not end within a time that it should is a failure. */
export async function heard<T>(promise: Promise<T>): Promise<End<T>> {
  const ended = promise.then(
    (value): End<T> => ({ value }),
    (error: unknown): End<T> => ({ error }),
  );
  const endMs = performance.now() + patienceMs;
  let isPending = true;
  void ended.then(() => {
    isPending = false;
  });
  while (isPending && performance.now() < endMs) await new Promise((done) => setImmediate(done));
  assert.ok(!isPending, 'something that should end does not');
  return ended;
}
