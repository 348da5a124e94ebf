/** The series that come and go with a pod: its containers as cAdvisor shows them, and what the service in it exposes. */
import type { Random } from '../../src/base/index.ts';
import { addGoSeries, addScrapeSeries } from './runtime_series.ts';
import { Process, type SeriesSpec, SpecList } from './series_spec.ts';

const services = 90;
const namespaces = 24;
const bounds = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '+Inf'];
const methods = ['GET', 'GET', 'POST', 'PUT', 'DELETE'];
const codes = ['200', '200', '200', '201', '404', '500'];
const pageGauges = ['usage_bytes', 'working_set_bytes', 'rss', 'cache', 'mapped_file'];
const idleGauges = ['swap', 'failcnt', 'kernel_usage', 'total_inactive_anon_bytes'];
const networkNames = ['bytes', 'packets', 'errors', 'packets_dropped'];
const taskStates = ['running', 'sleeping', 'stopped', 'uninterruptible', 'iowaiting'];

export interface Pod {
  readonly service: string;
  readonly namespace: string;
  readonly pod: string;
  readonly image: string;
}

/** A pod of some service, under a name that no other has. */
export function drawPod(random: Random): Pod {
  const number = random.below(services);
  const service = `${['orders', 'billing', 'search', 'users', 'cart', 'stock'][number % 6]}-${number}`;
  const suffix = (): string =>
    Math.floor(random.next() * 36 ** 5)
      .toString(36)
      .padStart(5, '0');
  return {
    service,
    namespace: `team-${number % namespaces}`,
    pod: `${service}-${(number * 7919 + random.below(3)).toString(16)}-${suffix()}${suffix().slice(0, 3)}`,
    image: `registry.example.org/shop/${service}:v1.${number % 9}.${random.below(3)}`,
  };
}

