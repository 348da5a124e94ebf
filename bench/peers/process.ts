/** A peer as a process: started, watched through /proc, stopped. For Linux. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { peersDirectory } from '../../src/base/testing/peer.ts';

const readyDeadlineMs = 120_000;
const readyIntervalMs = 10;
/** Stopping writes what is in memory. */
const stopDeadlineMs = 120_000;
/** Of /proc/PID/stat on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** What a process has used, by its kernel. */
export interface Usage {
  readonly residentBytes: number;
  /** Of these what is in no file, and what is mapped from files: the kernel takes that back when it wants. */
  readonly anonymousBytes: number;
  readonly fileBytes: number;
  readonly peakBytes: number;
  readonly cpuSeconds: number;
}

export function usageOf(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
  // The command's name, in parentheses, may hold blanks.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return {
    residentBytes: kilobytes('VmRSS') * 1024,
    anonymousBytes: kilobytes('RssAnon') * 1024,
    fileBytes: kilobytes('RssFile') * 1024,
    peakBytes: kilobytes('VmHWM') * 1024,
    cpuSeconds: ticks / ticksPerSecond,
  };
}

/** Sum of the sizes of the files below a folder that `counts`; 0 when there is no such folder. */
export async function bytesBelow(
  path: string,
  counts: (file: string) => boolean = () => true,
): Promise<number> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    const file = resolve(entry.parentPath, entry.name);
    if (entry.isFile() && counts(file)) bytes += (await stat(file)).size;
  }
  return bytes;
}

export interface PeerProcess {
  readonly url: string;
  /** From the start of the process until it answered that it is ready. */
  readonly readyMs: number;
  usage(): Usage;
  /** Asks it to end and waits until it has; kills it after two minutes. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

export interface PeerStart {
  /** In the folder of the peers, or an absolute path. */
  readonly program: string;
  readonly flags: readonly string[];
  readonly port: number;
  readonly readyPath: string;
  readonly logFile: string;
}

export async function startProcess(start: PeerStart): Promise<PeerProcess> {
  const out = openSync(start.logFile, 'a');
  const beganMs = performance.now();
  const child = spawn(resolve(peersDirectory, start.program), start.flags, { stdio: ['ignore', out, out] });
  const url = `http://127.0.0.1:${start.port}`;
  try {
    await untilReady(`${url}${start.readyPath}`, child);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    url,
    readyMs: performance.now() - beganMs,
    usage: () => usageOf(child.pid as number),
    stop: () => stopChild(child),
    kill: async () => {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
  await exit;
  clearTimeout(late);
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  const endMs = performance.now() + readyDeadlineMs;
  while (performance.now() < endMs) {
    if (child.exitCode !== null)
      throw new Error(`the program ended with ${child.exitCode} before it was ready`);
    const response = await fetch(url).catch(() => undefined);
    await response?.arrayBuffer();
    if (response?.ok === true) return;
    await sleep(readyIntervalMs);
  }
  throw new Error(`${url} did not answer in ${readyDeadlineMs} ms`);
}
