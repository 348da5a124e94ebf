/** Starts a real Prometheus or Alertmanager out of TORCHRING_PEERS_DIR, to compare its answers with ours. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Empty without peers. */
export const peersDirectory: string = process.env['TORCHRING_PEERS_DIR'] ?? '';
/** For node:test: the reason why peers are not tested, or false. */
export const skipWithoutPeers: string | false =
  peersDirectory === '' ? 'TORCHRING_PEERS_DIR is not set: nothing is compared with real peers' : false;

export interface Peer {
  readonly port: number;
  /** False when it ended before it was ready; `lastWords` say why. */
  readonly isUp: boolean;
  readonly lastWords: string;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
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

/** Runs the program with an own directory, in which `config` is written as config.yml. */
export async function startPeer(
  program: 'prometheus' | 'alertmanager',
  config: string,
  ready: RegExp,
  flags: (directory: string) => string[],
): Promise<Peer> {
  const directory = await mkdtemp(join(tmpdir(), 'torchring-peer-'));
  await writeFile(join(directory, 'config.yml'), config);
  const port = await freePort();
  const child = spawn(
    join(peersDirectory, program),
    [`--config.file=${directory}/config.yml`, `--web.listen-address=127.0.0.1:${port}`, ...flags(directory)],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const outcome = await waitFor(child, ready);
  return {
    port,
    ...outcome,
    async stop() {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await rm(directory, { recursive: true, force: true });
    },
  };
}
