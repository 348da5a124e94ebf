/**
 * The head built for memory (src/tsdb/memory): samples per second by reference and by the raw bytes of labels, and
 * resident memory per active series after two hours of 15 s scrapes spread over 128 shards. The load looks like
 * what node exporters, cAdvisor and instrumented HTTP services expose: a third of the series stand still, a fifth are
 * histogram buckets that now and then count, the rest are busy counters, seconds with two decimals, sizes in pages,
 * percentages, and one in twenty is noise in all 52 bits. Every target is scraped at an offset of its own; timestamps
 * are those of a scrape loop that keeps its schedule, and one figure shows what jitter costs. Two hours are not sealed
 * meanwhile. The last figures are the longest steps in which a million series of one shard are sealed and dropped.
 *
 * Each measurement runs in a process of its own, as memory that another left behind would count.
 * TORCHRING_BENCH_SERIES sets the number of series (20,000 and 200,000 otherwise).
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { seededRandom, systemClock } from '../../src/base/index.ts';
import { ByteTable, Labels, SymbolTable } from '../../src/model/index.ts';
import { HeadStore } from '../../src/tsdb/memory/head_store.ts';
import { Verdict } from '../../src/tsdb/memory/verdict.ts';
import type { Figure } from '../figure.ts';

const shards = 128;
const seriesPerTarget = 500;
const intervalMs = 15_000;
const scrapes = 480;
const windowMs = 2 * 3_600_000;
const rawScrapes = 40;
const startMs = 1_760_000_000_000;

interface Result {
  readonly appendPerSecond: number;
  readonly rawPerSecond: number;
  readonly residentPerSeries: number;
  /** The same before the collector was asked to give memory back. */
  readonly garbageIncluded: number;
  readonly details: Readonly<Record<string, number>>;
}

function newHead(): HeadStore {
  return new HeadStore({
    symbols: new SymbolTable({ symbolsMax: 5_000_000, bytesMax: 2 ** 31 }),
    hashSeed: 12345,
    seriesPerShardMax: 1_000_000,
    outOfOrderSamplesMax: 100_000,
  });
}

/** Eight to ten labels a series; two targets in five are containers, two are HTTP services, one is a node. */
function labelsOf(series: number): Labels {
  const target = Math.floor(series / seriesPerTarget);
  const metric = series % seriesPerTarget;
  const instance = `10.${target >> 8}.${target & 255}.17:9100`;
  const place = { cluster: 'prod-eu-1', env: 'production', instance };
  if (target % 5 === 0)
    return Labels.fromRecord({
      ...place,
      __name__: `node_metric_${metric >> 2}_total`,
      job: 'node',
      device: `nvme${metric & 3}n1`,
      mode: ['idle', 'user', 'system', 'iowait'][metric & 3] as string,
    });
  if (target % 5 < 3)
    return Labels.fromRecord({
      ...place,
      __name__: `container_metric_${metric % 50}_bytes`,
      job: 'cadvisor',
      namespace: `team-${target % 40}`,
      pod: `service-${target % 90}-${(target * 2654435761).toString(36)}-${Math.floor(metric / 50)}`,
      container: 'app',
      image: `registry.example.org/team/service-${target % 90}:v1.${target % 7}`,
    });
  return Labels.fromRecord({
    ...place,
    __name__: `http_request_${Math.floor(metric / 250)}_seconds_bucket`,
    job: 'api',
    method: ['GET', 'POST', 'PUT', 'DELETE', 'HEAD'][metric % 5] as string,
    code: ['200', '204', '404', '500', '503'][Math.floor(metric / 5) % 5] as string,
    handler: `/api/v1/resource/${target % 30}`,
    le: ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '+Inf'][
      Math.floor(metric / 25) % 10
    ] as string,
  });
}

/** Steps every series' value on by one scrape. */
class Values {
  readonly values: Float64Array<ArrayBuffer>;
  #state = 88172645;

  constructor(series: number) {
    this.values = new Float64Array(series);
    for (let i = 0; i < series; i++) this.values[i] = this.#below(1_000_000);
  }

  step(): Float64Array {
    const { values } = this;
    for (let i = 0; i < values.length; i++) values[i] = this.#next(i % 20, values[i] as number);
    return values;
  }

