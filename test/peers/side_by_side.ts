/**
 * `node test/peers/side_by_side.ts --minutes N [--interval SECONDS]`: a node of ours and a real Prometheus (TORCHRING_PEERS_DIR) scrape the
 * same targets for N minutes; then every series must have as many samples, changes and resets at both, and at every scrape
 * of a target the same series must be there with the same values. Prints what differs.
 */
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { delay, systemClock } from '../../src/base/index.ts';
import { api, type LabelRecord, labelText } from './compare.ts';
import { type Cleanup, freePorts, startCluster, startReal, testDirectory } from './programs.ts';
import { serveScripts } from './scrape_scripts.ts';
import { blackboxConfig, momentary, sideConfig, sideScripts } from './side_by_side_targets.ts';

const feature = '--enable-feature=native-histograms,exemplar-storage';
/** Samples may be some seconds older than their scrape, or newer: the end is compared when it has settled. */
const settleSeconds = 7;
/** Of each kind of difference, shown. */
const shownMax = 5;
/** Of these the scrape is compared but for what it left of the targets' series: Prometheus leaves some without a marker. */
const seenBeforeFault: ReadonlySet<string> = new Set(['garbage', 'binary', 'limited', 'buckets', 'broken']);
/** Kept of a job. */
const differencesMax = 20;
/** Samples may be older than the first scrape. */
const beforeMs = 70_000;
const startSecondsMax = 15;
/** How far a clock may be from the time of its sample, in seconds. */
const clockSecondsMax = 2;
const realJobs = ['node', 'blackbox', 'blackbox_exporter', 'nobody'];
/** Their series come and go with what the machine does. */
const unsteady =
  /^(go_|process_|promhttp_|node_(network|disk|filesystem|netstat|sockstat|softnet|cpu_frequency|hwmon))/;

interface Result {
  readonly metric: LabelRecord;
  readonly value?: [number, string];
  readonly histogram?: [number, object];
  readonly values?: [number, string][];
}

export interface SideOptions {
  readonly minutes: number;
  readonly intervalSeconds: number;
  readonly onProgress?: (text: string) => void;
}

export interface SideOutcome {
  readonly scrapes: number;
  readonly series: number;
  readonly statesCompared: number;
  readonly differences: readonly string[];
}

/** The span of a job at one of the two servers. */
interface JobView {
  readonly url: string;
  readonly job: string;
  /** When it was scraped, in seconds. */
  readonly times: readonly number[];
}

async function resultsOf(url: string, query: string, time: number): Promise<Result[]> {
  const { data, error } = await api(url, 'query', { query, time: String(time) });
  if (error !== undefined) throw new Error(`${query}: ${error}`);
  return (data as { result: Result[] }).result;
}

async function viewOf(url: string, job: string, rangeSeconds: number): Promise<JobView> {
  const query = `up{job="${job}"}[${rangeSeconds}s]`;
  const [up] = await resultsOf(url, query, Date.now() / 1000 + 1);
  return { url, job, times: (up?.values ?? []).map(([time]) => time) };
}

const textOf = ({ metric, value, histogram }: Result): string =>
  `${labelText(metric)} ${JSON.stringify((histogram ?? value)?.[1])}`;

/** Lines that one has and the other has not, as sentences. */
function onlyIn(what: string, ours: readonly string[], real: readonly string[]): string[] {
  const [a, b] = [new Set(ours), new Set(real)];
  const extra = ours.filter((line) => !b.has(line)).slice(0, shownMax);
  const missing = real.filter((line) => !a.has(line)).slice(0, shownMax);
  return [
    ...extra.map((line) => `${what}: only ours ${line}`),
    ...missing.map((line) => `${what}: only theirs ${line}`),
  ];
}

