/**
 * Starts what the peers' tests run: the real programs out of TORCHRING_PEERS_DIR, and nodes of ours, each a process of
 * its own with its output in a file. Everything is stopped by its process object and removed at the test's end.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { endProcess, freePorts, peersDirectory } from '../../src/base/testing/peer.ts';
import { cluster, until } from '../scenario/api.ts';

export { freePorts, skipWithoutPeers } from '../../src/base/testing/peer.ts';

const torchring = fileURLToPath(new URL('../../bin/torchring', import.meta.url));
const startDeadlineMs = 60_000;

/** What starts things here ends them: a test, or a script that calls what it is given when it is done. */
export type Cleanup = Pick<TestContext, 'after'>;

/** A directory that is gone when the test is. */
export function testDirectory(context: Cleanup): string {
  const directory = mkdtempSync(join(tmpdir(), 'torchring-peers-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A running program and how to end it. */
export interface Program {
  readonly url: string;
  readonly address: string;
  readonly log: () => string;
  /** SIGKILL by default; resolves when the process is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

async function answers(url: string, child: ChildProcess, log: () => string): Promise<void> {
  await until(`${url} answers`, startDeadlineMs, async () => {
    if (child.exitCode !== null) return false;
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
    return response.ok ? true : undefined;
  });
  if (child.exitCode !== null) throw new Error(`the program ended with ${child.exitCode}: ${log()}`);
}

async function run(
  context: Cleanup,
  command: string,
  arguments_: readonly string[],
  options: { readonly port: number; readonly readyPath: string; readonly logFile: string },
): Promise<Program> {
  const out = openSync(options.logFile, 'a');
  const child = spawn(command, arguments_, { stdio: ['ignore', out, out] });
  const address = `127.0.0.1:${options.port}`;
  const log = (): string => readFileSync(options.logFile, 'utf8').slice(-2000);
  context.after(() => endProcess(child, 'SIGKILL'));
  await answers(`http://${address}${options.readyPath}`, child, log);
  return { url: `http://${address}`, address, log, stop: (signal = 'SIGKILL') => endProcess(child, signal) };
}

/**
 * Runs one of the real programs, with its web listener at `port`, and waits until `readyPath` answers. `wrapper` are the
 * words of a command that ends by executing the command after them.
 */
export function startReal(
  context: Cleanup,
  program: string,
  port: number,
  flags: readonly string[],
  readyPath = '/-/ready',
  wrapper: readonly string[] = [],
): Promise<Program> {
  const logFile = join(testDirectory(context), `${program}.log`);
  const [command = '', ...rest] = [...wrapper, join(peersDirectory, program)];
  const all = [...rest, `--web.listen-address=127.0.0.1:${port}`, ...flags];
  return run(context, command, all, { port, readyPath, logFile });
}

/** The output and exit code of one of the real command-line tools. */
export async function realTool(
  program: string,
  arguments_: readonly string[],
  input = '',
): Promise<{ exitCode: number; output: string }> {
  const done = promisify(execFile)(join(peersDirectory, program), arguments_);
  done.child.stdin?.end(input);
  try {
    const { stdout, stderr } = await done;
    return { exitCode: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { exitCode: code, output: stdout + stderr };
  }
}

/** A node of ours as a test sees it. */
export interface PeerNode extends Program {
  readonly id: string;
  /** Starts it again with the same arguments and data, after `stop`. */
  restart(): Promise<PeerNode>;
}

/** A cluster of ours over one configuration; resolves when it has a leader and every node is ready. */
export async function startCluster(
  context: Cleanup,
  count: number,
  configFile: string,
  flags: readonly string[] = [],
  wrapper: readonly string[] = [],
): Promise<PeerNode[]> {
  const ports = await freePorts(count * 3);
  return startNodes(context, ports, configFile, flags, wrapper);
}

/** The same with the Alertmanager's API of every node at an address of its own. */
export async function startClusterWithAlertmanager(
  context: Cleanup,
  count: number,
  configFile: string,
  alertmanagerFile: string,
): Promise<{ nodes: PeerNode[]; alertmanagers: string[] }> {
  const ports = await freePorts(count * 3);
  const flags = [`--alertmanager.config.file=${alertmanagerFile}`];
  const nodes = await startNodes(context, ports, configFile, flags);
  return { nodes, alertmanagers: ports.slice(2 * count).map((port) => `127.0.0.1:${port}`) };
}

/** Of `ports` the first third is for HTTP, the second for gRPC, the last for the Alertmanager's API. */
async function startNodes(
  context: Cleanup,
  ports: readonly number[],
  configFile: string,
  flags: readonly string[],
  wrapper: readonly string[] = [],
): Promise<PeerNode[]> {
  const count = ports.length / 3;
  const grpc = ports.slice(count, 2 * count);
  const nodes = await Promise.all(
    Array.from({ length: count }, (_, index) => {
      const directory = testDirectory(context);
      const port = ports[index] as number;
      const arguments_ = [
        'node',
        `--node.id=node-${index + 1}`,
        `--config.file=${configFile}`,
        `--storage.tsdb.path=${directory}`,
        `--web.listen-address=127.0.0.1:${port}`,
        `--alertmanager.listen-address=127.0.0.1:${ports[2 * count + index]}`,
        `--cluster.listen-address=127.0.0.1:${grpc[index]}`,
        `--cluster.expect=${count}`,
        ...grpc.filter((_, other) => other !== index).map((join) => `--cluster.join=127.0.0.1:${join}`),
        '--web.enable-remote-write-receiver',
        '--web.enable-lifecycle',
        ...flags,
      ];
      const options = { port, readyPath: '/-/ready', logFile: join(testDirectory(context), 'node.log') };
      const start = async (): Promise<PeerNode> => {
        const [command = '', ...rest] = [...wrapper, process.execPath, torchring, ...arguments_];
        const program = await run(context, command, rest, options);
        return { ...program, id: `node-${index + 1}`, restart: start };
      };
      return start();
    }),
  );
  await until('a leader that every node names', startDeadlineMs, async () => {
    const views = await Promise.all(nodes.map((node) => cluster(node.url)));
    const leader = views[0]?.leader ?? null;
    return leader !== null && views.every((view) => view.leader === leader) ? true : undefined;
  });
  return nodes;
}
