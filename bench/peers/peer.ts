/**
 * The peers, and a node of ours: how each is started, made to write everything, and what of its folder counts. Each runs with its default
 * settings, but for a retention that covers the data.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../src/base/testing/peer.ts';
import { bytesBelow } from './process.ts';

/** A measured part of a peer's folder. */
export interface Measured {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
}

export interface Peer {
  readonly name: string;
  readonly program: string;
  readonly readyPath: string;
  readonly writePath: string;
  flags(directory: string, port: number): Promise<string[]>;
  /** Brings all that was written into the form in which it stays, while the peer runs; then what there is to see. */
  settle(url: string, directory: string, samples: number): Promise<Measured[]>;
  /** Bytes of the folder of a peer that has stopped. */
  stopped(directory: string, samples: number): Promise<Measured[]>;
}

const mergeDeadlineMs = 120_000;

async function post(url: string): Promise<unknown> {
  const response = await fetch(url, { method: 'POST' });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text.slice(0, 300)}`);
  return text === '' ? undefined : JSON.parse(text);
}

async function metricOf(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

export const victoriaMetrics: Peer = {
  name: 'VictoriaMetrics',
  program: 'victoria-metrics',
  readyPath: '/health',
  writePath: '/api/v1/write',
  flags: async (directory, port) => [
    `-storageDataPath=${directory}`,
    `-httpListenAddr=127.0.0.1:${port}`,
    '-retentionPeriod=1y',
  ],
  async settle(url, directory, samples) {
    await fetch(`${url}/internal/force_flush`);
    await fetch(`${url}/internal/force_merge`);
    const endMs = performance.now() + mergeDeadlineMs;
    do await sleep(200);
    while ((await metricOf(url, 'vm_active_force_merges')) > 0 && performance.now() < endMs);
    return victoriaBytes(directory, samples, 'after a forced merge');
  },
  stopped: (directory, samples) => victoriaBytes(directory, samples, 'after a stop'),
};

/** Its caches on disk are no data. Where the index lies depends on the version. */
async function victoriaBytes(directory: string, samples: number, when: string): Promise<Measured[]> {
  const isCache = (file: string): boolean => file.startsWith(join(directory, 'cache'));
  const all = await bytesBelow(directory, (file) => !isCache(file));
  const index = await bytesBelow(directory, (file) => !isCache(file) && file.includes('/indexdb/'));
  return [
    { what: `disk ${when}, index included`, value: all / samples, unit: 'bytes/sample' },
    { what: `disk ${when}, without index`, value: (all - index) / samples, unit: 'bytes/sample' },
  ];
}

export const prometheus: Peer = {
  name: 'Prometheus',
  program: 'prometheus',
  readyPath: '/-/ready',
  writePath: '/api/v1/write',
  async flags(directory, port) {
    const config = `${directory}.yml`;
    await writeFile(config, 'global: {}\n');
    return [
      `--config.file=${config}`,
      `--storage.tsdb.path=${directory}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--storage.tsdb.retention.time=1y',
      '--web.enable-remote-write-receiver',
      '--web.enable-admin-api',
    ];
  },
  /** A snapshot holds all samples as blocks, those of its head, too: what its data takes once compacted. */
  async settle(url, directory, samples) {
    await post(`${url}/api/v1/admin/tsdb/snapshot?skip_head=false`);
    const snapshots = join(directory, 'snapshots');
    const snapshot = await bytesBelow(snapshots);
    const index = await bytesBelow(snapshots, (file) => file.endsWith('/index'));
    const held = await samplesOfBlocks(join(snapshots, (await readdir(snapshots))[0] as string));
    return [
      { what: 'disk as blocks (snapshot), index included', value: snapshot / held, unit: 'bytes/sample' },
      {
        what: 'disk as blocks (snapshot), without index',
        value: (snapshot - index) / held,
        unit: 'bytes/sample',
      },
      { what: 'samples in the snapshot', value: (held / samples) * 100, unit: '% of those sent' },
    ];
  },
  async stopped(directory, samples) {
    const all = await bytesBelow(directory, (file) => !file.includes('/snapshots/'));
    const log = await bytesBelow(join(directory, 'wal'));
    const head = await bytesBelow(join(directory, 'chunks_head'));
    return [
      { what: 'disk after a stop: blocks, head chunks, log', value: all / samples, unit: 'bytes/sample' },
      { what: 'of it log', value: log / samples, unit: 'bytes/sample' },
      { what: 'of it head chunks', value: head / samples, unit: 'bytes/sample' },
    ];
  },
};

async function samplesOfBlocks(directory: string): Promise<number> {
  let samples = 0;
  for (const block of await readdir(directory)) {
    const meta = JSON.parse(await readFile(join(directory, block, 'meta.json'), 'utf8')) as {
      readonly stats: { readonly numSamples: number };
    };
    samples += meta.stats.numSamples;
  }
  return samples;
}

const torchring = fileURLToPath(new URL('../../bin/torchring', import.meta.url));

/** A node alone, with its HTTP, its router and its workers. It seals by the age of its data, so that little is sealed here. */
export const torchringNode: Peer = {
  name: 'Torchring node',
  program: process.execPath,
  readyPath: '/-/ready',
  writePath: '/api/v1/write',
  async flags(directory, port) {
    const config = `${directory}.yml`;
    await writeFile(config, 'global: {}\n');
    const [alertmanager, cluster] = await freePorts(2);
    return [
      torchring,
      'node',
      `--config.file=${config}`,
      `--storage.tsdb.path=${directory}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--alertmanager.listen-address=127.0.0.1:${alertmanager}`,
      `--cluster.listen-address=127.0.0.1:${cluster}`,
      '--web.enable-remote-write-receiver',
    ];
  },
  settle: async () => [],
  async stopped(directory, samples) {
    const bytes = await bytesBelow(directory);
    return [{ what: 'disk after a stop: log and windows', value: bytes / samples, unit: 'bytes/sample' }];
  },
};

export const peers: readonly Peer[] = [victoriaMetrics, prometheus, torchringNode];
