/**
 * What scraping costs a server as a whole process, from the socket to the log: 100 targets of 1,000 series each, every
 * second, compressed as client libraries do it; Prometheus and a node of ours on the same targets, one after the other.
 * CPU is that of the time after the warm-up; what a second takes that goes by without a scrape is in it. Figures of one
 * run can be compared, those of different runs can't.
 *
 * TORCHRING_BENCH_SERIES gives another number of series; TORCHRING_BENCH_ONLY names what is to be measured, separated
 * by commas.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts, peersDirectory } from '../../src/base/testing/peer.ts';
import type { Figure } from '../figure.ts';
import { type Peer, prometheus, torchringNode } from '../peers/peer.ts';
import { type PeerProcess, startProcess } from '../peers/process.ts';
import { chosenSeries } from '../tsdb/support/size.ts';

const seriesPerTarget = 1000;
const targetCount = Math.max(1, Math.round(chosenSeries(100_000) / seriesPerTarget));
/** Until all is compiled and every series known. */
const warmUpMs = 20_000;
const measuredMs = 60_000;
/** Of the scrapes at the end. */
const upShareMin = 0.95;
const goalOfCpu = 0.4;
const goalOfMemory = 0.5;

interface Cost {
  readonly cpuPerMillion: number;
  readonly bytesPerSeries: number;
}

export default async function* scrape(): AsyncGenerator<Figure> {
  const only = process.env['TORCHRING_BENCH_ONLY']?.split(',');
  const targets = await startTargets();
  const root = await mkdtemp(join(tmpdir(), 'torchring-bench-scrape-'));
  try {
    let reference: Cost = { cpuPerMillion: Number.NaN, bytesPerSeries: Number.NaN };
    for (const peer of [prometheus, torchringNode]) {
      if (!isPresent(peer.program) || !(only?.includes(peer.name) ?? true)) continue;
      const cost = await costOf(peer, targets.port, root);
      const goal = (value: number): Partial<Figure> =>
        peer === torchringNode ? { peer: 'goal, at most', peerValue: value } : {};
      yield {
        figure: `${peer.name}: CPU`,
        value: cost.cpuPerMillion,
        unit: 's/million samples',
        ...goal(reference.cpuPerMillion * goalOfCpu),
      };
      yield {
        figure: `${peer.name}: resident growth per series`,
        value: cost.bytesPerSeries,
        unit: 'bytes',
        ...goal(reference.bytesPerSeries * goalOfMemory),
      };
      if (peer === prometheus) reference = cost;
    }
  } finally {
    targets.child.kill();
    await rm(root, { recursive: true, force: true });
  }
}

function isPresent(program: string): boolean {
  return isAbsolute(program) || (peersDirectory !== '' && existsSync(join(peersDirectory, program)));
}

async function startTargets(): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const program = join(import.meta.dirname, 'support/targets.ts');
  const child = spawn(process.execPath, [program, String(targetCount), String(seriesPerTarget)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const failed = once(child, 'exit').then(() => Promise.reject(new Error('the targets did not start')));
  failed.catch(() => undefined);
  const line = once(createInterface(child.stdout), 'line') as Promise<[string]>;
  const [port] = await Promise.race([line, failed]);
  return { child, port: Number(port) };
}

async function costOf(peer: Peer, targetsPort: number, root: string): Promise<Cost> {
  const directory = join(root, peer.name.replaceAll(' ', '-'));
  const [port = 0] = await freePorts(1);
  const flags = await peer.flags(directory, port);
  const { program, readyPath } = peer;
  const configFile = `${directory}.yml`;
  const start = (): Promise<PeerProcess> =>
    startProcess({ program, flags, port, readyPath, logFile: `${directory}.log` });
  const idle = await start();
  await sleep(warmUpMs / 4);
  const idleBytes = idle.usage().residentBytes;
  await idle.stop();
  await writeFile(configFile, configuration(targetsPort));
  const running = await start();
  try {
    await sleep(warmUpMs);
    const [before, servedBefore] = [running.usage(), await served(targetsPort)];
    await sleep(measuredMs);
    const [after, servedAfter] = [running.usage(), await served(targetsPort)];
    await assertMostlyUp(running);
    const samples = (servedAfter - servedBefore) * seriesPerTarget;
    return {
      cpuPerMillion: (after.cpuSeconds - before.cpuSeconds) / (samples / 1e6),
      bytesPerSeries: (after.residentBytes - idleBytes) / (targetCount * seriesPerTarget),
    };
  } finally {
    await running.stop();
  }
}

function configuration(port: number): string {
  const addresses = Array.from({ length: targetCount }, (_, k) => `'127.0.1.${k + 1}:${port}'`);
  return [
    'global: { scrape_interval: 1s, scrape_timeout: 1s, external_labels: { cluster: prod-eu-1 } }',
    'scrape_configs:',
    '  - job_name: api',
    `    static_configs: [{ targets: [${addresses.join(', ')}] }]`,
    '',
  ].join('\n');
}

async function served(port: number): Promise<number> {
  return Number(await (await fetch(`http://127.0.0.1:${port}/served`)).text());
}

/** A scrape that fails would be cheap. A busy machine misses the time-out now and then. */
async function assertMostlyUp({ url }: PeerProcess): Promise<void> {
  const query = 'sum(avg_over_time(up[30s]))';
  const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query })}`);
  const text = await response.text();
  const answer = JSON.parse(text) as {
    readonly data?: { readonly result: readonly { readonly value: readonly [number, string] }[] };
  };
  const up = Number(answer.data?.result[0]?.value[1] ?? 0);
  if (up < targetCount * upShareMin) {
    throw new Error(`${up} of ${targetCount} targets were up: ${text.slice(0, 300)}`);
  }
}
