/**
 * Attacks on one node at once: random requests, random and overwhelming bodies, endless bodies, clients that never finish
 * their request, hostile targets. It must answer every one with a status that is the client's fault or the moment's, go on
 * answering good ones, and stay within its memory.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { type RawRequest, rawHttp } from '../../../src/api/testing/raw_http.ts';
import { type Random, seededRandom } from '../../../src/base/index.ts';
import { type HttpNode, startNode } from '../../http/node.ts';
import { randomBody } from './bodies.ts';
import { serveHostile } from './hostile_targets.ts';
import { randomRequest } from './requests.ts';

const atOnce = 8;
const hostileTargets = 12;
const streamedBytes = 1e9;
/** Clients that are never done. */
const slowClients = 30;
const badMax = 20;

export interface AttackOptions {
  readonly seed: number;
  /** Requests and bodies; ends at whichever comes first. */
  readonly requestsMax: number;
  readonly minutesMax: number;
  /** Between streamed bodies of 1 GB. */
  readonly requestsPerStream: number;
  readonly onProgress?: (text: string) => void;
}

export interface AttackOutcome {
  readonly requests: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly scrapes: number;
  readonly residentBytes: { readonly start: number; readonly peak: number; readonly end: number };
  readonly slowestProbeMs: number;
  readonly bad: readonly string[];
}

const residentBytes = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

/** Of what the API answers with JSON or text. 0: it closed the connection before the body was there. */
const statusesExpected: ReadonlySet<number> = new Set([
  0, 200, 204, 400, 404, 405, 406, 408, 413, 415, 422, 431, 503,
]);

/** Writes as long as it is let, in chunks or with a length; resolves with the status, 0 when there was none. */
async function stream(port: number, path: string, isChunked: boolean): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => {
    answer += data.toString('latin1', 0, Math.max(0, 100 - answer.length));
  });
  socket.on('error', () => socket.destroy());
  const type = path.includes('otlp') ? 'application/json' : 'application/x-protobuf';
  const encoding = path.endsWith('write') ? 'Content-Encoding: snappy\r\n' : '';
  const length = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${streamedBytes}`;
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\n${encoding}${length}\r\n\r\n`);
  const piece = Buffer.alloc(1 << 20, '[');
  for (let sent = 0; sent < streamedBytes && !socket.destroyed && answer === ''; sent += piece.length) {
    const head = isChunked ? `${piece.length.toString(16)}\r\n` : '';
    socket.write(head);
    const isRoom = socket.write(piece);
    if (isChunked) socket.write('\r\n');
    if (!isRoom) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.destroy();
  return Number(answer.split(' ')[1] ?? 0);
}

/** Connections that say a little and then nothing, or a byte now and then. */
function slowLoris(port: number): Socket[] {
  return Array.from({ length: slowClients }, (_, i) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => socket.destroy());
    socket.on('data', () => undefined);
    const starts = [
      'GET /api/v1/query?query=1 HTTP/1.1\r\nHost: x\r\nX-Slow: ',
      'POST /api/v1/write HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\nContent-Length: 30000000\r\n\r\nx',
      'G',
    ];
    socket.write(starts[i % starts.length] ?? '');
    const timer = setInterval(() => socket.write('x'), 500);
    socket.on('close', () => clearInterval(timer));
    return socket;
  });
}

function judge(request: RawRequest, answer: Awaited<ReturnType<typeof rawHttp>>): string | undefined {
  const { method = 'GET', path } = request;
  const what = `${method} ${path.slice(0, 200)} (${request.body?.length ?? 0} bytes)`;
  const isJson =
    answer.headers.get('content-type') === 'application/json' && !answer.headers.has('content-encoding');
  if (!statusesExpected.has(answer.status)) return `${answer.status} ${what}: ${answer.body.slice(0, 200)}`;
  if (answer.status < 400 || !isJson || answer.body === '') return undefined;
  const { error } = JSON.parse(answer.body) as { error?: string };
  return typeof error === 'string' ? undefined : `${answer.status} ${what}: no error text`;
}

