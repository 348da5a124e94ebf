/** A node with nothing to do, started as a user starts it, and what the kernel says of its memory. For Linux. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../bin/torchring', import.meta.url));
const readyDeadlineMs = 60_000;
const readyIntervalMs = 10;
const stopDeadlineMs = 15_000;
const settleDeadlineMs = 30_000;
const readingIntervalMs = 500;
/** Memory has settled when so many readings in a row lie within `stillBytes`. */
const stillReadings = 10;
const stillBytes = 1_000_000;

/** Whether this kernel tells what a process keeps resident and which children it has. */
export const canMeasure: boolean = existsSync('/proc/self/status') && existsSync(childrenFile(process.pid));

export interface IdleNode {
  /** From the start of the program to the first good answer of /-/ready. */
  readonly readyMs: number;
  /** Resident bytes of the node's process, once they have stopped changing. */
  settledBytes(): Promise<number>;
  /** The text of /metrics. */
  metrics(): Promise<string>;
  stop(): Promise<void>;
}

function childrenFile(pid: number): string {
  return `/proc/${pid}/task/${pid}/children`;
}

/** The process that is the node: the program's own, or its child where the launcher's Node is too old. */
function nodeProcess(pid: number): number {
  const child = Number.parseInt(readFileSync(childrenFile(pid), 'utf8'), 10);
  return Number.isNaN(child) ? pid : nodeProcess(child);
}

function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kibibytes === undefined) throw new Error(`/proc/${pid}/status has no VmRSS`);
  return Number(kibibytes) * 1024;
}

async function settledBytes(pid: number): Promise<number> {
  const readings: number[] = [];
  for (let waitedMs = 0; waitedMs < settleDeadlineMs; waitedMs += readingIntervalMs) {
    await sleep(readingIntervalMs);
    readings.push(residentBytes(pid));
    const last = readings.slice(-stillReadings);
    if (last.length === stillReadings && Math.max(...last) - Math.min(...last) <= stillBytes) break;
  }
  return readings.at(-1) ?? residentBytes(pid);
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports: number[] = [];
  for (const server of servers) {
    if (!server.listening) await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    if (address !== null && typeof address === 'object') ports.push(address.port);
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function untilReady(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadlineMs = performance.now() + readyDeadlineMs;
  while (performance.now() < deadlineMs) {
    if (child.exitCode !== null) throw new Error(`the node ended with ${child.exitCode}:\n${output()}`);
    const isReady = await fetch(`${url}/-/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return;
    await sleep(readyIntervalMs);
  }
  throw new Error(`the node was not ready in time:\n${output()}`);
}

/** Starts a node without targets in `directory`, with the defaults but for addresses; `cache` keeps compiled code. */
export async function startIdleNode(directory: string, cache: string): Promise<IdleNode> {
  const config = join(directory, 'prometheus.yml');
  writeFileSync(config, 'scrape_configs: []\n');
  const addresses = (await freePorts(3)).map((port) => `127.0.0.1:${port}`);
  const words = [
    'node',
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=${addresses[0]}`,
    `--alertmanager.listen-address=${addresses[1]}`,
    `--cluster.listen-address=${addresses[2]}`,
  ];
  const { NODE_OPTIONS: _options, ...inherited } = process.env;
  const env = { ...inherited, NODE_COMPILE_CACHE: cache };
  const startedMs = performance.now();
  const child = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
    await exited;
    clearTimeout(late);
  };
  const url = `http://${addresses[0]}`;
  try {
    await untilReady(url, child, () => output);
    const readyMs = performance.now() - startedMs;
    const pid = nodeProcess(child.pid ?? 0);
    return {
      readyMs,
      settledBytes: () => settledBytes(pid),
      metrics: async () => (await fetch(`${url}/metrics`)).text(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
