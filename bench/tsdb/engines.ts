/**
 * The store engines against each other, each in a process of its own: appending as group commits do (a write of a few log
 * records of one scrape each, at the end of each shard's keys), with and without a sync; scanning all of it in order;
 * point reads of 64 KiB values as pages are read; what it takes on disk and in memory; and opening after a SIGKILL, which
 * is when an engine replays its own log. Records are what scrapes of noisy counters look like before compression.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { seededRandom, systemClock } from '../../src/base/index.ts';
import { encodeWriteBatch, Labels, WriteBatchBuilder } from '../../src/model/index.ts';
import {
  assertEngineLoads,
  type EngineName,
  engineNamed,
  engineNames,
  type KeyOperation,
  type StoreEngine,
} from '../../src/tsdb/index.ts';
import type { Figure } from '../figure.ts';

const shards = 16;
const seriesPerRecord = 200;
const recordsPerWrite = 8;
const writes = 1000;
const syncedWrites = 100;
const stallWrites = 50;
const pages = 500;
const pageBytes = 64 << 10;
const pageReads = 3000;
const everything = { from: Uint8Array.of(0), to: Uint8Array.of(0xff, 0xff) };

/** [shard | L | epoch | sequence] as in a store's log. */
function logKey(shard: number, sequence: number): Uint8Array {
  const key = new Uint8Array(15);
  const view = new DataView(key.buffer);
  view.setUint16(0, shard);
  view.setUint8(2, 0x4c);
  view.setUint32(3, 1);
  view.setBigUint64(7, BigInt(sequence));
  return key;
}

function pageKey(page: number): Uint8Array {
  const key = new Uint8Array(14);
  key[2] = 0x50;
  new DataView(key.buffer).setUint32(10, page);
  return key;
}

/** Writes of one record each of `recordsPerWrite` shards. */
function* logWrites(count: number, firstSequence: number): Generator<KeyOperation[]> {
  const random = seededRandom(1);
  const series = Array.from({ length: seriesPerRecord }, (_, i) =>
    Labels.fromRecord({
      __name__: `node_metric_${i % 50}_total`,
      instance: `host-${i % 7}:9100`,
      job: 'node',
      device: `${i}`,
    }),
  );
  const counters = new Float64Array(seriesPerRecord);
  for (let write = 0; write < count; write++) {
    const operations: KeyOperation[] = [];
    for (let i = 0; i < recordsPerWrite; i++) {
      const builder = new WriteBatchBuilder();
      for (let at = 0; at < seriesPerRecord; at++) {
        counters[at] = (counters[at] as number) + random.below(1000) / 8;
        builder.add(series[at] as Labels, write * 15_000, counters[at] as number);
      }
      const shard = (write * recordsPerWrite + i) % shards;
      const value = encodeWriteBatch(builder.finish());
      operations.push({ type: 'put', key: logKey(shard, firstSequence + write), value });
    }
    yield operations;
  }
}

// The collector on demand, so that garbage of this file is not taken for memory of an engine.
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What is resident beside JavaScript's own: the engine's buffers, caches and mapped files. */
async function nativeBytes(): Promise<number> {
  collectGarbage();
  // Bindings let go of what was collected in a later turn.
  for (let i = 0; i < 5; i++) await new Promise((done) => setImmediate(done));
  collectGarbage();
  const { rss, heapTotal, external } = process.memoryUsage();
  return rss - heapTotal - external;
}

