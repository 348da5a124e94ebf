/**
 * What samples cost in sealed pages: bytes per sample as the codec leaves them (in memory) and in a finished page, and
 * the speed both ways, for each kind of series that a node scrapes. A page holds 64 series of 2 h at 15 s; scrapes are a
 * few ms off their time, and eight series of one target share them. Decoding is measured over opened pages, since those are cached.
 */
import { ByteWriter, seededRandom } from '../../src/base/index.ts';
import { decodeTimestamps, encodeTimestamps } from '../../src/tsdb/codec/timestamps.ts';
import { decodeValues, encodeValues } from '../../src/tsdb/codec/values.ts';
import { openPage, type Page } from '../../src/tsdb/page/page.ts';
import { PageBuilder } from '../../src/tsdb/page/page_builder.ts';
import { TimesColumns } from '../../src/tsdb/page/times_columns.ts';
import type { Figure } from '../figure.ts';

const seriesCount = 64;
const seriesPerTarget = 8;
const samples = 480;
const intervalMs = 15_000;
const jitterMs = 6;
const startMs = 1_700_000_000_000;
const measureMs = 250;
const random = seededRandom(4);

/** Sum of twelve uniform numbers, less its mean: near enough to normal. */
function normal(): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random.next();
  return sum;
}

const rounded = (value: number, decimals: number): number => Number(value.toFixed(decimals));

/** What makes one series of a kind: a function from the sample's number to its value. */
type Series = () => (i: number) => number;

const kinds: Readonly<Record<string, Series>> = {
  'counter of requests': () => {
    let total = Math.floor(random.next() * 1e6);
    const rate = 5 + random.next() * 100;
    return () => {
      total += Math.max(0, Math.round(rate + Math.sqrt(rate) * normal()));
      return total;
    };
  },
  'counter of bytes': () => {
    let total = Math.floor(random.next() * 1e12);
    return () => {
      total += Math.floor(Math.abs(1e6 + 2e5 * normal()));
      return total;
    };
  },
  'counter of CPU seconds': () => {
    let total = random.next() * 1e5;
    return () => {
      total += Math.abs(6 + normal());
      return rounded(total, 2);
    };
  },
  'bucket of a histogram': () => {
    let total = Math.floor(random.next() * 1e4);
    const chance = random.next() * 0.5;
    return () => {
      if (random.next() < chance) total += 1 + Math.floor(random.next() * 3);
      return total;
    };
  },
  'sum of a histogram': () => {
    let total = random.next() * 1e4;
    return () => {
      total += random.next();
      return total;
    };
  },
  'gauge of noise': () => {
    const level = 20 + random.next() * 60;
    return () => rounded(level + 2 * normal(), 2);
  },
  'gauge of memory': () => {
    let pages = Math.floor(random.next() * 1e5) + 1e5;
    return () => {
      if (random.next() < 0.7) pages += Math.round(normal() * 40);
      return pages * 4096;
    };
  },
  'gauge of ratio': () => {
    const level = random.next();
    return () => level + normal() / 50;
  },
  'gauge of a small set': () => () => (random.next() < 0.1 ? 1 : 0) + (random.next() < 0.05 ? 2 : 0),
  'gauge set rarely': () => {
    let level = random.next();
    return () => {
      if (random.next() < 0.03) level = random.next();
      return level;
    };
  },
  integers: () => {
    const level = Math.floor(random.next() * 300);
    return () => Math.round(level + 8 * normal());
  },
  constant: () => {
    const level = random.next();
    return () => level;
  },
};

interface Column {
  readonly times: Float64Array;
  readonly values: Float64Array;
}

function columnsOf(series: Series): Column[] {
  let times = new Float64Array(0);
  return Array.from({ length: seriesCount }, (_, i) => {
    if (i % seriesPerTarget === 0) {
      const offset = Math.floor(random.next() * intervalMs);
      times = Float64Array.from({ length: samples }, (_, s) =>
        Math.round(startMs + offset + s * intervalMs + jitterMs * random.next()),
      );
    }
    const next = series();
    return { times, values: Float64Array.from({ length: samples }, (_, s) => next(s)) };
  });
}

/** Samples per second of `run`, which handles `perRun`: the best of several stretches. */
function rate(perRun: number, run: () => void): number {
  let best = 0;
  for (let stretch = 0; stretch < 4; stretch++) {
    const startedMs = performance.now();
    let runs = 0;
    let elapsedMs = 0;
    while (elapsedMs < measureMs / 4) {
      run();
      runs++;
      elapsedMs = performance.now() - startedMs;
    }
    best = Math.max(best, (runs * perRun * 1000) / elapsedMs);
  }
  return best;
}