function configOf(port: number): string {
  const jobs = Array.from(
    { length: hostileTargets },
    (_, i) =>
      `- {job_name: "hostile-${i}", static_configs: [{targets: ["127.0.0.1:${port}"], labels: {i: "${i}"}}]${i % 2 === 0 ? ', body_size_limit: 50MB, sample_limit: 20000' : ''}}`,
  );
  return `global: {scrape_interval: 2s, scrape_timeout: 1s}\nscrape_configs:\n${jobs.join('\n')}\n`;
}

const streamPaths = ['/api/v1/write', '/api/v1/read', '/api/v1/otlp/v1/metrics', '/api/v1/query'];

/** Milliseconds a good request takes, or what it got instead. */
async function probe(node: HttpNode): Promise<number | string> {
  const start = performance.now();
  try {
    const answer = await fetch(`${node.url}/api/v1/query?query=1%2B1`, {
      signal: AbortSignal.timeout(30_000),
    });
    await answer.text();
    return answer.status === 200 ? performance.now() - start : `a good query got ${answer.status}`;
  } catch (error) {
    return `a good query got ${String(error)}: ${node.log()}`;
  }
}

async function batchOf(
  node: HttpNode,
  random: Random,
  note: (status: number, bad?: string) => void,
): Promise<void> {
  const requests = Array.from({ length: atOnce }, () =>
    random.below(3) === 0 ? randomBody(random) : randomRequest(random),
  );
  await Promise.all(
    requests.map(async (request) => {
      const answer = await rawHttp(node.port, request);
      note(answer.status, judge(request, answer));
    }),
  );
}

/** Ends with `context`. Stops early when a good request fails. */
export async function attack(
  context: Pick<TestContext, 'after'>,
  options: AttackOptions,
): Promise<AttackOutcome> {
  const { onProgress = () => undefined } = options;
  const random = seededRandom(options.seed);
  const targets = await serveHostile(seededRandom(options.seed + 1));
  context.after(() => {
    targets.close();
    targets.closeAllConnections();
  });
  const flags = ['--web.enable-admin-api', '--web.enable-otlp-receiver', '--query.timeout=5s'];
  const features = '--enable-feature=native-histograms,exemplar-storage';
  const config = configOf((targets.address() as AddressInfo).port);
  const node = await startNode(context, [...flags, features], undefined, config);
  const memory = { start: residentBytes(node.pid), peak: 0, end: 0 };
  const statuses: Record<string, number> = {};
  const bad: string[] = [];
  let [requests, slowestProbeMs, isAlive] = [0, 0, true];
  const note = (status: number, problem?: string): void => {
    requests++;
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (problem !== undefined) bad.push(problem);
  };
  const endMs = performance.now() + options.minutesMax * 60_000;
  let slow = slowLoris(node.port);
  for (let round = 0; isAlive && requests < options.requestsMax && performance.now() < endMs; round++) {
    await batchOf(node, random, note);
    if (round % Math.ceil(options.requestsPerStream / atOnce) === 0) {
      note(
        await stream(node.port, streamPaths[random.below(streamPaths.length)] ?? '', random.below(2) === 0),
      );
      for (const socket of slow) socket.destroy();
      slow = slowLoris(node.port);
    }
    const probed = await probe(node);
    if (typeof probed === 'number') slowestProbeMs = Math.max(slowestProbeMs, probed);
    else bad.push(probed);
    isAlive = typeof probed === 'number' && bad.length < badMax;
    if (isAlive) memory.end = residentBytes(node.pid);
    memory.peak = Math.max(memory.peak, memory.end);
    if (round % 50 === 0) {
      onProgress(`${requests} requests, ${Math.round(memory.end / 1e6)} MB, ${bad.length} bad answers`);
    }
  }
  for (const socket of slow) socket.destroy();
  const scrapes = isAlive ? await scrapesOf(node) : 0;
  return { requests, statuses, scrapes, residentBytes: memory, slowestProbeMs, bad };
}

/** How many scrapes of hostile targets there were, by what `up` has. */
async function scrapesOf(node: HttpNode): Promise<number> {
  const query = encodeURIComponent('sum(count_over_time(up[1h]))');
  const answer = await fetch(`${node.url}/api/v1/query?query=${query}`);
  const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
  return Number(data.result[0]?.value[1] ?? 0);
}
