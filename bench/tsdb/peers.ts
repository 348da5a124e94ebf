/**
 * The same remote write requests into a real VictoriaMetrics and a real Prometheus (those of TORCHRING_PEERS_DIR; a missing
 * one is left out), into a node of ours, and into the storage engine alone: bytes per sample on disk, resident memory per
 * active series, CPU per sample, restart. Two loads: 20 k series x 4 h, in which Prometheus cuts a block, and 100 k series
 * x 25 min, in which memory shows.
 *
 * TORCHRING_BENCH_MINUTES, with TORCHRING_BENCH_SERIES and TORCHRING_BENCH_JITTER_MS, gives one load of one's own;
 * TORCHRING_BENCH_ONLY names what is to be measured, separated by commas.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { systemClock } from '../../src/base/index.ts';
import { peersDirectory } from '../../src/base/testing/peer.ts';
import type { Figure } from '../figure.ts';
import { measurePeer } from '../peers/measure.ts';
import { peers } from '../peers/peer.ts';
import { recordRequests } from '../peers/requests.ts';
import { measureTorchring } from '../peers/torchring.ts';
import { DataSet } from '../workload/data_set.ts';
import { chosenSeries, countText } from './support/size.ts';

const loads = [
  { series: 20_000, minutes: 240 },
  { series: 100_000, minutes: 25 },
];

function chosenLoads(): typeof loads {
  const minutes = Number(process.env['TORCHRING_BENCH_MINUTES'] ?? 0);
  return minutes > 0 ? [{ series: chosenSeries(20_000), minutes }] : loads;
}

function isWanted(name: string): boolean {
  const only = process.env['TORCHRING_BENCH_ONLY'];
  return only === undefined || only.split(',').includes(name);
}

function isPresent(program: string): boolean {
  return isAbsolute(program) || (peersDirectory !== '' && existsSync(join(peersDirectory, program)));
}

export default async function* comparison(): AsyncGenerator<Figure> {
  const present = peers.filter(({ name, program }) => isWanted(name) && isPresent(program));
  const root = await mkdtemp(join(tmpdir(), 'torchring-bench-requests-'));
  try {
    for (const { series, minutes } of chosenLoads()) {
      const of = `${countText(series)} x ${minutes} min`;
      // The newest sample is a little older than now: all of them refuse the future.
      const startMs = systemClock.nowMs() - (minutes + 1) * 60_000;
      const jitter = process.env['TORCHRING_BENCH_JITTER_MS'];
      const data = { series, startMs, ...(jitter !== undefined && { jitterMs: Number(jitter) }) };
      const set = new DataSet(data);
      const rounds = (minutes * 60_000) / set.intervalMs;
      const path = join(root, 'requests');
      const recorded = await recordRequests(path, set, rounds);
      yield { figure: `${of}: samples`, value: recorded.samples, unit: 'samples' };
      yield { figure: `${of}: sent`, value: recorded.bytes / recorded.samples, unit: 'bytes/sample' };
      const load = {
        ...recorded,
        path,
        data,
        rounds,
        series: set.seriesCount,
        targets: set.targets.length,
      };
      for (const measured of [
        ...present.map((peer) => measurePeer(peer, load)),
        ...(isWanted('Torchring engine') ? [measureTorchring(load)] : []),
      ]) {
        for await (const row of measured) yield { ...row, figure: `${of}: ${row.figure}` };
      }
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
