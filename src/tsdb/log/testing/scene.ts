/** A shard's log on an engine, with a sink that keeps what it is told as plain text. For tests of the log. */
import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { Registry } from 'prom-client';
import { ByteWriter } from '../../../base/index.ts';
import {
  type BatchMetadata,
  encodeWriteBatch,
  type FloatHistogram,
  Labels,
  type Matcher,
  type WriteBatch,
} from '../../../model/index.ts';
import type { OpenEngine } from '../../engine.ts';
import { GroupCommit } from '../../group_commit.ts';
import { tsdbMetrics } from '../../metrics.ts';
import { ReopenableEngine } from '../../reopenable_engine.ts';
import { ManualClock } from '../../testing/fixtures.ts';
import { LogSpy } from '../../testing/trouble_suite.ts';
import { logMetrics } from '../metrics.ts';
import {
  encodeDeletion,
  encodeSamples,
  type NewSeries,
  type RecordSink,
  type ReplayColumns,
} from '../record.ts';
import { ShardLog } from '../shard_log.ts';

export interface TestSample {
  readonly id: number;
  readonly t: number;
  readonly bits?: bigint;
  readonly histogram?: FloatHistogram;
}

export function labelsOf(id: number): Labels {
  return Labels.fromRecord({ __name__: 'metric', id: String(id) });
}

/** Everything that a log says, a line for each definition, sample, exemplar, piece of metadata and deletion. */
export class TextSink implements RecordSink {
  readonly lines: string[] = [];
  readonly #labels = new Map<number, Labels>();

  define(id: number, labels: Labels): void {
    this.lines.push(`define ${id} ${labels}`);
    this.#labels.set(id, labels);
  }

  samples(epoch: number, columns: ReplayColumns, sequence: number): void {
    const { count, ids, times, values, histograms, startTimes } = columns;
    if (histograms !== undefined) assert.equal(histograms.length, count);
    const bits = new BigUint64Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < count; i++) {
      const labels = this.#labels.get(ids[i] as number);
      const value = histograms?.[i] ?? `0x${bits[i]?.toString(16)}`;
      const start = startTimes === undefined ? '' : ` since ${startTimes[i]}`;
      this.lines.push(`${labels?.get('id')} @${times[i]} ${value} epoch ${epoch} record ${sequence}${start}`);
    }
  }

  exemplar(id: number, labels: Labels, value: number, timestampMs: number): void {
    this.lines.push(`exemplar ${id} ${labels} ${value} @${timestampMs}`);
  }

  metadata({ metric, type, unit, help }: BatchMetadata): void {
    this.lines.push(`metadata ${metric} ${type} ${unit} ${help}`);
  }

  deletion(matchers: readonly Matcher[], fromMs: number, toMs: number): void {
    this.lines.push(`delete ${matchers.join(',')} ${fromMs}..${toMs}`);
  }

  /** The times of all samples, in the order in which they came. */
  get times(): number[] {
    return this.lines.flatMap((line) => (/ @(\S+) \S+ epoch/.exec(line) ?? []).slice(1).map(Number));
  }
}

export class LogScene {
  readonly engine: ReopenableEngine;
  readonly commit: GroupCommit;
  readonly log: ShardLog;
  readonly spy: LogSpy = new LogSpy();
  readonly clock: ManualClock;
  readonly registry: Registry = new Registry();
  readonly #writer = new ByteWriter();
  readonly #defined = new Set<number>();

  private constructor(engine: ReopenableEngine, fsync: 'always' | 'interval' | 'os', shard: number) {
    this.engine = engine;
    this.clock = new ManualClock(1000);
    const shared = tsdbMetrics(this.registry);
    const log = this.spy.logger;
    this.commit = new GroupCommit({ engine, path: 'test', fsync, clock: this.clock, log, metrics: shared });
    this.log = new ShardLog(shard, { commit: this.commit, metrics: logMetrics(this.registry, shared), log });
  }

  static async open(
    path: string,
    open: OpenEngine,
    fsync: 'always' | 'interval' | 'os' = 'os',
    shard = 1,
  ): Promise<LogScene> {
    return new LogScene(await ReopenableEngine.open(path, open), fsync, shard);
  }

  async replay(sink: RecordSink = new TextSink()): Promise<void> {
    await this.log.replay(this.engine, sink);
  }

  /** Series that were not appended before are defined in the record, under the ids that the test gives them. */
  append(samples: readonly TestSample[], epoch = 1): Promise<void> {
    const fresh = [...new Set(samples.map(({ id }) => id))].filter((id) => !this.#defined.has(id));
    for (const id of fresh) this.#defined.add(id);
    return this.appendDefining(
      fresh.sort((a, b) => a - b).map((id) => ({ id, labels: labelsOf(id) })),
      samples,
      epoch,
    );
  }

  /** Takes the ids that the test wants from the log. */
  appendDefining(
    newSeries: readonly NewSeries[],
    samples: readonly TestSample[],
    epoch = 1,
    metadata: readonly BatchMetadata[] = [],
  ): Promise<void> {
    for (const { id } of newSeries) while (this.log.nextId() < id);
    return this.appendKnown(newSeries, samples, epoch, metadata);
  }

  appendKnown(
    newSeries: readonly NewSeries[],
    samples: readonly TestSample[],
    epoch: number,
    metadata: readonly BatchMetadata[] = [],
  ): Promise<void> {
    this.#writer.reset();
    const bits = BigUint64Array.from(samples, ({ bits = 0x3ff0000000000000n }) => bits);
    const histograms = samples.map(({ histogram }) => histogram ?? null);
    encodeSamples(this.#writer, {
      epoch,
      newSeries,
      count: samples.length,
      ids: Uint32Array.from(samples, ({ id }) => id),
      times: Float64Array.from(samples, ({ t }) => t),
      values: new Float64Array(bits.buffer),
      ...(histograms.some((one) => one !== null) && { histograms }),
      metadata,
    });
    const newestMs = Math.max(...samples.map(({ t }) => t));
    return this.log.append(epoch, newestMs, this.#writer);
  }

  appendDeletion(
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
    newestMs: number,
    epoch = 0,
  ): Promise<void> {
    this.#writer.reset();
    encodeDeletion(this.#writer, { matchers, fromMs, toMs });
    return this.log.append(epoch, Math.min(toMs, newestMs), this.#writer);
  }

  async metric(name: string): Promise<number> {
    return (await this.registry.getSingleMetric(name)?.get())?.values[0]?.value ?? Number.NaN;
  }

  async close(): Promise<void> {
    await this.commit.close();
    await this.engine.close();
  }
}

/** A write batch as version 1 of the store had it on disk. */
export function batchFrame(key: Uint8Array, batch: WriteBatch): Uint8Array<ArrayBuffer> {
  const payload = encodeWriteBatch(batch);
  const frame = new Uint8Array(5 + payload.length);
  frame[0] = 1;
  new DataView(frame.buffer).setUint32(1, crc32(payload, crc32(key)), true);
  frame.set(payload, 5);
  return frame;
}
