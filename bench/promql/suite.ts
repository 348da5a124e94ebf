/**
 * Queries over three metrics of 10,000 series each and two hours at 15 s, asked of a real Prometheus, of a node of ours, and
 * of our engine without HTTP, over columns in memory and over a store of 128 shards. All hold the same data; all answers
 * are whole, JSON included. Over HTTP the time of a query that selects nothing is taken off. Wall times are medians; CPU is
 * the mean of a run over all threads of the process, a collector's included: on a busy machine that is what to look at.
 *
 * TORCHRING_BENCH_ONLY names what is to be measured, separated by commas (Prometheus, node, memory, store);
 * TORCHRING_BENCH_QUERY is part of the names of the queries; TORCHRING_BENCH_TARGETS is how many targets there are.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/index.ts';
import { freePorts, peersDirectory } from '../../src/base/testing/peer.ts';
import type { Figure } from '../figure.ts';
import { feed } from '../peers/measure.ts';
import { type Peer, prometheus, torchringNode } from '../peers/peer.ts';
import { startProcess } from '../peers/process.ts';
import { recordRequests } from '../peers/requests.ts';
import { fromChild } from '../tsdb/support/child.ts';
import { intervalMs, QuerySet } from '../workload/query_set.ts';
import type { EngineLoad, EngineOver } from './support/engine_runs.ts';
import { askOverHttp } from './support/http_runs.ts';
import { leadMs, rangeMs } from './support/queries.ts';
import type { Timed } from './support/repeat.ts';

const targetsDefault = 100;
/** Data before the range and the range itself; the last round lies behind its end. */
const rounds = (leadMs + rangeMs) / intervalMs + 1;
const engineFile = join(import.meta.dirname, 'support/engine_runs.ts');

function isWanted(name: string): boolean {
  const only = process.env['TORCHRING_BENCH_ONLY'];
  return only === undefined || only.split(',').includes(name);
}

export default async function* suite(): AsyncGenerator<Figure> {
  const targets = Number(process.env['TORCHRING_BENCH_TARGETS'] ?? targetsDefault);
  // On whole minutes, and a little older than now.
  const endMs = Math.floor(systemClock.nowMs() / 60_000 - 1) * 60_000;
  const load: EngineLoad = { targets, startMs: endMs - rangeMs - leadMs, rounds, endMs };
  const real = new Map<string, Timed>();
  for await (const timed of overHttp('Prometheus', prometheus, load)) {
    real.set(timed.query, timed);
    yield* figures('Prometheus', timed);
  }
  for await (const timed of overHttp('node', torchringNode, load)) yield* figures('node', timed, real);
  for (const over of ['memory', 'store'] satisfies EngineOver[]) {
    if (!isWanted(over)) continue;
    const timed = fromChild<Timed>(engineFile, [over, JSON.stringify(load)]);
    for await (const one of timed) yield* figures(`engine, ${over}`, one, real);
  }
}

/** Wall and CPU time, each beside Prometheus', and how many times as fast that is. */
function* figures(who: string, timed: Timed, real?: ReadonlyMap<string, Timed>): Generator<Figure> {
  const peer = real?.get(timed.query);
  const rows = [
    { what: 'wall', value: timed.medianMs, theirs: peer?.medianMs },
    { what: 'CPU', value: timed.cpuMs, theirs: peer?.cpuMs },
  ];
  for (const { what, value, theirs } of rows) {
    const times = theirs === undefined ? '' : ` (${(theirs / value).toFixed(1)} x)`;
    yield {
      figure: `${timed.query}: ${who}, ${what}${times}`,
      value,
      unit: 'ms',
      ...(theirs === undefined ? {} : { peer: 'Prometheus', peerValue: theirs }),
    };
  }
}

async function* overHttp(name: string, peer: Peer, load: EngineLoad): AsyncGenerator<Timed> {
  const isThere =
    peer !== prometheus || (peersDirectory !== '' && existsSync(join(peersDirectory, peer.program)));
  if (!isWanted(name) || !isThere) return;
  const root = await mkdtemp(join(tmpdir(), 'torchring-bench-promql-'));
  try {
    const path = join(root, 'requests');
    await recordRequests(path, new QuerySet(load), load.rounds);
    const [port = 0] = await freePorts(1);
    const flags = await peer.flags(join(root, 'data'), port);
    const { program, readyPath } = peer;
    const running = await startProcess({ program, flags, port, readyPath, logFile: join(root, 'log') });
    try {
      await feed(peer, running, { path });
      yield* askOverHttp(running, load.endMs);
    } finally {
      await running.stop();
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
