/**
 * How fast an exposition becomes a batch: a realistic one (histograms, several labels, help and type lines) of
 * some ten thousand series, scraped again and again with other values, as a target does. `first` is a target that
 * was never seen, `steady` one that exposes the same series each time.
 */
import type { ScrapeLoop } from '../../src/scrape/index.ts';
import { clientOf, loopOver, scrapeConfig } from '../../src/scrape/testing/fixtures.ts';
import type { Figure } from '../figure.ts';

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

export default async function* parse(): AsyncGenerator<Figure> {
  const bodies = Array.from({ length: scrapesPerRun + 1 }, (_, round) => exposition(round));
  const bytes = bodies[0]?.length ?? 0;
  const fastest = { first: 0, steady: 0, steadyBytes: 0 };
  for (let run = 0; run < runs; run++) {
    await using loop = await loopOver('bench:1', scrapeConfig(), { client: clientOf(bodies) });
    const first = await seconds(loop, 1);
    const steady = await seconds(loop, scrapesPerRun);
    fastest.first = Math.max(fastest.first, first.samples / first.seconds);
    fastest.steady = Math.max(fastest.steady, steady.samples / steady.seconds);
    fastest.steadyBytes = Math.max(fastest.steadyBytes, (bytes * scrapesPerRun) / steady.seconds);
  }
  yield { figure: 'first scrape of a target', value: Math.round(fastest.first), unit: 'samples/s' };
  yield { figure: 'steady target', value: Math.round(fastest.steady), unit: 'samples/s' };
  yield { figure: 'steady target', value: fastest.steadyBytes / 1e6, unit: 'MB/s' };
}
