/** What the Go runtime, the process and the scraper itself say in every target. */
import type { Random } from '../../src/base/index.ts';
import { Process, type SpecList } from './series_spec.ts';

const quantiles = ['0', '0.25', '0.5', '0.75', '1'];
const constantMemory = [
  'sys',
  'mspan_sys',
  'mcache_sys',
  'mcache_inuse',
  'buck_hash_sys',
  'gc_sys',
  'other_sys',
];
const movingMemory = [
  'alloc',
  'heap_alloc',
  'heap_idle',
  'heap_inuse',
  'heap_released',
  'stack_inuse',
  'mspan_inuse',
  'next_gc',
];

export function addScrapeSeries(list: SpecList, random: Random, samples: number): void {
  list.add('up', Process.constant, { level: 1 });
  list.add('scrape_duration_seconds', Process.noise, {
    level: 12e6 + random.below(4e7),
    rate: 3e6,
    per: 1e9,
  });
  list.add('scrape_samples_scraped', Process.constant, { level: samples });
  list.add('scrape_samples_post_metric_relabeling', Process.constant, { level: samples });
  list.add('scrape_series_added', Process.constant, {});
}

export function addGoSeries(list: SpecList, random: Random): void {
  const heap = 2e7 + random.below(2e8);
  list.add(
    'go_info',
    Process.constant,
    { level: 1 },
    { version: `go1.2${3 + random.below(3)}.${random.below(9)}` },
  );
  list.add('go_goroutines', Process.noise, { level: 20 + random.below(400), rate: 4 });
  list.add('go_threads', Process.slow, { level: 8 + random.below(24), rate: 1 });
  for (const quantile of quantiles)
    list.add('go_gc_duration_seconds', Process.slow, { level: 4e4, rate: 2e4, per: 1e9 }, { quantile });
  list.add('go_gc_duration_seconds_sum', Process.burst, { level: 4e8, rate: 2e5, per: 1e9 });
  list.add('go_gc_duration_seconds_count', Process.burst, { level: 900, rate: 1 });
  for (const part of movingMemory)
    list.add(`go_memstats_${part}_bytes`, Process.walk, { level: heap / 8, rate: heap / 400, per: 1 / 8 });
  for (const part of constantMemory)
    list.add(`go_memstats_${part}_bytes`, Process.constant, { level: heap / 4 });
  list.add('go_memstats_alloc_bytes_total', Process.amount, { level: heap * 90, rate: heap / 30 });
  list.add('go_memstats_mallocs_total', Process.amount, { level: heap, rate: heap / 2000 });
  list.add('go_memstats_frees_total', Process.amount, { level: heap, rate: heap / 2000 });
  list.add('go_memstats_last_gc_time_seconds', Process.burst, { level: 1.7e18, rate: 1.2e11, per: 1e9 });
  list.add('process_cpu_seconds_total', Process.amount, {
    level: 9e4,
    rate: 1 + random.below(300),
    per: 100,
  });
  list.add('process_resident_memory_bytes', Process.walk, { level: heap / 2048, rate: 9, per: 1 / 4096 });
  list.add('process_virtual_memory_bytes', Process.slow, { level: heap, rate: 4e6 });
  list.add('process_virtual_memory_max_bytes', Process.constant, { level: 2 ** 60 });
  list.add('process_open_fds', Process.noise, { level: 12 + random.below(90), rate: 2 });
  list.add('process_max_fds', Process.constant, { level: 1_048_576 });
  list.add('process_start_time_seconds', Process.constant, { level: 1.76e11 + random.below(1e8), per: 100 });
}
