/** One node as a process, for tests that talk HTTP to it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { endProcess, freePorts } from '../../src/base/testing/peer.ts';
import { until } from '../scenario/api.ts';

const torchring = fileURLToPath(new URL('../../bin/torchring', import.meta.url));
const readyDeadlineMs = 60_000;

export interface HttpNode {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly data: string;
  readonly log: () => string;
  stop(): Promise<void>;
}

/** Starts it, with an empty configuration unless another is given, and waits until it is ready. It ends with the test. */
export async function startNode(
  context: Pick<TestContext, 'after'>,
  flags: readonly string[] = [],
  data?: string,
  configText = 'global: {}\n',
): Promise<HttpNode> {
  const folder = mkdtempSync(join(tmpdir(), 'torchring-http-'));
  const config = join(folder, 'prometheus.yml');
  writeFileSync(config, configText);
  const [port, alertmanager, cluster] = (await freePorts(3)) as [number, number, number];
  const logFile = join(folder, 'log');
  const path = data ?? join(folder, 'data');
  const out = openSync(logFile, 'a');
  const arguments_ = [
    torchring,
    'node',
    `--config.file=${config}`,
    `--storage.tsdb.path=${path}`,
    `--web.listen-address=127.0.0.1:${port}`,
    `--alertmanager.listen-address=127.0.0.1:${alertmanager}`,
    `--cluster.listen-address=127.0.0.1:${cluster}`,
    '--web.enable-remote-write-receiver',
    ...flags,
  ];
  const child = spawn(process.execPath, arguments_, { stdio: ['ignore', out, out] });
  const log = (): string => readFileSync(logFile, 'utf8').slice(-3000);
  context.after(async () => {
    await endProcess(child, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await until(`a node is ready: ${url}`, readyDeadlineMs, async () => {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${log()}`);
    return (await fetch(`${url}/-/ready`)).ok ? true : undefined;
  });
  return { url, port, pid: child.pid as number, data: path, log, stop: () => endProcess(child, 'SIGTERM') };
}
