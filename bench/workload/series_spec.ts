/**
 * How one series of the data set moves. Its state is a whole number in the unit in which the exporter counts (ticks,
 * pages, nanoseconds, observations), and what is exposed is that number divided by `per`: so 1/100 s, multiples of 4 KiB
 * and decimals come out as the doubles that a real exposition parses to.
 */
export const Process = {
  constant: 0,
  /** Counter of single events, Poisson with mean `rate` a scrape. */
  events: 1,
  /** Counter of an amount, `rate` a scrape give or take a third. */
  amount: 2,
  /** Counter that mostly stands still: one scrape in twenty adds about `rate`. */
  burst: 3,
  /** Gauge that walks by steps of about `rate` and is drawn back to `level`. */
  walk: 4,
  /** Gauge that is `level` give or take about `rate`, anew at each scrape. */
  noise: 5,
  /** Gauge of a small set: 0 to `rate`, mostly 0 or what it was. */
  smallSet: 6,
  /** Gauge that takes another value near `level` one scrape in a hundred. */
  slow: 7,
  /** The time of the scrape in microseconds. */
  clock: 8,
  /** The first bucket of a classic histogram: `rate` observations a scrape; its `buckets` and _sum, _count follow. */
  histogram: 9,
  /** Moved by the histogram that it belongs to. */
  inHistogram: 10,
} as const;
export type Process = (typeof Process)[keyof typeof Process];

export interface SeriesSpec {
  readonly labels: Readonly<Record<string, string>>;
  readonly process: Process;
  /** The first state, and where gauges return to. */
  readonly level: number;
  readonly rate: number;
  /** States in one exposed unit. */
  readonly per: number;
  /** Of a histogram: its buckets, the one of +Inf included. */
  readonly buckets?: number;
}

/** Collects the series of a target; `place` goes onto each. */
export class SpecList {
  readonly specs: SeriesSpec[] = [];
  readonly #place: Readonly<Record<string, string>>;

  constructor(place: Readonly<Record<string, string>>) {
    this.#place = place;
  }

  add(
    name: string,
    process: Process,
    numbers: { readonly level?: number; readonly rate?: number; readonly per?: number },
    labels: Readonly<Record<string, string>> = {},
  ): void {
    const { level = 0, rate = 0, per = 1 } = numbers;
    const whole = { ...this.#place, ...labels, __name__: name };
    this.specs.push({ labels: whole, process, level: Math.floor(level), rate, per });
  }

  /** A classic histogram of seconds: buckets, _sum (in nanoseconds underneath) and _count. */
  histogram(
    name: string,
    bounds: readonly string[],
    rate: number,
    labels: Readonly<Record<string, string>>,
  ): void {
    for (const [i, le] of bounds.entries()) {
      const whole = { ...this.#place, ...labels, __name__: `${name}_bucket`, le };
      const first = { labels: whole, process: Process.histogram, level: 0, rate, per: 1 };
      this.specs.push(
        i === 0 ? { ...first, buckets: bounds.length } : { ...first, process: Process.inHistogram, rate: 0 },
      );
    }
    this.add(`${name}_sum`, Process.inHistogram, { per: 1e9 }, labels);
    this.add(`${name}_count`, Process.inHistogram, {}, labels);
  }
}