/** What there is at one scrape: series, values, histograms. */
async function stateAt({ url, job, times }: JobView, scrape: number): Promise<string[]> {
  const query = `{job="${job}",__name__!="scrape_duration_seconds"}`;
  const results = await resultsOf(url, query, times[scrape] ?? 0);
  const hasFailed = results.some(({ metric, value }) => metric['__name__'] === 'up' && value?.[1] === '0');
  const isPartial = hasFailed && seenBeforeFault.has(job);
  return results
    .filter(({ metric }) => !isPartial || /^(up|scrape_.*)$/.test(metric['__name__'] ?? ''))
    .map(textOf)
    .sort();
}

async function namesOf({ url, job, times }: JobView, scrapes: number): Promise<string[]> {
  const span = { start: String((times[0] ?? 0) - 60), end: String(times[scrapes - 1] ?? 0) };
  const { data } = await api(url, 'label/__name__/values', { 'match[]': `{job="${job}"}`, ...span });
  return (data as string[]).filter((name) => name !== 'scrape_duration_seconds');
}

/** Of every series of the job one number over its first scrapes. */
async function totalsOf(view: JobView, fn: string, scrapes: number): Promise<Map<string, number>> {
  const [start = 0, end = 0] = [view.times[0], view.times[scrapes - 1]];
  const totals = new Map<string, number>();
  for (const name of await namesOf(view, scrapes)) {
    const range = `${Math.round((end - start) * 1000) + beforeMs}ms`;
    const query = `${fn}({__name__="${name}",job="${view.job}"}[${range}])`;
    for (const { metric, value } of await resultsOf(view.url, query, end)) {
      totals.set(`${name}${labelText(metric)}`, Number(value?.[1]));
    }
  }
  return totals;
}

/** Series sets, counts, changes and resets per series over all scrapes that both made. */
async function compareTotals(ours: JobView, real: JobView, scrapes: number): Promise<string[]> {
  const differences: string[] = [];
  const isReal = realJobs.includes(ours.job);
  for (const fn of isReal ? ['count_over_time'] : ['count_over_time', 'changes', 'resets']) {
    if (fn !== 'count_over_time' && momentary.has(ours.job)) continue;
    const a = await totalsOf(ours, fn, scrapes);
    const b = await totalsOf(real, fn, scrapes);
    const keys = [...new Set([...a.keys(), ...b.keys()])].filter((key) => !isReal || !unsteady.test(key));
    const apart = keys.filter(
      (key) => !(Math.abs((a.get(key) ?? NaN) - (b.get(key) ?? NaN)) <= (isReal ? 1 : 0)),
    );
    const shown = apart.slice(0, shownMax).map((key) => `${key} ours ${a.get(key)}, theirs ${b.get(key)}`);
    differences.push(...shown.map((text) => `${ours.job}: ${fn} of ${apart.length} differ: ${text}`));
  }
  return differences;
}

/** A clock that was scraped is near the time of its sample, and advances by a second a second. */
async function compareClocks(view: JobView, scrapes: number): Promise<string[]> {
  const end = view.times[scrapes - 1] ?? 0;
  const [late] = await resultsOf(view.url, 'abs(timestamp(clock_seconds) - clock_seconds)', end);
  const [rate] = await resultsOf(view.url, 'deriv(clock_seconds[1m])', end);
  const isNear = Number(late?.value?.[1]) < clockSecondsMax && Math.abs(Number(rate?.value?.[1]) - 1) < 0.1;
  return isNear ? [] : [`clock of ${view.url}: ${JSON.stringify([late, rate])}`];
}

async function compareJob(
  ours: JobView,
  real: JobView,
  scrapes: number,
): Promise<{ states: number; differences: string[] }> {
  const differences = await compareTotals(ours, real, scrapes);
  let states = 0;
  const isCompared = !momentary.has(ours.job) && !realJobs.includes(ours.job);
  for (let i = 0; isCompared && i < scrapes; i++) {
    const [a, b] = [await stateAt(ours, i), await stateAt(real, i)];
    if (differences.length < differencesMax) {
      differences.push(...onlyIn(`${ours.job}, scrape ${i + 1} at ${ours.times[i]}`, a, b));
    }
    states++;
  }
  return { states, differences };
}

