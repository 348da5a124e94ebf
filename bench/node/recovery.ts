/**
 * SIGKILL with 10 M samples that are only in the log: how long a node, and a real Prometheus, takes until it is ready and
 * until every acknowledged sample is in an answer. 50 k series x 200 scrapes over remote write; the time in which
 * scrapes are missed is that of a whole restart, so the program's own start is in it.
 *
 * TORCHRING_BENCH_SERIES gives another size; TORCHRING_BENCH_ONLY names what is to be measured, separated by commas.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { systemClock } from '../../src/base/index.ts';
import { freePorts, peersDirectory } from '../../src/base/testing/peer.ts';
import type { Figure } from '../figure.ts';
import { feed } from '../peers/measure.ts';
import { type Peer, prometheus, torchringNode } from '../peers/peer.ts';
import { type PeerProcess, startProcess } from '../peers/process.ts';
import { type Recorded, recordRequests } from '../peers/requests.ts';
import { chosenSeries } from '../tsdb/support/size.ts';
import { DataSet } from '../workload/data_set.ts';

const series = chosenSeries(50_000);
const rounds = 200;
const intervalMs = 15_000;
const restarts = 3;
const goalMs = 2000;
const attemptsMax = 20;

interface RecoveryLoad extends Recorded {
  readonly path: string;
  readonly targets: number;
}

export default async function* recovery(): AsyncGenerator<Figure> {
  const only = process.env['TORCHRING_BENCH_ONLY']?.split(',');
  const peers = [torchringNode, prometheus].filter(
    ({ name, program }) => (only?.includes(name) ?? true) && isPresent(program),
  );
  const root = await mkdtemp(join(tmpdir(), 'torchring-bench-recovery-'));
  try {
    const path = join(root, 'requests');
    const startMs = systemClock.nowMs() - (rounds + 4) * intervalMs;
    const set = new DataSet({ series, startMs });
    const recorded = await recordRequests(path, set, rounds);
    const load = { ...recorded, path, targets: set.targets.length };
    for (const peer of peers) yield* afterKills(peer, load, root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function isPresent(program: string): boolean {
  return isAbsolute(program) || (peersDirectory !== '' && existsSync(join(peersDirectory, program)));
}

/** Killed again as soon as all is there: nothing that a start has done may be needed by the next. */
async function* afterKills(peer: Peer, load: RecoveryLoad, root: string): AsyncGenerator<Figure> {
  const directory = join(root, peer.name.replaceAll(' ', '-'));
  const start = async (): Promise<PeerProcess> => {
    const [port = 0] = await freePorts(1);
    const flags = await peer.flags(directory, port);
    const { program, readyPath } = peer;
    return startProcess({ program, flags, port, readyPath, logFile: `${directory}.log` });
  };
  let running = await start();
  try {
    await feed(peer, running, load);
    const ready: number[] = [];
    const complete: number[] = [];
    for (let k = 0; k < restarts; k++) {
      await running.kill();
      const beganMs = performance.now();
      running = await start();
      ready.push(running.readyMs);
      await untilComplete(running, load);
      complete.push(performance.now() - beganMs);
    }
    const of = `${peer.name}: ${(load.samples / 1e6).toFixed(1)} M samples after SIGKILL`;
    const goal = peer === torchringNode ? ` (goal, at most: ${goalMs})` : '';
    yield { figure: `${of}, ready${goal}`, value: Math.min(...ready), unit: 'ms' };
    yield { figure: `${of}, all in an answer`, value: Math.min(...complete), unit: 'ms' };
  } finally {
    await running.stop();
  }
}

/** Counts a series of each target, all of its samples; throws when they stay fewer than what was acknowledged. */
async function untilComplete(running: PeerProcess, { lastTimeMs, targets }: RecoveryLoad): Promise<void> {
  const query = `sum(count_over_time(up[${rounds * 2 * (intervalMs / 1000)}s]))`;
  const form = new URLSearchParams({ query, time: `${lastTimeMs / 1000}` });
  const wanted = targets * rounds;
  for (let attempts = 0; ; attempts++) {
    const response = await fetch(`${running.url}/api/v1/query`, { method: 'POST', body: form });
    const text = await response.text();
    const answer = JSON.parse(text) as {
      readonly data?: { readonly result: readonly { readonly value: readonly [number, string] }[] };
    };
    if (Number(answer.data?.result[0]?.value[1] ?? 0) === wanted) return;
    if (attempts === attemptsMax) throw new Error(`not ${wanted} samples of up: ${text.slice(0, 300)}`);
  }
}
