/**
 * The data on which the storage engine and its peers are measured: machines (node_exporter), their containers (cAdvisor)
 * and instrumented HTTP services in about equal parts, scraped every 15 s. Everything follows from the seed; each target
 * has a random stream of its own, so that more targets don't change the first ones. Scrapes come one after another, in
 * the order of time, and nothing of them is kept: any number of series and hours fits into memory.
 *
 * With `podLifeMs` pods are replaced, each after half to one and a half times that: their series end and others begin.
 * What a real scraper adds, staleness markers, is left out.
 */
import { type Random, seededRandom } from '../../src/base/index.ts';
import { Labels } from '../../src/model/index.ts';
import { nodeExporterSeries } from './node_exporter.ts';
import { cadvisorSeries, containerSeries, serviceSeries } from './pod_series.ts';
import type { SeriesSpec } from './series_spec.ts';
import { TargetValues } from './target_values.ts';

export interface DataSetOptions {
  /** Active at once; targets are whole, so that there are up to some hundred more. */
  readonly series: number;
  readonly startMs: number;
  readonly intervalMs?: number;
  /** Each scrape is late by 0 to this; 0 gives exact schedules, as a scraper that aligns its timestamps writes. */
  readonly jitterMs?: number;
  readonly seed?: number;
  /** Without it pods stay. */
  readonly podLifeMs?: number;
}

/** What of a target those need who take its scrapes. */
export interface ScrapedTarget {
  readonly index: number;
  /** The same array until a series comes or goes. */
  readonly series: readonly Labels[];
}

/** Where scrapes come from, round by round. */
export interface ScrapeSource {
  /** When the next scrapes begin. */
  readonly nowMs: number;
  /** One scrape of each target. */
  round(): Iterable<Scrape>;
}

/** One target's samples of one instant. */
export interface Scrape {
  readonly target: ScrapedTarget;
  readonly timeMs: number;
  /** One per series of the target; overwritten by the target's next scrape. */
  readonly values: Float64Array;
}

const intervalDefaultMs = 15_000;
const jitterDefaultMs = 6;
/** A process behind a target restarts about once a day. */
const restartChance = 1 / 5760;
/** A service shows fewer series than a machine, so that there are more of them. */
const kinds = ['node', 'cadvisor', 'api', 'api', 'api', 'api'] as const;
/** Scrapes that targets have had, at most, when the set begins. */
const ageMax = 40_000;
const podsPerMachine = { least: 8, more: 16 };

/** Series that live and die together. */
interface Unit {
  readonly specs: readonly SeriesSpec[];
  readonly labels: readonly Labels[];
  readonly endsMs: number;
  readonly draw: () => SeriesSpec[];
}

export class Target {
  readonly index: number;
  readonly offsetMs: number;
  readonly #random: Random;
  readonly #podLifeMs: number;
  #units: Unit[] = [];
  #values: TargetValues;
  #series: readonly Labels[] = [];

  constructor(index: number, offsetMs: number, random: Random, options: DataSetOptions) {
    this.index = index;
    this.offsetMs = offsetMs;
    this.#random = random;
    this.#podLifeMs = options.podLifeMs ?? Number.POSITIVE_INFINITY;
    const kind = kinds[index % kinds.length] as (typeof kinds)[number];
    const host = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
    const port = { node: 9100, cadvisor: 10250, api: 8080 }[kind];
    const place = { cluster: 'prod-eu-1', instance: `${host}:${port}`, job: kind };
    for (const { draw, isPod } of drawsOf(kind, place, random)) {
      // Pods are of all ages when the set begins.
      const ends = options.startMs + this.#podLifeMs * random.next();
      this.#units.push(makeUnit(draw, isPod ? ends : Number.POSITIVE_INFINITY));
    }
    this.#values = this.#rebuild();
    this.#values.age(random.below(ageMax));
  }

  /** The same array until a pod is replaced. */
  get series(): readonly Labels[] {
    return this.#series;
  }

