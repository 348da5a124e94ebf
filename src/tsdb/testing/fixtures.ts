/** Small batches, a hand-moved clock and throw-away folders for tests of the store. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { type Clock, silentLogger, type Timer } from '../../base/index.ts';
import { Labels, type SeriesColumns, type WriteBatch, WriteBatchBuilder } from '../../model/index.ts';
import type { StoreOptions } from '../shard/store_directory.ts';

/** Time that moves only when told to. */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #timers = new Set<{ atMs: number; run: () => void }>();

  constructor(nowMs = 0) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): Timer {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  get timerCount(): number {
    return this.#timers.size;
  }

  /** Moves on and runs what is due. */
  advance(byMs: number): void {
    this.#nowMs += byMs;
    for (const timer of [...this.#timers]) {
      if (timer.atMs > this.#nowMs) continue;
      this.#timers.delete(timer);
      timer.run();
    }
  }
}

/** Options for a store of a day's retention that never syncs; the registry is its own. */
export function storeOptions(changes: Partial<StoreOptions> = {}): StoreOptions {
  return {
    retentionMs: 24 * 3_600_000,
    fsync: 'os',
    log: silentLogger,
    registry: new Registry(),
    clock: new ManualClock(),
    ...changes,
  };
}

export async function withFolder(run: (path: string) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'torchring-tsdb-'));
  try {
    await run(path);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

export type Row = readonly [labels: Record<string, string>, timestampMs: number, value: number];

export function batchOf(...rows: readonly Row[]): WriteBatch {
  const builder = new WriteBatchBuilder();
  for (const [labels, timestampMs, value] of rows) builder.add(Labels.fromRecord(labels), timestampMs, value);
  return builder.finish();
}

/** A batch of one sample whose value has exactly these bits. */
export function batchOfBits(labels: Record<string, string>, timestampMs: number, bits: bigint): WriteBatch {
  const values = new Float64Array(new BigUint64Array([bits]).buffer);
  const timestamps = Float64Array.of(timestampMs);
  return { series: [Labels.fromRecord(labels)], refs: Uint32Array.of(0), timestamps, values };
}

/** Columns as `name{...} t=bits ...`, which compares values bit by bit. */
export function printColumns(columns: readonly SeriesColumns[]): string[] {
  return columns.map(({ labels, timestamps, values }) => {
    const bits = new BigUint64Array(values.slice().buffer);
    const samples = Array.from(timestamps, (timestampMs, i) => `${timestampMs}=${bits[i]?.toString(16)}`);
    return `${labels.toString()} ${samples.join(' ')}`;
  });
}
