/** The suite: what dashboards and rules ask of 10,000 series, as instants and over two hours. */

export interface BenchQuery {
  readonly name: string;
  readonly text: string;
  /** Over two hours; an instant at their end without it. */
  readonly stepMs?: number;
}

/** What the ranges cover. */
export const rangeMs = 7_200_000;
/** Before the range, so that its first windows are full. */
export const leadMs = 600_000;

const steps = [15_000, 60_000];

const ranged: readonly (readonly [name: string, text: string])[] = [
  ['sum by rate', 'sum by (l) (rate(requests_total[5m]))'],
  ['histogram_quantile', 'histogram_quantile(0.99, sum by (le) (rate(latency_seconds_bucket[5m])))'],
  ['topk', 'topk(10, queue_length)'],
  ['join', 'sum by (version) (queue_length * on (instance) group_left (version) target_info)'],
  ['subquery', 'sum(max_over_time(rate(requests_total[1m])[10m:1m]))'],
  ['quantile', 'quantile by (l) (0.9, queue_length)'],
  ['regex', 'sum(rate(requests_total{instance=~"host-.*|10.0.[1-3].*", path!~".*/items/.[3-7]"}[5m]))'],
  ['avg_over_time', 'max by (l) (avg_over_time(queue_length[5m]))'],
];

const instants: readonly (readonly [name: string, text: string])[] = [
  ['instant, 10 k series', 'queue_length'],
  ['instant sum by rate', 'sum by (l) (rate(requests_total[5m]))'],
  ['instant topk', 'topk(10, queue_length)'],
];

export const suite: readonly BenchQuery[] = [
  ...steps.flatMap((stepMs) =>
    ranged.map(([name, text]) => ({ name: `${name}, step ${stepMs / 1000} s`, text, stepMs })),
  ),
  ...instants.map(([name, text]) => ({ name, text })),
];

/** Those whose name has the text in TORCHRING_BENCH_QUERY. */
export function chosenQueries(): readonly BenchQuery[] {
  const wanted = process.env['TORCHRING_BENCH_QUERY'] ?? '';
  return suite.filter(({ name }) => name.includes(wanted));
}
