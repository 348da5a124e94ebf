/**
 * A hundred exporters in one process, for `bench/node/scrape`: target k listens on 127.0.1.k. Their answers are rendered and
 * compressed beforehand, some per target, and given in turn, so that serving costs next to nothing and values change.
 *
 * Arguments: targets, series of each. Writes its port when all is ready; `GET /served` answers how many scrapes there were.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { DataSet, type Target } from '../../workload/data_set.ts';

const intervalMs = 1000;
/** Values come again after so many scrapes. */
const variants = 8;
/** Mean series of a target of the data set, guessed low: those beyond what is needed are left out. */
const spareFactor = 1.6;
/** Discovery adds these. */
const addedByScraping: ReadonlySet<string> = new Set(['cluster', 'instance', 'job']);

interface Exporter {
  readonly bodies: readonly { readonly plain: Buffer; readonly gzip: Buffer }[];
  next: number;
}

interface Source {
  readonly target: Target;
  /** Which of its series are shown, and as what. */
  readonly places: readonly number[];
  readonly names: readonly string[];
}

/** Takes whole targets of the set until there are so many series; two that differ in what scraping adds are one. */
function sourcesFrom(targets: Iterator<Target>, series: number): Source[] {
  const seen = new Set<string>();
  const sources: Source[] = [];
  while (seen.size < series) {
    const { value: target, done } = targets.next();
    if (done === true) throw new Error('the data set is too small');
    const places: number[] = [];
    const names: string[] = [];
    for (const [place, labels] of target.series.entries()) {
      if (isReport(labels.metricName)) continue;
      const name = labels.without(addedByScraping).toString();
      if (seen.has(name) || seen.size === series) continue;
      seen.add(name);
      places.push(place);
      names.push(name);
    }
    sources.push({ target, places, names });
  }
  return sources;
}

/** Written by the scraper about a target, not by the target. */
function isReport(metric: string): boolean {
  return metric === 'up' || metric.startsWith('scrape_');
}

/** Metrics stand together below their type, as client libraries write them. */
function render(sources: readonly Source[], timeMs: number): Buffer {
  const lines = sources.flatMap(({ target, places, names }) => {
    const { values } = target.scrape(timeMs);
    return names.map((name, i) => `${name} ${values[places[i] as number]}`);
  });
  lines.sort();
  let metric = '';
  const text = lines.map((line) => {
    const name = line.slice(0, line.search(/[{ ]/));
    const head = name === metric ? '' : `# HELP ${name} What it counts.\n# TYPE ${name} untyped\n`;
    metric = name;
    return head + line;
  });
  return Buffer.from(`${text.join('\n')}\n`);
}

function main(targetCount: number, series: number): void {
  const set = new DataSet({ series: targetCount * series * spareFactor, startMs: 0, intervalMs });
  const unused = set.targets.values();
  const exporters = Array.from({ length: targetCount }, (): Exporter => {
    const sources = sourcesFrom(unused, series);
    const bodies = Array.from({ length: variants }, (_, k) => render(sources, k * intervalMs));
    return { next: 0, bodies: bodies.map((plain) => ({ plain, gzip: gzipSync(plain) })) };
  });
  let served = 0;
  const server = createServer((request, response) => {
    if (request.url === '/served') return response.end(String(served));
    const exporter = exporters[Number(/^127\.0\.1\.(\d+)/.exec(request.headers.host ?? '')?.[1]) - 1];
    if (exporter === undefined) return response.writeHead(404).end();
    const { plain, gzip } = exporter.bodies[exporter.next++ % variants] as Exporter['bodies'][number];
    served++;
    const isCompressed = request.headers['accept-encoding']?.includes('gzip') === true;
    const body = isCompressed ? gzip : plain;
    return response
      .writeHead(200, {
        'content-type': 'text/plain; version=0.0.4; charset=utf-8',
        'content-length': body.length,
        ...(isCompressed ? { 'content-encoding': 'gzip' } : {}),
      })
      .end(body);
  });
  server.listen(0, '0.0.0.0', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
}

main(Number(process.argv[2]), Number(process.argv[3]));