function buildPage(columns: readonly Column[]): Uint8Array<ArrayBuffer> {
  const builder = new PageBuilder();
  for (const [i, column] of columns.entries()) builder.add(i, column, 0, samples);
  return builder.finish();
}

/** Times once for each block, values into new memory, as a selection reads them. */
function readWhole(page: Page): void {
  const values = new Float64Array(page.count * samples);
  const times = new Map<number, Float64Array>();
  const shared = new TimesColumns();
  for (let i = 0; i < page.count; i++) {
    page.values(i, values, i * samples);
    const key = page.timesKey(i);
    if (!times.has(key)) times.set(key, page.times(i, shared));
  }
}

function* figuresOf(kind: string, columns: readonly Column[]): Generator<Figure> {
  const all = columns.length * samples;
  const sink = new ByteWriter(2 ** 20);
  const encode = (): void => {
    sink.reset();
    for (const { values } of columns) encodeValues(values, 0, samples, sink);
  };
  encode();
  yield { figure: `${kind}: values encoded`, value: sink.length / all, unit: 'bytes/sample' };
  const bytes = buildPage(columns);
  yield { figure: `${kind}: page`, value: bytes.length / all, unit: 'bytes/sample' };
  yield { figure: `${kind}: encode values`, value: rate(all, encode) / 1e6, unit: 'M samples/s' };
  const encoded = sink.finish();
  const out = new Float64Array(samples);
  const decode = (): void => {
    let at = 0;
    for (let i = 0; i < columns.length; i++) at = decodeValues(encoded, at, samples, out, 0);
  };
  yield { figure: `${kind}: decode values`, value: rate(all, decode) / 1e6, unit: 'M samples/s' };
  const page = openPage(bytes);
  const read = (): void => readWhole(page);
  yield { figure: `${kind}: read opened page`, value: rate(all, read) / 1e6, unit: 'M samples/s' };
}

function* timesFigures({ times }: Column): Generator<Figure> {
  const sink = new ByteWriter(1024);
  const encode = (): void => {
    sink.reset();
    encodeTimestamps(times, 0, samples, sink);
  };
  encode();
  yield { figure: 'times: encoded', value: sink.length / samples, unit: 'bytes/sample' };
  yield { figure: 'times: encode', value: rate(samples, encode) / 1e6, unit: 'M samples/s' };
  const out = new Float64Array(samples);
  const bytes = sink.finish();
  const decode = (): void => {
    decodeTimestamps(bytes, 0, samples, out, 0);
  };
  yield { figure: 'times: decode', value: rate(samples, decode) / 1e6, unit: 'M samples/s' };
}

/** All kinds in one store: what a node's pages come to. */
function* mixFigures(all: readonly (readonly Column[])[]): Generator<Figure> {
  const pages = all.map(buildPage);
  const total = all.length * seriesCount * samples;
  const bytes = pages.reduce((sum, page) => sum + page.length, 0);
  yield { figure: 'all kinds: pages', value: bytes / total, unit: 'bytes/sample' };
  const build = (): void => {
    for (const columns of all) buildPage(columns);
  };
  yield { figure: 'all kinds: build pages', value: rate(total, build) / 1e6, unit: 'M samples/s' };
  const open = (): void => {
    for (const page of pages) openPage(page);
  };
  yield { figure: 'all kinds: open pages', value: rate(total, open) / 1e6, unit: 'M samples/s' };
  const opened = pages.map(openPage);
  const read = (): void => {
    for (const page of opened) readWhole(page);
  };
  const speed = rate(total, read);
  yield { figure: 'all kinds: read opened pages', value: speed / 1e6, unit: 'M samples/s' };
  yield { figure: 'all kinds: read opened pages', value: (speed * 16) / 1e6, unit: 'MB/s' };
}

export default async function* codec(): AsyncGenerator<Figure> {
  const all = Object.entries(kinds).map(([kind, series]) => ({ kind, columns: columnsOf(series) }));
  const [first] = all;
  if (first?.columns[0] !== undefined) yield* timesFigures(first.columns[0]);
  for (const { kind, columns } of all) yield* figuresOf(kind, columns);
  yield* mixFigures(all.map(({ columns }) => columns));
}
