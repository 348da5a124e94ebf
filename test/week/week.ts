/**
 * A stretch of days of 15 s scrapes, written to one node through remote write as fast as it takes them, read back through
 * the query API, and what the node's process keeps resident meanwhile. Values are a function of series and time, so every
 * answer can be computed.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Labels, WriteBatchBuilder } from '../../src/model/index.ts';
import { encodeRemoteWrite } from '../../src/remote/index.ts';
import { until } from '../scenario/api.ts';
import { Child, freePorts } from '../scenario/child.ts';

const program = fileURLToPath(new URL('../../bin/torchring', import.meta.url));
const hourMs = 3_600_000;
const dayMs: number = 24 * hourMs;
const intervalMs = 15_000;
const scrapesPerRequest = 20;
const seriesPerInstance = 10;
const readyDeadlineMs = 60_000;
const retryPauseMs = 200;
const retriesMax = 300;

export interface WeekPlan {
  readonly days: number;
  readonly series: number;
  readonly onProgress: (text: string) => void;
}

export interface WeekOutcome {
  readonly samples: number;
  readonly writeSeconds: number;
  /** Resident bytes at the end of each half day of data. */
  readonly residentBytes: readonly number[];
  /** Answers that are not what they should be. */
  readonly wrong: readonly string[];
  /** From the start of the program on the written data to its first good answer of /-/ready. */
  readonly restartMs: number;
  readonly diskBytes: number;
}

class WeekNode {
  readonly url: string;
  readonly #child: Child;

  constructor(directory: string, ports: readonly number[]) {
    const [web, alerts, cluster] = ports.map((port) => `127.0.0.1:${port}`);
    writeFileSync(join(directory, 'prometheus.yml'), 'scrape_configs: []\n');
    this.url = `http://${web}`;
    this.#child = new Child(
      'week',
      [
        program,
        'node',
        `--config.file=${join(directory, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=${web}`,
        `--alertmanager.listen-address=${alerts}`,
        `--cluster.listen-address=${cluster}`,
        '--web.enable-remote-write-receiver',
        '--workers=1',
      ],
      join(directory, 'node.log'),
    );
  }

  async start(): Promise<number> {
    const startedMs = performance.now();
    this.#child.start();
    await until('the node is ready', readyDeadlineMs, async () => {
      return (await fetch(`${this.url}/-/ready`)).ok || undefined;
    });
    return performance.now() - startedMs;
  }

  stop(): Promise<number | null> {
    return this.#child.stop();
  }

  log(): string {
    return this.#child.logTail();
  }

  residentBytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
  }

  /** Sends until it is taken. */
  async write(body: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const response = await fetch(`${this.url}/api/v1/write`, {
        method: 'POST',
        body,
        headers: { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' },
      });
      if (response.status === 204) return;
      const isBusy = response.status === 503 || response.status === 429;
      if (!isBusy || attempt === retriesMax) {
        throw new Error(`remote write answered ${response.status}: ${await response.text()}`);
      }
      await sleep(retryPauseMs);
    }
  }

  /** The value of an instant query that gives one sample. */
  async value(expr: string, timeMs: number): Promise<number> {
    const query = new URLSearchParams({ query: expr, time: String(timeMs / 1000) });
    const response = await fetch(`${this.url}/api/v1/query?${query}`);
    const answer = (await response.json()) as {
      data?: { result?: { value?: [number, string] }[] };
      warnings?: string[];
    };
    if (answer.warnings !== undefined) throw new Error(`${expr}: ${answer.warnings.join('; ')}`);
    return Number(answer.data?.result?.[0]?.value?.[1]);
  }
}

const labelsOf = (k: number): Labels =>
  Labels.fromRecord({
    __name__: k % 2 === 0 ? 'week_total' : 'week_gauge',
    job: 'week',
    instance: `host-${Math.floor(k / seriesPerInstance)}:9100`,
    series: String(k),
  });