  #next(kind: number, value: number): number {
    if (kind < 7) return value;
    if (kind < 11) return this.#below(10) < 3 ? value + 1 + this.#below(3) : value;
    if (kind < 14) return value + this.#below(1000);
    if (kind < 16) return Math.round(value * 100 + this.#below(1500)) / 100;
    if (kind < 18) return Math.max(0, value - (value % 4096) + (this.#below(65) - 32) * 4096);
    if (kind < 19) return this.#below(10_000) / 100;
    return (this.#below(2 ** 30) * 2 ** 22 + this.#below(2 ** 22)) / 2 ** 45;
  }

  #below(bound: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % bound;
  }
}

/** Without garbage, and without the room that V8 keeps for more of it: the codec makes some at every run. */
function residentBytes(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  return process.memoryUsage.rss();
}

/** Appends one sample to each series, those of a target at one time; how long that took. */
function scrape(head: HeadStore, refs: Uint32Array, times: Float64Array, values: Float64Array): number {
  const beganMs = systemClock.monotonicMs();
  for (let i = 0; i < refs.length; i++) {
    const timeMs = times[Math.floor(i / seriesPerTarget)] as number;
    const verdict = head.append(refs[i] as number, timeMs, values, i);
    if (verdict !== Verdict.ok) throw new Error(`verdict ${verdict} for series ${i}`);
  }
  return systemClock.monotonicMs() - beganMs;
}

function measure(series: number, jitterMs: number): Result {
  const random = seededRandom(1);
  const source = new Values(series);
  const refs = new Uint32Array(series).fill(1);
  const head = newHead();
  // What is compiled and made here belongs to no series.
  for (let i = 0; i < 1000; i++) head.ref(i % shards, labelsOf(i));
  for (let shard = 0; shard < shards; shard++) head.dropShard(shard);
  source.step();
  const before = residentBytes();
  for (let i = 0; i < series; i++) {
    const labels = labelsOf(i);
    refs[i] = head.ref(labels.hashMod(shards), labels);
  }
  let spentMs = 0;
  const times = new Float64Array(Math.ceil(series / seriesPerTarget));
  for (let k = 0; k < scrapes; k++) {
    for (let target = 0; target < times.length; target++) {
      const offsetMs = (target * 7919) % intervalMs;
      const lateMs = jitterMs === 0 ? 0 : random.below(jitterMs);
      times[target] = startMs + k * intervalMs + offsetMs + lateMs;
    }
    spentMs += scrape(head, refs, times, source.step());
  }
  const endMs = startMs + (scrapes + 1) * intervalMs;
  const garbageIncluded = (process.memoryUsage.rss() - before) / series;
  const residentPerSeries = (residentBytes() - before) / series;
  const details = Object.fromEntries(Object.entries(head.memory()).map(([k, v]) => [k, v / series]));
  return {
    appendPerSecond: ((series * scrapes) / spentMs) * 1000,
    rawPerSecond: jitterMs === 0 ? measureRaw(head, refs, endMs, source) : 0,
    residentPerSeries,
    garbageIncluded,
    details,
  };
}

/** Appends by the bytes in which an exposition names each series. */
function measureRaw(head: HeadStore, refs: Uint32Array, fromMs: number, source: Values): number {
  const seriesMax = Math.min(refs.length, 50_000);
  const texts = Array.from({ length: seriesMax }, (_, i) => Buffer.from(labelsOf(i).toString()));
  const body = new Uint8Array(Buffer.concat(texts));
  const table = new ByteTable(99);
  const ends = new Uint32Array(seriesMax);
  let end = 0;
  for (const [i, text] of texts.entries()) {
    table.add(body, end, end + text.length);
    end += text.length;
    ends[i] = end;
  }
  let spentMs = 0;
  for (let k = 0; k < rawScrapes; k++) {
    const values = source.step();
    const timeMs = fromMs + k * intervalMs;
    const beganMs = systemClock.monotonicMs();
    let start = 0;
    for (let i = 0; i < seriesMax; i++) {
      const ref = refs[table.find(body, start, ends[i] as number)] as number;
      if (head.append(ref, timeMs, values, i) !== Verdict.ok) throw new Error(`series ${i} was refused`);
      start = ends[i] as number;
    }
    spentMs += systemClock.monotonicMs() - beganMs;
  }
  return ((seriesMax * rawScrapes) / spentMs) * 1000;
}

/** Resident growth by a head with 128 shards that were asked for and hold nothing. */
function measureEmpty(): Result {
  const before = residentBytes();
  const head = newHead();
  for (let shard = 0; shard < shards; shard++) {
    head.select(shard, [], 0, startMs);
    for (const _ of head.dropBefore(shard, startMs));
  }
  const residentPerSeries = residentBytes() - before;
  return {
    appendPerSecond: 0,
    rawPerSecond: 0,
    garbageIncluded: 0,
    residentPerSeries,
    details: { ...head.memory() },
  };
}

/** The longest step, and all steps, of work that is done in steps. */
function timeSteps(steps: Iterator<unknown>): { longestMs: number; totalMs: number } {
  let longestMs = 0;
  let totalMs = 0;
  for (let isDone = false; !isDone; ) {
    const beganMs = systemClock.monotonicMs();
    isDone = steps.next().done === true;
    const tookMs = systemClock.monotonicMs() - beganMs;
    longestMs = Math.max(longestMs, tookMs);
    totalMs += tookMs;
  }
  return { longestMs, totalMs };
}

/** A cut of many series in one shard, half of which have nothing else. */
function* sealingFigures(series: number): Generator<Figure> {
  const head = newHead();
  const values = Float64Array.of(1, 2);
  const floorMs = Math.floor(startMs / windowMs) * windowMs;
  for (let i = 0; i < series; i++) {
    const ref = head.ref(0, labelsOf(i));
    head.append(ref, floorMs - 1, values, 0);
    if (i % 2 === 0) head.append(ref, floorMs, values, 1);
  }
  const of = `${series.toLocaleString('en')} series of one shard`;
  const beganMs = systemClock.monotonicMs();
  const cut = head.cut(0, floorMs);
  cut.windows(windowMs);
  yield { figure: `cut, ${of}`, value: systemClock.monotonicMs() - beganMs, unit: 'ms' };
  const read = timeSteps(head.window(cut, floorMs - windowMs, floorMs, 0));
  yield { figure: `sort and read to seal, ${of}`, value: read.totalMs, unit: 'ms' };
  yield { figure: `  longest step, ${of}`, value: read.longestMs, unit: 'ms' };
  const dropped = timeSteps(head.drop(cut));
  yield { figure: `drop, ${of}`, value: dropped.totalMs, unit: 'ms' };
  yield { figure: `  longest step, ${of}`, value: dropped.longestMs, unit: 'ms' };
}

async function inChild(series: number, jitterMs: number): Promise<Result> {
  const child = fork(import.meta.filename, [String(series), String(jitterMs)], { execArgv: ['--expose-gc'] });
  const [result] = (await once(child, 'message')) as [Result];
  return result;
}

export default async function* head(): AsyncGenerator<Figure> {
  const chosen = Number(process.env['TORCHRING_BENCH_SERIES'] ?? 0);
  const sizes = chosen > 0 ? [chosen] : [20_000, 200_000];
  for (const series of sizes) {
    const of = `${series.toLocaleString('en')} series`;
    const result = await inChild(series, 0);
    yield { figure: `append by reference, ${of}`, value: result.appendPerSecond, unit: 'samples/s' };
    yield { figure: `append by raw bytes, ${of}`, value: result.rawPerSecond, unit: 'samples/s' };
    yield { figure: `resident per series, ${of}`, value: result.residentPerSeries, unit: 'bytes' };
    yield { figure: `  before collection, ${of}`, value: result.garbageIncluded, unit: 'bytes' };
    for (const [name, bytes] of Object.entries(result.details))
      yield { figure: `  of it ${name}, ${of}`, value: bytes, unit: 'bytes/series' };
  }
  const most = sizes.at(-1) as number;
  const jittered = await inChild(most, 8);
  const of = `${most.toLocaleString('en')} series, timestamps off by 0-7 ms`;
  yield { figure: `append by reference, ${of}`, value: jittered.appendPerSecond, unit: 'samples/s' };
  yield { figure: `resident per series, ${of}`, value: jittered.residentPerSeries, unit: 'bytes' };
  yield { figure: `  before collection, ${of}`, value: jittered.garbageIncluded, unit: 'bytes' };
  yield { figure: '128 empty shards', value: (await inChild(0, 0)).residentPerSeries, unit: 'bytes' };
  yield* sealingFigures(most * 5);
}

if (process.argv[1] === import.meta.filename) {
  const series = Number(process.argv[2]);
  process.send?.(series === 0 ? measureEmpty() : measure(series, Number(process.argv[3])));
}
