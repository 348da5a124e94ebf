/**
 * GET with everything a job's HTTP section asks for: authentication, TLS, proxy, custom headers, redirects,
 * a deadline over the whole exchange, and bounds on what is read, before and after decompression.
 */
import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { type Clock, errorText } from '../base/index.ts';
import { type HttpConnections, openDispatcher, requestErrorText, send, statusText } from '../http/index.ts';
import { type HttpClientConfig, quoteGo } from '../model/index.ts';
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
  let opened: HttpConnections;
  try {
    opened = await openDispatcher(config, connections);
  } catch (cause) {
    throw new ScrapeError('request', errorText(cause), { cause });
  }
  return {
    get: (get) => withDeadline(get, clock, (exchange) => fetchBody(get, config, opened, exchange)),
    close: () => opened.destroy(),
  };
}

/** One request: its end, and how far it has come. */
interface Exchange {
  readonly signal: AbortSignal;
  /** The answer has begun: what fails now is not told as a failure of the request, as Prometheus has it. */
  isAnswered: boolean;
}

async function withDeadline<T>(
  get: HttpGet,
  clock: Clock,
  run: (exchange: Exchange) => Promise<T>,
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
  const exchange = { signal: controller.signal, isAnswered: false };
  try {
    return await run(exchange);
  } catch (cause) {
    const where = exchange.isAnswered ? '' : `Get ${quoteGo(get.url)}: `;
    if (isLate) throw new ScrapeError('timeout', `${where}context deadline exceeded`, { cause });
    if (cause instanceof ScrapeError) throw cause;
    const text = exchange.isAnswered ? bodyErrorText(cause) : requestErrorText(cause);
    throw new ScrapeError('request', where + text, { cause });
  } finally {
    timer.cancel();
    get.signal?.removeEventListener('abort', onAbort);
  }
}

/** A body that ends early, on the wire or in its compressed form. */
function bodyErrorText(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : '';
  if (code === 'UND_ERR_SOCKET' || code === 'Z_BUF_ERROR') return 'unexpected EOF';
  const text = requestErrorText(cause);
  return text === 'incorrect header check' ? 'gzip: invalid header' : text;
}

async function fetchBody(
  { url, headers, bodyBytesMax: configuredMax }: HttpGet,
  config: HttpClientConfig,
  opened: HttpConnections,
  exchange: Exchange,
): Promise<HttpAnswer> {
  const response = await send({ method: 'GET', url, headers, signal: exchange.signal }, config, opened);
  exchange.isAnswered = true;
  if (response.statusCode !== 200) {
    await response.body.dump();
    const text = statusText(response.statusCode);
    throw new ScrapeError('http_status', `server returned HTTP status ${text}`);
  }
  return {
    contentType: String(response.headers['content-type'] ?? ''),
    body: await readBody(response, configuredMax),
  };
}

type Decompress = (
  raw: Uint8Array,
  limits: { maxOutputLength: number; chunkSize: number },
) => Promise<Buffer>;

/** By content-encoding; an encoding that is none of these was not asked for, and the body is taken as it is. */
const decompressors: Readonly<Record<string, Decompress>> = {
  gzip: promisify(gunzip),
  zstd: promisify(zstdDecompress),
};

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
  const decompress = decompressors[String(response.headers['content-encoding'] ?? '').toLowerCase()];
  if (decompress === undefined) return raw;
  try {
    return await decompress(raw, { maxOutputLength: limit - 1, chunkSize: 64 * 1024 });
  } catch (cause) {
    if (cause instanceof RangeError) throw bodySizeError();
    throw cause;
  }
}

const bodySizeError = (): ScrapeError => new ScrapeError('body_size_limit', 'body size limit exceeded');