/** One pod in its machine's cAdvisor: about 50 series. */
export function containerSeries(place: Readonly<Record<string, string>>, random: Random): SeriesSpec[] {
  const { namespace, pod, image } = drawPod(random);
  const list = new SpecList({ ...place, namespace, pod });
  const id = Array.from({ length: 8 }, () =>
    random
      .below(2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('');
  addContainer(list, random, {
    container: 'app',
    image,
    id: `/kubepods/burstable/pod${id.slice(0, 32)}/${id}`,
    name: id,
  });
  const inPod = {
    image: 'registry.k8s.io/pause:3.9',
    interface: 'eth0',
    id: `/kubepods/burstable/pod${id.slice(0, 32)}`,
  };
  const packets = random.below(5) === 0 ? 0 : 10 ** (3.5 * random.next());
  for (const way of ['receive', 'transmit'])
    for (const name of networkNames) {
      const rate = name === 'bytes' ? packets * 500 : name === 'packets' ? packets : 0;
      list.add(
        `container_network_${way}_${name}_total`,
        rate === 0 ? Process.constant : Process.amount,
        { level: rate * 1000, rate },
        inPod,
      );
    }
  return list.specs;
}

function addContainer(list: SpecList, random: Random, labels: Readonly<Record<string, string>>): void {
  const busy = random.below(3) === 0 ? 0.01 : random.next();
  const nanoseconds = { level: random.below(1e6) * 1e9, per: 1e9 };
  list.add('container_cpu_usage_seconds_total', Process.amount, { ...nanoseconds, rate: busy * 4e9 }, labels);
  list.add('container_cpu_user_seconds_total', Process.amount, { ...nanoseconds, rate: busy * 3e9 }, labels);
  list.add(
    'container_cpu_system_seconds_total',
    Process.amount,
    { ...nanoseconds, rate: busy * 1e9 },
    labels,
  );
  list.add(
    'container_cpu_cfs_periods_total',
    Process.events,
    { level: 9000, rate: 150 * Math.min(1, busy * 2) },
    labels,
  );
  list.add('container_cpu_cfs_throttled_periods_total', Process.burst, { level: 80, rate: 4 }, labels);
  list.add(
    'container_cpu_cfs_throttled_seconds_total',
    Process.burst,
    { level: 9e8, rate: 4e7, per: 1e9 },
    labels,
  );
  list.add('container_cpu_load_average_10s', Process.constant, {}, labels);
  const pages = 2000 + random.below(200_000);
  for (const name of pageGauges)
    list.add(
      `container_memory_${name}`,
      busy < 0.05 ? Process.slow : Process.walk,
      { level: pages, rate: 20, per: 1 / 4096 },
      labels,
    );
  for (const name of idleGauges) list.add(`container_memory_${name}`, Process.constant, {}, labels);
  list.add(
    'container_memory_max_usage_bytes',
    Process.slow,
    { level: pages * 1.3, rate: 100, per: 1 / 4096 },
    labels,
  );
  for (const failure of ['pgfault', 'pgmajfault'])
    for (const scope of ['container', 'hierarchy'])
      list.add(
        'container_memory_failures_total',
        failure === 'pgfault' ? Process.events : Process.constant,
        { level: 4000, rate: busy * 200 },
        { ...labels, failure_type: failure, scope },
      );
  for (const name of ['reads', 'writes'])
    for (const unit of ['total', 'bytes_total'])
      list.add(
        `container_fs_${name}_${unit}`,
        Process.burst,
        { level: 900, rate: 12, per: unit === 'total' ? 1 : 1 / 4096 },
        { ...labels, device: '/dev/nvme0n1' },
      );
  for (const state of taskStates)
    list.add('container_tasks_state', Process.constant, {}, { ...labels, state });
  list.add('container_processes', Process.slow, { level: 3, rate: 1 }, labels);
  list.add('container_threads', Process.noise, { level: 24, rate: 1 }, labels);
  list.add('container_sockets', Process.noise, { level: 30 * busy, rate: 2 }, labels);
  list.add('container_file_descriptors', Process.noise, { level: 60 * busy + 9, rate: 3 }, labels);
  list.add('container_last_seen', Process.clock, { per: 1e6 }, labels);
  list.add('container_start_time_seconds', Process.constant, { level: 1.76e9 + random.below(1e6) }, labels);
  for (const name of [
    'memory_limit_bytes',
    'memory_reservation_limit_bytes',
    'cpu_period',
    'cpu_quota',
    'cpu_shares',
  ])
    list.add(`container_spec_${name}`, Process.constant, { level: 1024 * (1 + random.below(9)) }, labels);
}

/** What the machine's cAdvisor says of itself. */
export function cadvisorSeries(place: Readonly<Record<string, string>>, random: Random): SeriesSpec[] {
  const list = new SpecList(place);
  list.add('machine_cpu_cores', Process.constant, { level: 4 << random.below(4) });
  list.add('machine_memory_bytes', Process.constant, { level: 2 ** 35 });
  list.add(
    'cadvisor_version_info',
    Process.constant,
    { level: 1 },
    { cadvisorVersion: 'v0.49.1', kernelVersion: '6.8.0-45-generic' },
  );
  list.add('container_scrape_error', Process.constant, {});
  addScrapeSeries(list, random, 1000);
  return list.specs;
}

/** One instrumented HTTP service: histograms by handler, method and code, its runtime, and gauges of its own. */
export function serviceSeries(place: Readonly<Record<string, string>>, random: Random): SeriesSpec[] {
  const { service, namespace, pod } = drawPod(random);
  const list = new SpecList({ ...place, namespace, pod, service, container: 'app' });
  const busy = 10 ** (random.next() * 2.5 - 1);
  for (let k = 3 + random.below(15); k > 0; k--) {
    const method = methods[random.below(methods.length)] as string;
    const labels = {
      handler: `/api/v1/${service.split('-')[0]}/${k}`,
      method,
      code: codes[random.below(codes.length)] as string,
    };
    const share = random.below(3) === 0 ? 0.002 : random.next() * 2;
    list.histogram('http_request_duration_seconds', bounds, busy * share, labels);
    list.add('http_requests_total', Process.events, { level: 0, rate: busy * share }, labels);
    list.add('http_response_size_bytes_sum', Process.amount, { level: 0, rate: busy * share * 4000 }, labels);
    list.add('http_response_size_bytes_count', Process.events, { level: 0, rate: busy * share }, labels);
  }
  for (const pool of ['db', 'cache', 'http']) {
    list.add('pool_connections', Process.smallSet, { rate: 12 }, { pool, state: 'busy' });
    list.add('pool_connections', Process.smallSet, { rate: 8 }, { pool, state: 'idle' });
    list.add('pool_wait_seconds_total', Process.burst, { level: 0, rate: 9e7, per: 1e9 }, { pool });
  }
  list.add('http_requests_in_flight', Process.smallSet, { rate: 20 });
  list.add('queue_length', Process.walk, { level: 40, rate: 3 });
  list.add('cache_hit_ratio', Process.noise, { level: 0.87 * 2 ** 50, rate: 2 ** 44, per: 2 ** 50 });
  list.add('feature_flags_enabled', Process.slow, { level: 12, rate: 2 });
  list.add(
    'build_info',
    Process.constant,
    { level: 1 },
    { version: `1.${random.below(9)}.0`, revision: service },
  );
  addGoSeries(list, random);
  addScrapeSeries(list, random, list.specs.length);
  return list.specs;
}