/** Scrape `n` of series `k`: a counter, or a gauge of a few decimals. */
const weekValue = (k: number, n: number): number =>
  k % 2 === 0 ? n * (k + 1) : Math.round(Math.sin(n / 40 + k) * 1000) / 10;

/** The requests that carry scrapes `from` to `to` of all series. */
function requestOf(
  series: readonly Labels[],
  startMs: number,
  from: number,
  to: number,
): Uint8Array<ArrayBuffer> {
  const builder = new WriteBatchBuilder();
  for (let n = from; n < to; n++)
    for (const [k, labels] of series.entries())
      builder.add(labels, startMs + n * intervalMs, weekValue(k, n));
  return encodeRemoteWrite(builder.finish());
}

/** Compares counts and sums of every day of some series, and the number of series at every noon. */
async function wrongAnswers(node: WeekNode, plan: WeekPlan, startMs: number): Promise<string[]> {
  const wrong: string[] = [];
  const check = async (expr: string, timeMs: number, expected: number): Promise<void> => {
    const got = await node.value(expr, timeMs);
    const isEqual = Math.abs(got - expected) <= Math.abs(expected) * 1e-12;
    if (!isEqual) wrong.push(`${expr} at ${new Date(timeMs).toISOString()}: ${got}, not ${expected}`);
  };
  const perDay = dayMs / intervalMs;
  for (let day = 0; day < plan.days; day++) {
    const endMs = startMs + (day + 1) * dayMs - 1;
    for (const k of [0, 1, plan.series - 1]) {
      const values = Array.from({ length: perDay }, (_, i) => weekValue(k, day * perDay + i));
      const selector = `{series="${k}"}[1d]`;
      await check(`count_over_time(${selector})`, endMs, perDay);
      await check(`max_over_time(${selector})`, endMs, Math.max(...values));
    }
    await check('count({job="week"})', endMs - dayMs / 2, plan.series);
    await check('sum(count_over_time({job="week"}[2h]))', endMs, (plan.series * 2 * hourMs) / intervalMs);
  }
  return wrong;
}

function diskBytes(directory: string): number {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

/** Writes, reads, restarts and reads again, in a folder that is there and empty. */
export async function runWeek(directory: string, plan: WeekPlan): Promise<WeekOutcome> {
  mkdirSync(join(directory, 'data'));
  const node = new WeekNode(directory, await freePorts(3));
  try {
    await node.start();
    const startMs = Math.floor((Date.now() - plan.days * dayMs) / (2 * hourMs)) * 2 * hourMs;
    const series = Array.from({ length: plan.series }, (_, k) => labelsOf(k));
    const scrapes = (plan.days * dayMs) / intervalMs;
    const residentBytes: number[] = [];
    const startedMs = performance.now();
    for (let n = 0; n < scrapes; n += scrapesPerRequest) {
      await node.write(requestOf(series, startMs, n, Math.min(n + scrapesPerRequest, scrapes)));
      if ((n * intervalMs) % (12 * hourMs) !== 0 || n === 0) continue;
      residentBytes.push(node.residentBytes());
      const megabytes = Math.round((residentBytes.at(-1) ?? 0) / 1e6);
      plan.onProgress(`${(n * intervalMs) / dayMs} days written, ${megabytes} MB resident`);
    }
    const writeSeconds = (performance.now() - startedMs) / 1000;
    const wrong = await wrongAnswers(node, plan, startMs);
    await node.stop();
    const restartMs = await node.start();
    for (const one of await wrongAnswers(node, plan, startMs)) wrong.push(`after the restart: ${one}`);
    const samples = scrapes * plan.series;
    return {
      samples,
      writeSeconds,
      residentBytes,
      wrong,
      restartMs,
      diskBytes: diskBytes(join(directory, 'data')),
    };
  } catch (error) {
    throw new Error(`${String(error)}\n${node.log()}`, { cause: error });
  } finally {
    await node.stop();
  }
}