async function folderBytes(path: string): Promise<number> {
  const sizes = await Promise.all(
    (await readdir(path)).map(async (name) => (await stat(join(path, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

const elapsedSince = (startedMs: number): number => systemClock.monotonicMs() - startedMs;

type Print = (figure: string, value: number, unit: string) => void;

const printLine: Print = (figure, value, unit) => {
  process.stdout.write(`${JSON.stringify({ figure, value, unit })}\n`);
};

/** The child's part of speed and disk. */
async function measure(path: string, engineName: EngineName, print: Print): Promise<void> {
  const prepared = [...logWrites(writes, 0)];
  const logBytes = prepared.flat().reduce((sum, op) => sum + (op.type === 'put' ? op.value.length : 0), 0);
  const engine = await engineNamed(engineName)(path);
  let startedMs = systemClock.monotonicMs();
  for (const operations of prepared) await engine.write(operations, false);
  print('append, not synced', logBytes / 1e6 / (elapsedSince(startedMs) / 1000), 'MB/s');
  print('longest stall of the thread by a synced write', await longestStall(engine), 'ms');
  startedMs = systemClock.monotonicMs();
  for (const operations of logWrites(syncedWrites, writes)) await engine.write(operations, true);
  print('append, each write synced', (syncedWrites / elapsedSince(startedMs)) * 1000, 'writes/s');
  startedMs = systemClock.monotonicMs();
  let scanned = 0;
  for await (const [, value] of engine.entries(everything)) scanned += value.length;
  print('scan of the log', scanned / 1e6 / (elapsedSince(startedMs) / 1000), 'MB/s');
  await readPages(engine, print);
  await engine.close();
  await (await engineNamed(engineName)(path)).close();
  print('disk, of what was written', (await folderBytes(path)) / (scanned + pages * pageBytes), 'bytes/byte');
}

/** The child's part of memory, with as little of this file's own as can be. */
async function measureMemory(path: string, engineName: EngineName, print: Print): Promise<void> {
  // Once before, so that the code that makes the records is loaded.
  for (const _ of logWrites(50, 0));
  const before = await nativeBytes();
  const engine = await engineNamed(engineName)(path);
  print('memory of an empty store', ((await nativeBytes()) - before) / 1e6, 'MB');
  for (const operations of logWrites(writes, 0)) await engine.write(operations, false);
  print('memory after appending', ((await nativeBytes()) - before) / 1e6, 'MB');
  let scanned = 0;
  for await (const [, value] of engine.entries(everything)) scanned += value.length;
  print(
    `memory after scanning ${Math.round(scanned / 1e6)} MB`,
    ((await nativeBytes()) - before) / 1e6,
    'MB',
  );
  await engine.close();
}

/** The longest that a turn of the event loop takes while synced writes are under way: what everybody else there feels. */
async function longestStall(engine: StoreEngine): Promise<number> {
  let longestMs = 0;
  let isWriting = true;
  let turnedMs = systemClock.monotonicMs();
  const turn = (): void => {
    longestMs = Math.max(longestMs, elapsedSince(turnedMs));
    turnedMs = systemClock.monotonicMs();
    if (isWriting) setImmediate(turn);
  };
  const [operations = []] = logWrites(1, 1_000_000);
  setImmediate(turn);
  for (let i = 0; i < stallWrites; i++) await engine.write(operations, true);
  isWriting = false;
  return longestMs;
}

async function readPages(engine: StoreEngine, print: Print): Promise<void> {
  const random = seededRandom(2);
  for (let page = 0; page < pages; page++) {
    const value = new Uint8Array(pageBytes);
    const words = new Uint32Array(value.buffer);
    for (let i = 0; i < words.length; i++) words[i] = random.below(2 ** 31);
    await engine.write([{ type: 'put', key: pageKey(page), value }], false);
  }
  const startedMs = systemClock.monotonicMs();
  for (let read = 0; read < pageReads; read += 16) {
    await engine.getMany(Array.from({ length: 16 }, () => pageKey(random.below(pages))));
  }
  print('point reads of 64 KiB, 16 at once', (pageReads / elapsedSince(startedMs)) * 1000, 'reads/s');
}

/** The child's part of recovery: writes without syncing until it is killed. */
async function writeForever(path: string, engineName: EngineName): Promise<void> {
  const engine = await engineNamed(engineName)(path);
  for (const operations of logWrites(writes, 0)) await engine.write(operations, false);
  process.stdout.write('written\n');
  // Keeps the process alive until it is killed.
  process.stdin.resume();
}

async function* runChild(role: string, path: string, engine: EngineName): AsyncGenerator<string> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), role, path, engine], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  for await (const line of createInterface(child.stdout)) {
    if (line === 'written') child.kill('SIGKILL');
    else yield line;
  }
  await exited;
}

async function recovery(path: string, engine: EngineName): Promise<number> {
  for await (const _ of runChild('fill', path, engine));
  const startedMs = systemClock.monotonicMs();
  const opened = await engineNamed(engine)(path);
  await opened.firstKey(everything);
  const spentMs = elapsedSince(startedMs);
  await opened.close();
  return spentMs;
}

export default async function* engines(): AsyncGenerator<Figure> {
  for (const engine of engineNames) {
    const isMissing = await assertEngineLoads(engine).then(
      () => false,
      () => true,
    );
    if (isMissing) continue;
    const root = await mkdtemp(join(tmpdir(), 'torchring-engines-'));
    try {
      for (const role of ['measure', 'memory']) {
        for await (const line of runChild(role, join(root, role), engine)) {
          const { figure, value, unit } = JSON.parse(line) as Figure;
          yield { figure: `${engine}: ${figure}`, value, unit };
        }
      }
      yield {
        figure: `${engine}: opening after a kill`,
        value: await recovery(join(root, 'kill'), engine),
        unit: 'ms',
      };
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  }
}

const [, script, role, path = '', engine = 'level'] = process.argv;
if (script === fileURLToPath(import.meta.url)) {
  if (role === 'fill') await writeForever(path, engine as EngineName);
  else if (role === 'memory') await measureMemory(path, engine as EngineName, printLine);
  else await measure(path, engine as EngineName, printLine);
}
