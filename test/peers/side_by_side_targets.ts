/**
 * What a real Prometheus and a node of ours scrape side by side for minutes: every script of misbehaving targets, further
 * ones that only show in the long run, a real node exporter, and probes of a real blackbox exporter through relabeling as
 * its documentation has it.
 */
import type { ServerResponse } from 'node:http';
import { jobFields, type Script, scripts } from './scrape_scripts.ts';

const largeSeries = 3_000;
const aheadMs = 32_500;
const text = 'text/plain; version=0.0.4';
const say = (response: ServerResponse, body: string): void => {
  response.setHeader('content-type', text).end(body);
};

function large(count: number): string {
  const lines = Array.from(
    { length: largeSeries },
    (_, i) => `large_total{i="${i}",half="${i % 2}"} ${count * i}\n`,
  );
  return `# TYPE large_total counter\n${lines.join('')}`;
}

/** The same ten series in an order of its own at each scrape. */
function shuffled(count: number): string {
  const at = Array.from({ length: 10 }, (_, i) => (i * 7 + count) % 10);
  return at.map((i) => `shuffled{i="${i}"} ${count}\n`).join('');
}

/** Of a thousand series another tenth is gone at each scrape, and nearly all are at some. */
function flapping(count: number): string {
  const isThere = (i: number): boolean => (count % 20 === 0 ? i === 0 : i % 10 !== count % 10);
  const lines = Array.from({ length: 1000 }, (_, i) => (isThere(i) ? `flapping{i="${i}"} ${count}\n` : ''));
  return lines.join('');
}

const longScripts: Readonly<Record<string, Script>> = {
  large: (count, response) => say(response, large(count)),
  shuffled: (count, response) => say(response, shuffled(count)),
  flapping: (count, response) => say(response, flapping(count)),
  clock: (_, response) => say(response, `clock_seconds ${Date.now() / 1000}\n`),
  resets: (count, response) => say(response, `resets_total ${count % 7}\n`),
  /** Away for a while, as when it is deployed. */
  restarting: (count, response) => {
    // On a connection that was used before, Go asks once more.
    response.setHeader('connection', 'close');
    if (count % 12 > 8) response.socket?.destroy();
    else say(response, `a{generation="${Math.floor(count / 12)}"} ${count}\n`);
  },
  /** As large as no limit forbids, from time to time. */
  bloated: (count, response) =>
    say(response, `a ${count}\n${count % 6 === 0 ? `# ${'x'.repeat(1_000_000)}\n`.repeat(8) : ''}`),
  /** Not at a multiple of the interval, where a little delay decides. */
  ahead: (count, response) => say(response, `a ${count} ${Date.now() + aheadMs}\nb ${count}\n`),
};

export const sideScripts: Readonly<Record<string, Script>> = { ...scripts, ...longScripts };
/** Their values are of the moment. */
export const momentary: ReadonlySet<string> = new Set(['clock']);
/** So slow at times that the scrape is given up. */
const slowJobs: ReadonlySet<string> = new Set(['slow', 'stalling']);

export interface SideAddresses {
  readonly scripts: string;
  readonly nodeExporter: string;
  readonly blackboxExporter: string;
  readonly nobody: string;
}

export const blackboxConfig =
  'modules: {http_2xx: {prober: http, timeout: 2s}, tcp_connect: {prober: tcp, timeout: 2s}}\n';

/** The configuration both read. */
export function sideConfig(at: SideAddresses, intervalSeconds: number): string {
  const jobs = Object.keys(sideScripts).map((name) => {
    const fields = jobFields[name] === undefined ? '' : `, ${jobFields[name]}`;
    const timeout = slowJobs.has(name) ? ', scrape_timeout: 1s' : '';
    return `- {job_name: ${name}, metrics_path: /${name}, static_configs: [{targets: ["${at.scripts}"]}]${fields}${timeout}}`;
  });
  return `global: {scrape_interval: ${intervalSeconds}s}
scrape_configs:
${jobs.join('\n')}
- {job_name: nobody, static_configs: [{targets: ["${at.nobody}"]}]}
- {job_name: node, static_configs: [{targets: ["${at.nodeExporter}"]}]}
- job_name: blackbox
  metrics_path: /probe
  params: {module: [http_2xx]}
  static_configs: [{targets: ["http://${at.scripts}/steady/probed", "http://${at.nobody}"]}]
  relabel_configs:
  - {source_labels: [__address__], target_label: __param_target}
  - {source_labels: [__param_target], target_label: instance}
  - {target_label: __address__, replacement: "${at.blackboxExporter}"}
- {job_name: blackbox_exporter, static_configs: [{targets: ["${at.blackboxExporter}"]}]}
`;
}
