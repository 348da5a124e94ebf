/**
 * Runs the real programs out of TORCHRING_PEERS_DIR, to compare what they say with what we say. Each is a process of
 * its own that is ended by its process object.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Empty without peers. */
export const peersDirectory: string = process.env['TORCHRING_PEERS_DIR'] ?? '';
/** For node:test: why nothing is compared with real programs, or false when it can be. */
export const skipWithoutPeers: string | false =
  peersDirectory === ''
    ? 'SKIPPED: TORCHRING_PEERS_DIR is not set, nothing is compared with the real programs'
    : false;

const stopDeadlineMs = 10_000;

/** Ports of loopback that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports: number[] = [];
  for (const server of servers) {
    if (!server.listening) await once(server, 'listening');
    ports.push((server.address() as AddressInfo).port);
  }
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return ports;
}

/** Resolves when the process is gone; one that does not go by itself is killed after ten seconds. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  const late = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs);
  await exit;
  clearTimeout(late);
}

export interface Peer {
  readonly port: number;
  /** Its web listener, host:port. */
  readonly address: string;
  /** False when it ended before it was ready; `lastWords` say why. */
  readonly isUp: boolean;
  readonly lastWords: string;
  stop(): Promise<void>;
}

export interface PeerOptions {
  /** What the program prints when it is ready; in the standard error. */
  readonly ready: RegExp;
  /** The text of its configuration file, for programs that have one. */
  readonly config?: string;
  /** Further flags; the directory is the program's own, and gone when it is stopped. */
  readonly flags?: (directory: string) => readonly string[];
}

/** Resolves at the first line that matches `ready`, or at the end; the last line is returned. */
async function waitFor(child: ChildProcess, ready: RegExp): Promise<{ isUp: boolean; lastWords: string }> {
  let lastWords = '';
  for await (const line of createInterface({ input: child.stderr as NodeJS.ReadableStream })) {
    lastWords = line;
    if (!ready.test(line)) continue;
    child.stderr?.resume();
    return { isUp: true, lastWords };
  }
  return { isUp: false, lastWords };
}

/** Starts a program with its web listener at a port of its own; resolves when it is ready, or has ended. */
export async function startPeer(program: string, options: PeerOptions): Promise<Peer> {
  const { ready, config, flags = () => [] } = options;
  const directory = await mkdtemp(join(tmpdir(), 'torchring-peer-'));
  const configFile = join(directory, 'config.yml');
  if (config !== undefined) await writeFile(configFile, config);
  const [port = 0] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const configFlags = config === undefined ? [] : [`--config.file=${configFile}`];
  const child = spawn(
    join(peersDirectory, program),
    [...configFlags, `--web.listen-address=${address}`, ...flags(directory)],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const outcome = await waitFor(child, ready);
  return {
    port,
    address,
    ...outcome,
    async stop() {
      await endProcess(child, 'SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
  };
}
