/**
 * GET with everything a job's HTTP section asks for: authentication, TLS, proxy, custom headers, redirects,
 * a deadline over the whole exchange, and bounds on what is read, before and after decompression.
 */
import { STATUS_CODES } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { type Clock, errorText } from '../base/index.ts';
import { openDispatcher, send } from '../http/index.ts';
import type { HttpClientConfig } from '../model/index.ts';
import { ScrapeError } from './errors.ts';

/** No exposition is read beyond this, whatever body_size_limit says. */
const bodyBytesMax = 512 * 1024 * 1024;
/** The deadline of the scrape cuts off connecting too; the bound here only ends what nobody waits for. */
const connections = { perOriginMax: 2, idleMs: 5 * 60_000, connectTimeoutMs: 60_000 };

export interface HttpGet {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Bound on the uncompressed body; 0: only the absolute one. */
  readonly bodyBytesMax: number;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** One per job: connections and credentials are shared by its targets. */
export interface HttpClient {
  /** Resolves on status 200; otherwise rejects with a ScrapeError that names the URL or the status. */
  get(get: HttpGet): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** Reads the TLS files; throws ScrapeError when one is missing. */
export async function createHttpClient(config: HttpClientConfig, clock: Clock): Promise<HttpClient> {
  let dispatcher: Dispatcher;
  try {
    dispatcher = await openDispatcher(config, connections);
  } catch (cause) {
    throw new ScrapeError('request', errorText(cause), { cause });
  }
  return {
    get: (get) => withDeadline(get, clock, (signal) => fetchBody(get, config, dispatcher, signal)),
    close: () => dispatcher.destroy(),
  };
}

async function withDeadline<T>(
  get: HttpGet,
  clock: Clock,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let isLate = false;
  const timer = clock.after(get.timeoutMs, () => {
    isLate = true;
    controller.abort();
  });
  const onAbort = (): void => controller.abort();
  get.signal?.addEventListener('abort', onAbort, { once: true });
  if (get.signal?.aborted === true) onAbort();
  try {
    return await run(controller.signal);
  } catch (cause) {
    if (isLate) throw new ScrapeError('timeout', `Get "${get.url}": context deadline exceeded`, { cause });
    if (cause instanceof ScrapeError) throw cause;
    throw new ScrapeError('request', `Get "${get.url}": ${causeText(cause)}`, { cause });
  } finally {
    timer.cancel();
    get.signal?.removeEventListener('abort', onAbort);
  }
}

/** When every address of a host failed, the platform's error has no text of its own. */
function causeText(cause: unknown): string {
  return cause instanceof AggregateError ? cause.errors.map(errorText).join('; ') : errorText(cause);
}

async function fetchBody(
  { url, headers, bodyBytesMax: configuredMax }: HttpGet,
  config: HttpClientConfig,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  if (config.oauth2 !== undefined) throw new Error('oauth2 is not implemented');
  const response = await send({ method: 'GET', url, headers, signal }, config, dispatcher);
  if (response.statusCode !== 200) {
    await response.body.dump();
    const text = `${response.statusCode} ${STATUS_CODES[response.statusCode] ?? ''}`.trimEnd();
    throw new ScrapeError('http_status', `server returned HTTP status ${text}`);
  }
  return {
    contentType: String(response.headers['content-type'] ?? ''),
    body: await readBody(response, configuredMax),
  };
}

const gunzipAsync = promisify(gunzip);

async function readBody(response: Dispatcher.ResponseData, configuredMax: number): Promise<Uint8Array> {
  const limit = configuredMax > 0 ? Math.min(configuredMax, bodyBytesMax) : bodyBytesMax;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length >= limit) throw bodySizeError();
    chunks.push(chunk);
  }
  const raw = Buffer.concat(chunks, length);
  if (response.headers['content-encoding'] !== 'gzip') return raw;
  try {
    return await gunzipAsync(raw, { maxOutputLength: limit - 1, chunkSize: 64 * 1024 });
  } catch (cause) {
    if (cause instanceof RangeError) throw bodySizeError();
    throw cause;
  }
}

const bodySizeError = (): ScrapeError => new ScrapeError('body_size_limit', 'body size limit exceeded');
