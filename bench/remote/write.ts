/**
 * What taking in remote write costs a server, from the socket to the log: 50 k series of the usual data set, as many rounds
 * as make four million samples, sent one request after the other to each server in turn, each with its default settings
 * (a node of ours with those of its launcher). CPU is that of the whole process, its start not included. Figures of one
 * run can be compared, those of different runs can't. TORCHRING_BENCH_SERIES gives another size.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { systemClock } from '../../src/base/index.ts';
import { freePorts, peersDirectory } from '../../src/base/testing/peer.ts';
import type { Figure } from '../figure.ts';
import { feed } from '../peers/measure.ts';
import { type Peer, prometheus, torchringNode, victoriaMetrics } from '../peers/peer.ts';
import { startProcess } from '../peers/process.ts';
import { recordRequests } from '../peers/requests.ts';
import { chosenSeries } from '../tsdb/support/size.ts';
import { DataSet } from '../workload/data_set.ts';

const seriesDefault = 50_000;
const samplesPerRun = 4_000_000;
/** Rounds that are sent before the measured ones: every series is new in the first, and code is compiled. */
const warmUpRounds = 8;
/** The data begin so long ago: servers refuse what is older than their retention, or yet to come. */
const agoMs = 3_600_000;
const goalOfPrometheus = 0.4;

interface Load {
  readonly warmUp: string;
  readonly path: string;
  readonly samples: number;
}

async function cpuPerMillion(peer: Peer, load: Load): Promise<number> {
  const root = await mkdtemp(join(tmpdir(), 'torchring-bench-write-'));
  const [port = 0] = await freePorts(1);
  const flags = await peer.flags(join(root, 'data'), port);
  const { program, readyPath } = peer;
  const running = await startProcess({ program, flags, port, readyPath, logFile: join(root, 'log') });
  try {
    await feed(peer, running, { path: load.warmUp });
    const before = running.usage();
    await feed(peer, running, load);
    return (running.usage().cpuSeconds - before.cpuSeconds) / (load.samples / 1e6);
  } finally {
    await running.stop();
    await rm(root, { recursive: true, force: true });
  }
}

function isPresent({ program }: Peer): boolean {
  return isAbsolute(program) || (peersDirectory !== '' && existsSync(join(peersDirectory, program)));
}

export default async function* bench(): AsyncGenerator<Figure> {
  const root = await mkdtemp(join(tmpdir(), 'torchring-bench-write-'));
  try {
    const series = chosenSeries(seriesDefault);
    const set = new DataSet({ series, startMs: systemClock.nowMs() - agoMs });
    const warmUp = join(root, 'warm-up');
    await recordRequests(warmUp, set, warmUpRounds);
    const path = join(root, 'requests');
    const { samples } = await recordRequests(path, set, Math.ceil(samplesPerRun / set.seriesCount));
    let ofPrometheus = Number.NaN;
    for (const peer of [prometheus, victoriaMetrics, torchringNode].filter(isPresent)) {
      const value = await cpuPerMillion(peer, { warmUp, path, samples });
      if (peer === prometheus) ofPrometheus = value;
      const goal =
        peer === torchringNode ? { peer: 'goal, at most', peerValue: ofPrometheus * goalOfPrometheus } : {};
      yield { figure: `${peer.name}: CPU, remote write 1.0`, value, unit: 's/million samples', ...goal };
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
