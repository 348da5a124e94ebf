/** A discovery mechanism at work in a test: what it publishes, its metrics, and a clock whose timers ring when told. */
import type { TestContext } from 'node:test';
import { Registry } from 'prom-client';
import { type Clock, seededRandom, silentLogger, systemClock } from '../../base/index.ts';
import { createDiscoveryMetrics } from '../metrics.ts';
import type { DiscoveryDeps } from '../refresh.ts';
import { type Discovery, groupTargets, type TargetGroup } from '../target_group.ts';

export class ManualClock implements Clock {
  readonly #timers = new Set<() => void>();
  readonly nowMs = (): number => systemClock.nowMs();
  readonly monotonicMs = (): number => systemClock.monotonicMs();

  after(_delayMs: number, run: () => void): { cancel(): void } {
    this.#timers.add(run);
    return { cancel: () => void this.#timers.delete(run) };
  }

  ring(): void {
    for (const run of [...this.#timers]) run();
  }
}

export class RunningDiscovery {
  readonly #registry = new Registry();
  readonly #clock = new ManualClock();
  readonly #published: (readonly TargetGroup[])[] = [];
  #wake: () => void = () => undefined;
  /** Refreshes so far, the one under way included. */
  #expected = 1;

  constructor(context: TestContext, create: (deps: DiscoveryDeps) => Discovery) {
    const metrics = createDiscoveryMetrics(this.#registry);
    const deps = { clock: this.#clock, log: silentLogger, random: seededRandom(1), version: '0', metrics };
    const stop = new AbortController();
    const stopped = create(deps).start((groups) => {
      this.#published.push(groups);
      this.#wake();
    }, stop.signal);
    context.after(async () => {
      stop.abort();
      await stopped;
    });
  }

  /** The labels of all targets in what is published next. */
  async next(): Promise<Record<string, string>[]> {
    return (await this.nextGroups()).flatMap(groupTargets).map((labels) => labels.toRecord());
  }

  /** What is published next. */
  async nextGroups(): Promise<readonly TargetGroup[]> {
    while (this.#published.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#published.shift() ?? [];
  }

  /** Resolves once the mechanism has refreshed as often as it was made to, and waits for the next time. */
  async idle(): Promise<void> {
    while ((await this.#refreshes()) < this.#expected) await new Promise((resolve) => setImmediate(resolve));
  }

  async #refreshes(): Promise<number> {
    const metric = this.#registry.getSingleMetric('prometheus_sd_refresh_duration_histogram_seconds');
    const values: { value: number; metricName?: string }[] = (await metric?.get())?.values ?? [];
    return values.find(({ metricName }) => metricName?.endsWith('_count') === true)?.value ?? 0;
  }

  /** Lets the interval pass, once the refresh under way is over. */
  async refresh(): Promise<void> {
    await this.idle();
    this.#expected++;
    this.#clock.ring();
  }

  /** Lets the time pass that anything waits for. */
  ring(): void {
    this.#clock.ring();
  }

  /** The sum of a metric's values. */
  async value(name: string): Promise<number> {
    const metric = this.#registry.getSingleMetric(name);
    const { values = [] } = (await metric?.get()) ?? {};
    return values.reduce((sum, { value }) => sum + value, 0);
  }
}
