/**
 * How fast an exposition becomes a batch: a realistic one (histograms, several labels, help and type lines) of
 * some ten thousand series, scraped again and again with other values, as a target does. `first` is a target that
 * was never seen, `steady` one that exposes the same series each time.
 */
import type { ScrapeConfig, ScrapeLoop } from '../../src/scrape/index.ts';
import { clientOf, loopOver, scrapeConfig } from '../../src/scrape/testing/fixtures.ts';
import {
  bucket,
  exposition as concatenated,
  double,
  family,
  int,
  label,
  message,
  nativeFields,
  types,
} from '../../src/scrape/testing/proto_writer.ts';
import type { Figure } from '../figure.ts';

const protobuf = 'application/vnd.google.protobuf';
const runs = 7;
const scrapesPerRun = 10;
const bounds = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '+Inf'];

/** About 12,000 samples, 1.3 MB; `round` changes the values. */
function exposition(round: number): Uint8Array {
  const lines: string[] = [];
  for (let family = 0; family < 40; family++) {
    const name = `http_request_duration_${family}_seconds`;
    lines.push(
      `# HELP ${name} Time from the first byte of the request to the last of the answer.`,
      `# TYPE ${name} histogram`,
    );
    for (let handler = 0; handler < 16; handler++) {
      const labels = `handler="/api/v1/resource/${handler}",method="GET",code="200"`;
      for (const [i, bound] of bounds.entries()) {
        lines.push(`${name}_bucket{${labels},le="${bound}"} ${round * 100 + handler * i}`);
      }
      lines.push(
        `${name}_sum{${labels}} ${round * 17.03125 + handler / 7}`,
        `${name}_count{${labels}} ${round * 100}`,
      );
    }
  }
  for (let cpu = 0; cpu < 3000; cpu++) {
    lines.push(
      `node_cpu_seconds_total{cpu="${cpu % 64}",mode="mode_${cpu}"} ${(round * 1234.56 + cpu / 3).toFixed(2)}`,
    );
  }
  return new TextEncoder().encode(`${lines.join('\n')}\n`);
}

/** Seconds for `bodies`, one scrape each. */
async function seconds(loop: ScrapeLoop, scrapes: number): Promise<{ seconds: number; samples: number }> {
  let samples = 0;
  const beganMs = performance.now();
  for (let i = 0; i < scrapes; i++) {
    const result = await loop.scrape(1_700_000_000_000 + i * 15_000);
    if (result.health !== 'up') throw new Error(result.lastError);
    samples += result.counts.kept;
  }
  return { seconds: (performance.now() - beganMs) / 1000, samples };
}

/** The same by protobuf; native histograms where `isNative`, which are one sample each. */
function protobufExposition(round: number, isNative: boolean): Uint8Array {
  const families: Uint8Array[] = [];
  for (let number = 0; number < 40; number++) {
    const metrics: Uint8Array[][] = [];
    for (let handler = 0; handler < 16; handler++) {
      const labels = [
        label('code', '200'),
        label('handler', `/api/v1/resource/${handler}`),
        label('method', 'GET'),
      ];
      const buckets = isNative
        ? nativeFields
        : bounds.map((bound, i) =>
            bucket(Number(bound.replace('+Inf', 'Infinity')), round * 100 + handler * i),
          );
      const totals = isNative ? [] : [int(1, round * 100), double(2, round * 17.03125 + handler / 7)];
      metrics.push([...labels, message(7, ...totals, ...buckets)]);
    }
    families.push(family(`http_request_duration_${number}_seconds`, types.histogram, metrics));
  }
  const counters = Array.from({ length: isNative ? 0 : 3000 }, (_, cpu) => [
    label('cpu', String(cpu % 64)),
    label('mode', `mode_${cpu}`),
    message(3, double(1, round * 1234.56 + cpu / 3)),
  ]);
  families.push(family('node_cpu_seconds_total', types.counter, counters));
  return concatenated(...families);
}

interface Fastest {
  first: number;
  steady: number;
  steadyBytes: number;
}

async function fastestOf(
  bodies: readonly Uint8Array[],
  contentType: string,
  changes: Partial<ScrapeConfig> = {},
): Promise<Fastest> {
  const bytes = bodies[0]?.length ?? 0;
  const fastest = { first: 0, steady: 0, steadyBytes: 0 };
  for (let run = 0; run < runs; run++) {
    const client = clientOf(bodies, contentType);
    await using loop = await loopOver('bench:1', scrapeConfig(changes), { client });
    const first = await seconds(loop, 1);
    const steady = await seconds(loop, scrapesPerRun);
    fastest.first = Math.max(fastest.first, first.samples / first.seconds);
    fastest.steady = Math.max(fastest.steady, steady.samples / steady.seconds);
    fastest.steadyBytes = Math.max(fastest.steadyBytes, (bytes * scrapesPerRun) / steady.seconds);
  }
  return fastest;
}

export default async function* parse(): AsyncGenerator<Figure> {
  const rounds = Array.from({ length: scrapesPerRun + 1 }, (_, round) => round);
  const text = await fastestOf(rounds.map(exposition), 'text/plain');
  yield { figure: 'first scrape of a target', value: Math.round(text.first), unit: 'samples/s' };
  yield { figure: 'steady target', value: Math.round(text.steady), unit: 'samples/s' };
  yield { figure: 'steady target', value: text.steadyBytes / 1e6, unit: 'MB/s' };
  const custom = { convertClassicHistogramsToNhcb: true, scrapeNativeHistograms: true };
  const converted = await fastestOf(rounds.map(exposition), 'text/plain', custom);
  yield { figure: 'steady target, to custom buckets', value: converted.steadyBytes / 1e6, unit: 'MB/s' };
  const classic = rounds.map((round) => protobufExposition(round, false));
  const messages = await fastestOf(classic, protobuf);
  yield {
    figure: 'first scrape of a target, protobuf',
    value: Math.round(messages.first),
    unit: 'samples/s',
  };
  yield { figure: 'steady target, protobuf', value: Math.round(messages.steady), unit: 'samples/s' };
  yield { figure: 'steady target, protobuf', value: messages.steadyBytes / 1e6, unit: 'MB/s' };
  const natives = rounds.map((round) => protobufExposition(round, true));
  const { steady } = await fastestOf(natives, protobuf, { scrapeNativeHistograms: true });
  yield { figure: 'steady target, native histograms', value: Math.round(steady), unit: 'samples/s' };
}