  /** The target's values at `timeMs`, and how many series began with it. */
  scrape(timeMs: number): { values: Float64Array; begun: number } {
    let begun = 0;
    if (this.#units.some(({ endsMs }) => endsMs <= timeMs)) {
      this.#units = this.#units.map((unit) => {
        if (unit.endsMs > timeMs) return unit;
        const next = makeUnit(unit.draw, timeMs + this.#podLifeMs * (0.5 + this.#random.next()));
        begun += next.specs.length;
        return next;
      });
      const before = this.#values;
      this.#values = this.#rebuild();
      this.#values.continueFrom(before);
    }
    if (this.#random.next() < restartChance) this.#values.reset();
    return { values: this.#values.step(timeMs), begun };
  }

  #rebuild(): TargetValues {
    this.#series = this.#units.flatMap(({ labels }) => labels);
    return new TargetValues(
      this.#units.flatMap(({ specs }) => specs),
      this.#random.below(2 ** 31),
    );
  }
}

function makeUnit(draw: () => SeriesSpec[], endsMs: number): Unit {
  const specs = draw();
  return { specs, labels: specs.map(({ labels }) => Labels.fromRecord(labels)), endsMs, draw };
}

function drawsOf(
  kind: (typeof kinds)[number],
  place: Readonly<Record<string, string>>,
  random: Random,
): { draw: () => SeriesSpec[]; isPod: boolean }[] {
  if (kind === 'node') return [{ draw: () => nodeExporterSeries(place, random), isPod: false }];
  if (kind === 'api') return [{ draw: () => serviceSeries(place, random), isPod: true }];
  const pods = podsPerMachine.least + random.below(podsPerMachine.more);
  return [
    { draw: () => cadvisorSeries(place, random), isPod: false },
    ...Array.from({ length: pods }, () => ({ draw: () => containerSeries(place, random), isPod: true })),
  ];
}

export class DataSet implements ScrapeSource {
  readonly targets: readonly Target[];
  readonly intervalMs: number;
  /** Series active at once. */
  readonly seriesCount: number;
  readonly #options: DataSetOptions;
  readonly #random: Random;
  readonly #byOffset: readonly Target[];
  #round = 0;
  #seriesSeen: number;

  constructor(options: DataSetOptions) {
    const { series, seed = 1, intervalMs = intervalDefaultMs } = options;
    this.#options = options;
    this.intervalMs = intervalMs;
    this.#random = seededRandom(seed);
    const targets: Target[] = [];
    let count = 0;
    while (count < series) {
      const random = seededRandom(seed * 1_000_003 + targets.length + 1);
      const offsetMs = random.below(intervalMs - (options.jitterMs ?? jitterDefaultMs));
      const target = new Target(targets.length, offsetMs, random, options);
      targets.push(target);
      count += target.series.length;
    }
    this.targets = targets;
    this.seriesCount = count;
    this.#seriesSeen = count;
    this.#byOffset = [...targets].sort((a, b) => a.offsetMs - b.offsetMs);
  }

  /** Series that there were so far. */
  get seriesSeen(): number {
    return this.#seriesSeen;
  }

  /** When the next scrapes begin. */
  get nowMs(): number {
    return this.#options.startMs + this.#round * this.intervalMs;
  }

  /** One scrape of each target, then the next round, from where the last call ended. */
  *scrapes(rounds: number): Generator<Scrape> {
    for (let k = 0; k < rounds; k++) {
      for (const scrape of this.round()) yield scrape;
    }
  }

  /** One scrape of each target. */
  *round(): Generator<Scrape> {
    const jitterMs = this.#options.jitterMs ?? jitterDefaultMs;
    const startMs = this.nowMs;
    this.#round++;
    for (const target of this.#byOffset) {
      const late = jitterMs === 0 ? 0 : this.#random.below(jitterMs + 1);
      const timeMs = startMs + target.offsetMs + late;
      const { values, begun } = target.scrape(timeMs);
      this.#seriesSeen += begun;
      yield { target, timeMs, values };
    }
  }
}