async function startAll(context: Cleanup, options: SideOptions): Promise<{ ours: string; real: string }> {
  const server = await serveScripts(sideScripts);
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const [port = 0, exporter = 0, blackbox = 0, nobody = 0] = await freePorts(4);
  const directory = testDirectory(context);
  const [config, probes] = [join(directory, 'prometheus.yml'), join(directory, 'blackbox.yml')];
  const at = {
    scripts: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    nodeExporter: `127.0.0.1:${exporter}`,
    blackboxExporter: `127.0.0.1:${blackbox}`,
    nobody: `127.0.0.1:${nobody}`,
  };
  writeFileSync(config, sideConfig(at, options.intervalSeconds));
  writeFileSync(probes, blackboxConfig);
  await startReal(context, 'node_exporter', exporter, [], '/');
  await startReal(context, 'blackbox_exporter', blackbox, [`--config.file=${probes}`], '/-/healthy');
  const flags = [`--config.file=${config}`, `--storage.tsdb.path=${directory}/tsdb`, feature];
  const real = await startReal(context, 'prometheus', port, flags);
  const [ours] = await startCluster(context, 1, config, [feature]);
  return { ours: ours?.url ?? '', real: real.url };
}

/** Runs both and compares. Ends what it has started when the context ends. */
export async function sideBySide(context: Cleanup, options: SideOptions): Promise<SideOutcome> {
  const { onProgress = () => undefined } = options;
  const urls = await startAll(context, options);
  onProgress(`ours ${urls.ours}, theirs ${urls.real}, for ${options.minutes} minutes`);
  await delay(systemClock, options.minutes * 60_000 + 1_000, new AbortController().signal);
  const rangeSeconds = Math.ceil(options.minutes * 60) + 120;
  const settled = Math.ceil(settleSeconds / options.intervalSeconds) + 1;
  const outcome = { scrapes: 0, series: 0, statesCompared: 0, differences: [] as string[] };
  for (const job of [...Object.keys(sideScripts), ...realJobs]) {
    const ours = await viewOf(urls.ours, job, rangeSeconds);
    const real = await viewOf(urls.real, job, rangeSeconds);
    if (Math.abs(ours.times.length - real.times.length) > startsApartScrapes(options)) {
      outcome.differences.push(`${job}: scraped ${ours.times.length} times, theirs ${real.times.length}`);
    }
    const { states, differences } = await compareJob(
      ours,
      real,
      Math.min(ours.times.length, real.times.length) - settled,
    );
    outcome.scrapes += Math.min(ours.times.length, real.times.length);
    outcome.statesCompared += states;
    outcome.differences.push(...differences);
    if (job === 'clock') {
      for (const view of [ours, real]) {
        outcome.differences.push(...(await compareClocks(view, view.times.length - settled)));
      }
    }
    onProgress(
      `${job}: ${ours.times.length} and ${real.times.length} scrapes, ${differences.length} differences`,
    );
  }
  const [series] = await resultsOf(urls.ours, 'count({job!=""})', Date.now() / 1000);
  return { ...outcome, series: Number(series?.value?.[1]) };
}

/** Ours starts after theirs: it may have made so many scrapes less. */
const startsApartScrapes = ({ intervalSeconds }: SideOptions): number =>
  Math.ceil(startSecondsMax / intervalSeconds) + 1;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '25' }, interval: { type: 'string', default: '5' } },
  });
  const ends: (() => unknown)[] = [];
  const context = { after: (end?: () => unknown) => void ends.push(end ?? (() => undefined)) } as Cleanup;
  const end = async (): Promise<void> => {
    for (const one of ends.splice(0).reverse()) await one();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void end().then(() => process.exit(130)));
  try {
    const onProgress = (text: string): boolean => process.stdout.write(`${text}\n`);
    const options = { minutes: Number(values.minutes), intervalSeconds: Number(values.interval), onProgress };
    const outcome = await sideBySide(context, { ...options, onProgress: (text) => void onProgress(text) });
    process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
    if (outcome.differences.length > 0) process.exitCode = 1;
  } finally {
    await end();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
