/**
 * Targets behind a URL: a JSON list of groups, asked for again at an interval
 * (prometheus.io/docs/prometheus/latest/http_sd). An answer that is not one keeps the last good targets.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { type HttpConnections, openDispatcher, requestErrorText, send, statusText } from '../http/index.ts';
import { Labels } from '../model/index.ts';
import type { HttpSdConfig } from './config/basic.ts';
import { BadTargetsError, HttpDiscoveryError } from './errors.ts';
import { parseGroupList } from './group_list.ts';
import { type DiscoveryDeps, runRefreshLoop } from './refresh.ts';
import type { Discovery, Publish, TargetGroup } from './target_group.ts';

const urlLabel = '__meta_url';
/** An answer beyond this is refused; 100,000 targets with ten labels each are some 30 MB. */
const bodyBytesMax = 64 * 1024 * 1024;
/** The deadline of a refresh cuts off connecting too. */
const connections = { perOriginMax: 1, idleMs: 5 * 60_000, connectTimeoutMs: 60_000 };
const jsonType = /^application\/json(;\s*charset=("utf-8"|utf-8))?$/i;

export function createHttpDiscovery(config: HttpSdConfig, deps: DiscoveryDeps): Discovery {
  return {
    async start(publish, signal) {
      const run = new HttpDiscovery(config, deps);
      try {
        await run.loop(publish, signal);
      } finally {
        await run.close();
      }
    },
  };
}

class HttpDiscovery {
  readonly #config: HttpSdConfig;
  readonly #deps: DiscoveryDeps;
  /** Opened by the first refresh that finds its TLS files. */
  #connections: HttpConnections | undefined;
  #last: { readonly digest: string; readonly groups: readonly TargetGroup[] } | undefined;

  constructor(config: HttpSdConfig, deps: DiscoveryDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  loop(publish: Publish, signal: AbortSignal): Promise<void> {
    const { refreshIntervalMs } = this.#config;
    return runRefreshLoop(
      { mechanism: 'http', intervalMs: refreshIntervalMs, refresh: (stop) => this.#refresh(stop) },
      this.#deps,
      publish,
      signal,
    );
  }

  async close(): Promise<void> {
    await this.#connections?.destroy();
  }

  async #refresh(stop: AbortSignal): Promise<readonly TargetGroup[]> {
    const { url, refreshIntervalMs } = this.#config;
    const controller = new AbortController();
    let isLate = false;
    const timer = this.#deps.clock.after(refreshIntervalMs, () => {
      isLate = true;
      controller.abort();
    });
    try {
      return await this.#fetch(AbortSignal.any([stop, controller.signal]));
    } catch (cause) {
      if (!stop.aborted) this.#deps.metrics.httpFailures.inc();
      if (cause instanceof HttpDiscoveryError || cause instanceof BadTargetsError) throw cause;
      const reason = isLate ? 'context deadline exceeded' : requestErrorText(cause);
      throw new HttpDiscoveryError(`Get "${url}": ${reason}`, { cause });
    } finally {
      timer.cancel();
    }
  }

  async #fetch(signal: AbortSignal): Promise<readonly TargetGroup[]> {
    const { url, refreshIntervalMs, httpClientConfig } = this.#config;
    this.#connections ??= await openDispatcher(httpClientConfig, connections);
    const headers = {
      'user-agent': `Torchring/${this.#deps.version}`,
      accept: 'application/json',
      'accept-encoding': 'gzip',
      'x-prometheus-refresh-interval-seconds': String(refreshIntervalMs / 1000),
    };
    const request = { method: 'GET', url, headers, signal } as const;
    const response = await send(request, httpClientConfig, this.#connections);
    const { statusCode } = response;
    if (statusCode !== 200) {
      await response.body.dump();
      const text = statusText(statusCode);
      throw new HttpDiscoveryError(`server returned HTTP status ${text}`);
    }
    const contentType = String(response.headers['content-type'] ?? '');
    if (!jsonType.test(contentType.trim())) {
      await response.body.dump();
      throw new HttpDiscoveryError(`unsupported content type ${JSON.stringify(contentType)}`);
    }
    return this.#groupsOf(await readBody(response));
  }

  /** Most answers are the one before, and a long list takes a while to read. */
  #groupsOf(body: Buffer): readonly TargetGroup[] {
    const { url } = this.#config;
    const digest = createHash('sha256').update(body).digest('hex');
    if (this.#last?.digest === digest) return this.#last.groups;
    const groups = parseGroupList(body.toString('utf8'), 'json').map(({ targets, labels }, index) => ({
      source: `${url}:${index}`,
      targets,
      labels: Labels.fromRecord({ ...labels, [urlLabel]: url }),
    }));
    this.#last = { digest, groups };
    return groups;
  }
}

const gunzipAsync = promisify(gunzip);
const tooLarge = (): HttpDiscoveryError =>
  new HttpDiscoveryError(`the answer is larger than ${bodyBytesMax} bytes`);

async function readBody(response: Dispatcher.ResponseData): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > bodyBytesMax) throw tooLarge();
    chunks.push(chunk);
  }
  const raw = Buffer.concat(chunks, length);
  if (response.headers['content-encoding'] !== 'gzip') return raw;
  try {
    return await gunzipAsync(raw, { maxOutputLength: bodyBytesMax });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge();
    throw cause;
  }
}
