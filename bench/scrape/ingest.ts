/**
 * From bytes to a write batch, in the steady state: a target that exposes the same series scrape after scrape, and remote
 * write senders that send the same series again, either in equal requests or, as Prometheus' queues do, in requests
 * whose borders wander. Besides the speed it tells how many bytes are allocated per sample, buffers included: measured
 * in a child process whose young generation is so large that nothing is collected meanwhile.
 */
import { execFileSync } from 'node:child_process';
import { Labels, type WriteBatch } from '../../src/model/index.ts';
import { encodeRemoteWrite, RemoteWriteDecoder } from '../../src/remote/index.ts';
import type { ScrapeLoop } from '../../src/scrape/index.ts';
import { clientOf, loopOver, scrapeConfig } from '../../src/scrape/testing/fixtures.ts';
import type { Figure } from '../figure.ts';

const seriesCount = 12_000;
const requestSamples = 2_000;
const requestCount = 48;
const scrapesPerPass = 8;
const rounds = 20;
const speedRuns = 7;
const bodyBytesMax = 64 * 1024 * 1024;
const youngGenerationMb = 512;

/** One pass over a fixed amount of work. Returns the samples that it brought. */
type Pass = () => Promise<number> | number;

function exposition(round: number): Uint8Array {
  const lines: string[] = [];
  for (let i = 0; i < seriesCount; i++) {
    if (i % 100 === 0) lines.push(`# HELP m_${i} About it.`, `# TYPE m_${i} gauge`);
    const labels = `handler="/api/v1/resource/${i % 16}",method="GET",code="200",le="${i}"`;
    lines.push(`m_${i - (i % 100)}{${labels}} ${(round * 17.25 + i / 3).toFixed(3)}`);
  }
  return new TextEncoder().encode(`${lines.join('\n')}\n`);
}

function remoteBody(first: number, round: number): Uint8Array {
  const at = (i: number): number => (first + i) % seriesCount;
  const batch: WriteBatch = {
    series: Array.from({ length: requestSamples }, (_, i) =>
      Labels.fromRecord({
        __name__: `http_requests_${at(i) % 40}_total`,
        cluster: 'eu-west-1',
        code: '200',
        handler: `/api/v1/resource/${at(i) % 97}`,
        instance: `10.0.0.${Math.floor(at(i) / 200)}:9100`,
        job: 'api',
        method: 'GET',
        pod: `pod-${at(i)}`,
      }),
    ),
    refs: Uint32Array.from({ length: requestSamples }, (_, i) => i),
    timestamps: new Float64Array(requestSamples).fill(1_700_000_000_000 + round * 15_000),
    values: Float64Array.from({ length: requestSamples }, (_, i) => round * 17.25 + i / 3),
  };
  return encodeRemoteWrite(batch);
}

async function scrapes(): Promise<Pass> {
  const bodies = Array.from({ length: 4 }, (_, round) => exposition(round));
  const answers = (function* (): Generator<Uint8Array> {
    for (let i = 0; ; i++) yield bodies[i % bodies.length] as Uint8Array;
  })();
  const [contentType, get] = ['text/plain', (): Uint8Array => answers.next().value as Uint8Array];
  const client = {
    ...clientOf([]),
    get: () => Promise.resolve({ contentType, body: get() }),
  };
  const loop: ScrapeLoop = await loopOver('bench:1', scrapeConfig(), { client });
  let timestampMs = 1_700_000_000_000;
  return async () => {
    let samples = 0;
    for (let i = 0; i < scrapesPerPass; i++) {
      timestampMs += 15_000;
      const { counts, lastError, batch } = await loop.scrape(timestampMs);
      loop.release(batch);
      if (lastError !== '') throw new Error(lastError);
      samples += counts.kept;
    }
    return samples;
  };
}

/** Requests of `requestSamples` series, each `step` further along the series than the one before. */
function requests(step: number): Pass {
  const bodies = Array.from({ length: requestCount }, (_, i) => remoteBody(i * step, i));
  const decoder = new RemoteWriteDecoder({ sizeMax: bodyBytesMax, hashSeed: 1 });
  return () => {
    let samples = 0;
    for (const body of bodies) {
      const { batch } = decoder.decode(body);
      decoder.settled(batch, false);
      samples += batch.refs.length;
    }
    return samples;
  };
}

const passes: readonly (readonly [string, () => Promise<Pass> | Pass])[] = [
  ['scrape', scrapes],
  ['remote write, equal requests', () => requests(requestSamples)],
  ['remote write, wandering requests', () => requests(requestSamples / 8)],
];

async function speed(pass: Pass): Promise<number> {
  let fastest = 0;
  for (let run = 0; run < speedRuns; run++) {
    const beganMs = performance.now();
    let samples = 0;
    for (let round = 0; round < rounds / 4; round++) samples += await pass();
    fastest = Math.max(fastest, (samples * 1000) / (performance.now() - beganMs));
  }
  return fastest;
}

const heldBytes = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

async function allocated(pass: Pass): Promise<number> {
  // Buffers are given back only after the collection that finds them free.
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const before = heldBytes();
  const samples = await pass();
  return (heldBytes() - before) / samples;
}

/** In the child: prints its figures as JSON. */
async function measure(): Promise<void> {
  const figures: Figure[] = [];
  for (const [name, create] of passes) {
    const pass = await create();
    // Until everything is known and the code is optimised.
    for (let round = 0; round < rounds; round++) await pass();
    figures.push({ figure: `${name}: allocated`, value: await allocated(pass), unit: 'bytes/sample' });
    figures.push({ figure: name, value: Math.round(await speed(pass)), unit: 'samples/s' });
  }
  process.stdout.write(JSON.stringify(figures));
}

export default async function* ingest(): AsyncGenerator<Figure> {
  const semiSpace = [
    `--min-semi-space-size=${youngGenerationMb}`,
    `--max-semi-space-size=${youngGenerationMb}`,
  ];
  const child = execFileSync(process.execPath, ['--expose-gc', ...semiSpace, import.meta.filename]);
  yield* JSON.parse(child.toString()) as Figure[];
}

if (import.meta.main) await measure();
