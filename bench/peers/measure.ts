/**
 * Feeds recorded requests into a peer, one after the other as fast as it takes them, and measures it. So the time of hours
 * passes in a minute: what a peer does by the clock (VictoriaMetrics' merges, the collector's idle work) has less of it than
 * in a real day, and CPU per sample tells more of the write path than of the background.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../src/base/testing/peer.ts';
import type { Figure } from '../figure.ts';
import type { Measured, Peer } from './peer.ts';
import { type PeerProcess, startProcess, type Usage } from './process.ts';
import { readRequests } from './requests.ts';

export interface Load {
  readonly path: string;
  readonly series: number;
  readonly targets: number;
  readonly samples: number;
  readonly lastTimeMs: number;
}

type Row = Pick<Figure, 'figure' | 'value' | 'unit'>;

/** What the peer takes for the load; its folder is gone afterwards. */
export async function* measurePeer(peer: Peer, load: Load): AsyncGenerator<Row> {
  const root = await mkdtemp(join(tmpdir(), 'torchring-bench-peer-'));
  const directory = join(root, 'data');
  const start = async (): Promise<PeerProcess> => {
    const [port = 0] = await freePorts(1);
    const flags = await peer.flags(directory, port);
    const { program, readyPath } = peer;
    return startProcess({ program, flags, port, readyPath, logFile: join(root, 'log') });
  };
  const row = ({ what, value, unit }: Measured): Row => ({ figure: `${peer.name}: ${what}`, value, unit });
  let running = await start();
  try {
    const idle = running.usage();
    const beganMs = performance.now();
    await feed(peer, running, load);
    const seconds = (performance.now() - beganMs) / 1000;
    yield row({ what: 'taken in', value: load.samples / seconds, unit: 'samples/s' });
    yield* memoryRows(idle, running.usage(), load).map(row);
    await running.stop();
    for (const measured of await peer.stopped(directory, load.samples)) yield row(measured);
    running = await start();
    yield row({ what: 'ready again after a stop', value: running.readyMs, unit: 'ms' });
    await assertServes(running, load);
    for (const measured of await peer.settle(running.url, directory, load.samples)) yield row(measured);
  } finally {
    await running.stop();
    await rm(root, { recursive: true, force: true });
  }
}

export function memoryRows(
  idle: Usage,
  fed: Usage,
  { series, samples }: Pick<Load, 'series' | 'samples'>,
): Measured[] {
  const cpuSeconds = fed.cpuSeconds - idle.cpuSeconds;
  const growth = fed.residentBytes - idle.residentBytes;
  return [
    { what: 'CPU', value: cpuSeconds / (samples / 1e6), unit: 's/million samples' },
    { what: 'resident growth per series', value: growth / series, unit: 'bytes' },
    { what: 'resident when fed', value: fed.residentBytes / 1e6, unit: 'MB' },
    { what: 'resident at most', value: fed.peakBytes / 1e6, unit: 'MB' },
    { what: 'resident before', value: idle.residentBytes / 1e6, unit: 'MB' },
  ];
}

/** One request at a time: two in flight could overtake each other, and a series' samples would be out of order. */
export async function feed(peer: Peer, running: PeerProcess, load: Pick<Load, 'path'>): Promise<void> {
  const headers = {
    'content-encoding': 'snappy',
    'content-type': 'application/x-protobuf',
    'x-prometheus-remote-write-version': '0.1.0',
  };
  for await (const body of readRequests(load.path)) {
    const response = await fetch(`${running.url}${peer.writePath}`, { method: 'POST', headers, body });
    const text = await response.text();
    if (!response.ok) throw new Error(`${peer.name}: ${response.status} ${text.slice(0, 300)}`);
  }
}

/** What was acknowledged is there after the restart: the newest sample of each target. */
async function assertServes(running: PeerProcess, { targets, lastTimeMs }: Load): Promise<void> {
  const query = new URLSearchParams({ query: 'count(last_over_time(up[1m]))', time: `${lastTimeMs / 1000}` });
  const response = await fetch(`${running.url}/api/v1/query?${query}`);
  const answer = (await response.json()) as {
    readonly data?: { readonly result: readonly { readonly value: readonly [number, string] }[] };
  };
  const count = Number(answer.data?.result[0]?.value[1] ?? 0);
  if (count !== targets) throw new Error(`${running.url} has ${count} of ${targets} targets after a restart`);
}
