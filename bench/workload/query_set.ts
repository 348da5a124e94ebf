/**
 * The data that queries are measured on: 100 targets with 100 counters, 100 gauges, and 10 classic histograms of 10 buckets
 * each, so that each of the three metrics has 10,000 series; and one series about each target, for joins. Label sets are of
 * several sizes: half of the targets are pods, which carry more and longer labels than machines do. Follows from its seed
 * alone; all samples of a scrape have its time, which is a few milliseconds late.
 */
import { type Random, seededRandom } from '../../src/base/index.ts';
import { Labels } from '../../src/model/index.ts';
import type { Scrape, ScrapedTarget, ScrapeSource } from './data_set.ts';

export interface QuerySetOptions {
  readonly targets: number;
  readonly startMs: number;
}

export const intervalMs = 15_000;
const jitterMs = 6;
const seed = 5;
const countersPerTarget = 100;
const gaugesPerTarget = 100;
const histogramsPerTarget = 10;
const bounds = ['0.005', '0.01', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '+Inf'];
/** Values of the label that sums are grouped by. */
const groups = 20;
/** A process behind a target restarts about once a day. */
const restartChance = 1 / 5760;

class QueryTarget implements ScrapedTarget {
  readonly index: number;
  readonly offsetMs: number;
  readonly series: readonly Labels[];
  readonly #random: Random;
  readonly #values: Float64Array;

  constructor(index: number) {
    this.index = index;
    this.#random = seededRandom(seed * 1_000_003 + index);
    this.offsetMs = this.#random.below(intervalMs - jitterMs);
    this.series = seriesOf(index).map((record) => Labels.fromRecord(record));
    this.#values = new Float64Array(this.series.length);
    const gaugesEnd = countersPerTarget + gaugesPerTarget;
    for (let i = countersPerTarget; i < gaugesEnd; i++) this.#values[i] = this.#random.below(100_000) / 8;
    this.#values[this.series.length - 1] = 1;
  }

  scrape(): Float64Array {
    const values = this.#values;
    const random = this.#random;
    const gaugesEnd = countersPerTarget + gaugesPerTarget;
    if (random.next() < restartChance) values.fill(0, 0, countersPerTarget).fill(0, gaugesEnd, -1);
    for (let i = 0; i < countersPerTarget; i++) {
      // Some counters are busy, some rarely move.
      if (i % 4 === 0 || random.below(8) === 0) values[i] = (values[i] as number) + random.below(1 + i * 10);
    }
    for (let i = countersPerTarget; i < gaugesEnd; i++) {
      values[i] = (values[i] as number) + (random.below(1001) - 500) / 8;
    }
    for (let k = 0; k < histogramsPerTarget; k++) {
      let cumulative = 0;
      for (let b = 0; b < bounds.length; b++) {
        const i = gaugesEnd + k * bounds.length + b;
        cumulative += random.below(1 + k * 2);
        values[i] = (values[i] as number) + cumulative;
      }
    }
    return values;
  }
}

function seriesOf(index: number): Record<string, string>[] {
  const machine = { instance: `host-${index}:9100`, job: 'node' };
  const pod = {
    ...{ instance: `10.0.${index >> 4}.${index & 15}:8080`, job: 'api', namespace: `team-${index % 7}` },
    ...{ pod: `checkout-service-6f7d9c8b5d-${(index * 7919).toString(36).padStart(5, 'x')}` },
    ...{ container: 'checkout-service', node: `ip-10-0-${index % 13}-17.eu-central-1.compute.internal` },
  };
  const place = index % 2 === 0 ? machine : pod;
  const series: Record<string, string>[] = [];
  for (let i = 0; i < countersPerTarget; i++) {
    series.push({ __name__: 'requests_total', ...place, l: `group-${i % groups}`, path: `/v1/items/${i}` });
  }
  for (let i = 0; i < gaugesPerTarget; i++) {
    series.push({ __name__: 'queue_length', ...place, l: `group-${i % groups}`, queue: `queue-${i}` });
  }
  for (let k = 0; k < histogramsPerTarget; k++) {
    for (const le of bounds) {
      series.push({ __name__: 'latency_seconds_bucket', ...place, handler: `/v1/handler/${k}`, le });
    }
  }
  series.push({ __name__: 'target_info', instance: place.instance, version: `v1.${index % 5}`, zone: 'a' });
  return series;
}

export class QuerySet implements ScrapeSource {
  readonly targets: readonly ScrapedTarget[];
  readonly seriesCount: number;
  readonly #byOffset: readonly QueryTarget[];
  readonly #startMs: number;
  readonly #random: Random = seededRandom(seed);
  #round = 0;

  constructor({ targets, startMs }: QuerySetOptions) {
    const made = Array.from({ length: targets }, (_, index) => new QueryTarget(index));
    this.targets = made;
    this.seriesCount = made.reduce((sum, { series }) => sum + series.length, 0);
    this.#byOffset = made.toSorted((a, b) => a.offsetMs - b.offsetMs);
    this.#startMs = startMs;
  }

  get nowMs(): number {
    return this.#startMs + this.#round * intervalMs;
  }

  *round(): Generator<Scrape> {
    const startMs = this.nowMs;
    this.#round++;
    for (const target of this.#byOffset) {
      const timeMs = startMs + target.offsetMs + this.#random.below(jitterMs + 1);
      yield { target, timeMs, values: target.scrape() };
    }
  }
}
