/**
 * `torchring local`: a whole cluster on this machine, every node a process of its own on loopback. Prints what a
 * newcomer needs and stays in the foreground; Ctrl-C stops all nodes. A node that dies is not started again: the
 * command to do so is printed, so that one can watch the others cope.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { delay, systemClock } from '../base/index.ts';
import {
  type LocalNode,
  type LocalOptions,
  localNodes,
  nodeArguments,
  selfScrapeConfig,
} from './local/layout.ts';
import { exampleQuery, lookAtCluster, type Readiness } from './local/wait.ts';

const startDeadlineMs = 60_000;
/** Targets of the user's own configuration may be down, or none: they are waited for no longer than this. */
const ownTargetsDeadlineMs = 10_000;
/** The exit code when a node could not start. */
const exitRefused = 2;
const lookIntervalMs = 500;
/** How long nodes may take to stop before they are killed. */
const stopDeadlineMs = 15_000;

const program = fileURLToPath(new URL('../../bin/torchring', import.meta.url));

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

interface RunningNode {
  readonly node: LocalNode;
  readonly child: ChildProcess;
  readonly arguments_: readonly string[];
}

/** Arguments as they can be pasted into a shell. */
function shellWords(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}

function startNode(node: LocalNode, all: readonly LocalNode[], options: LocalOptions): RunningNode {
  mkdirSync(node.dataPath, { recursive: true });
  const arguments_ = nodeArguments(node, all, options);
  const log = openSync(node.logFile, 'a');
  const child = spawn(process.execPath, [program, ...arguments_], { stdio: ['ignore', log, log] });
  return { node, child, arguments_ };
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null)
      resolve(String(child.signalCode ?? child.exitCode));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.once('error', (error) => resolve(error.message));
  });
}

/**
 * Waits until every node is ready and one leads, and for some time until all targets are up; undefined when the
 * time is over.
 */
async function waitUntilReady(
  nodes: readonly LocalNode[],
  targetsDeadlineMs: number,
  stop: AbortSignal,
): Promise<Readiness | undefined> {
  const startedMs = systemClock.monotonicMs();
  for (;;) {
    const seen = await lookAtCluster(nodes);
    const waitedMs = systemClock.monotonicMs() - startedMs;
    const isScraped = seen.targetsUp > 0 && seen.targetsUp === seen.targets && seen.hasExample;
    const isReady = seen.ready === nodes.length && seen.leader !== undefined;
    if (isReady && (isScraped || waitedMs > targetsDeadlineMs)) return seen;
    if (stop.aborted || waitedMs > startDeadlineMs) return undefined;
    await delay(systemClock, lookIntervalMs, stop);
  }
}

function printWelcome(running: readonly RunningNode[], seen: Readiness, options: LocalOptions): void {
  const first = running[0]?.node.httpPort ?? options.basePort;
  print('');
  print(
    `Torchring is up: ${running.length} nodes, led by ${seen.leader}, ${seen.targetsUp} of ${seen.targets} targets up.`,
  );
  print('');
  for (const { node, child } of running) {
    print(
      `  ${node.id}   http://localhost:${node.httpPort}   alerts http://localhost:${node.alertmanagerPort}   pid ${child.pid}`,
    );
  }
  print('');
  print('Ask any node, the answer is the same:');
  print(`  curl -s localhost:${first}/api/v1/query --data-urlencode 'query=${exampleQuery}'`);
  print('');
  print(`Data and logs   ${options.dataPath}`);
  print(`Configuration   ${options.configFile ?? join(options.dataPath, 'prometheus.yml')}`);
  print('Stop            Ctrl-C (the data stays; start again to go on)');
  print('');
}

function watchForDeath(running: RunningNode, stop: AbortSignal): void {
  const { node, child, arguments_ } = running;
  void exitOf(child).then((how) => {
    if (stop.aborted) return;
    print(`${node.id} (pid ${child.pid}) ended: ${how}. Its log is ${node.logFile}. To start it again:`);
    print(`  ${shellWords([program, ...arguments_])}`);
  });
}

/** Calls back when a node ends by itself rather than by a signal: what it was refused now it would be refused again. */
function onRefused(running: readonly RunningNode[], run: (one: RunningNode) => void): void {
  for (const one of running) {
    one.child.once('exit', (_code, signal) => {
      if (signal === null) run(one);
    });
  }
}

/** What a node said last about why it ended, from its log. */
function lastWords({ node }: RunningNode): string {
  const prefix = 'torchring: ';
  const line = readFileSync(node.logFile, 'utf8').trimEnd().split('\n').at(-1) ?? '';
  return line.startsWith(prefix) ? line.slice(prefix.length) : `see ${node.logFile}`;
}

async function stopAll(running: readonly RunningNode[]): Promise<void> {
  const exits = running.map(({ child }) => exitOf(child));
  for (const { child } of running) child.kill('SIGTERM');
  const late = systemClock.after(stopDeadlineMs, () => {
    for (const { child } of running) child.kill('SIGKILL');
  });
  await Promise.all(exits);
  late.cancel();
}

/** Resolves with the exit code once the cluster has been stopped by a signal, or could not start. */
export async function runLocal(given: LocalOptions): Promise<number> {
  // Absolute, so that what is printed works in any folder.
  const options = { ...given, dataPath: resolve(given.dataPath) };
  mkdirSync(options.dataPath, { recursive: true });
  const nodes = localNodes(options);
  if (options.configFile === undefined) {
    writeFileSync(join(options.dataPath, 'prometheus.yml'), selfScrapeConfig(nodes));
  }
  print(`Starting ${nodes.length} nodes ...`);
  const stop = new AbortController();
  const running = nodes.map((node) => startNode(node, nodes, options));
  const stopped = new Promise<void>((resolve) => {
    // Not once: on a terminal Ctrl-C comes to the whole group, and once more by way of the launcher.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  void stopped.then(() => stop.abort());
  let refused: RunningNode | undefined;
  let isStarting = true;
  onRefused(running, (one) => {
    if (!isStarting || stop.signal.aborted) return;
    refused = one;
    stop.abort();
  });
  for (const one of running) watchForDeath(one, stop.signal);

  const targetsDeadlineMs = options.configFile === undefined ? startDeadlineMs : ownTargetsDeadlineMs;
  const seen = await waitUntilReady(nodes, targetsDeadlineMs, stop.signal).catch((error: unknown) => {
    if (stop.signal.aborted) return undefined;
    throw error;
  });
  isStarting = false;
  if (refused !== undefined) {
    print(`${refused.node.id} could not start: ${lastWords(refused)}`);
    await stopAll(running);
    return exitRefused;
  }
  if (seen !== undefined) printWelcome(running, seen, options);
  else if (!stop.signal.aborted) {
    print(`The cluster is not ready after ${startDeadlineMs / 1000} s; see the logs in ${options.dataPath}.`);
  }
  const allGone = Promise.all(running.map(({ child }) => exitOf(child)));
  await Promise.race([stopped, allGone]);
  const onItsOwn = !stop.signal.aborted;
  stop.abort();
  print(onItsOwn ? 'All nodes have ended.' : 'Stopping ...');
  await stopAll(running);
  return onItsOwn ? 1 : 0;
}
