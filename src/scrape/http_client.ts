/**
 * GET with everything a job's HTTP section asks for: authentication, TLS, proxy, custom headers, redirects,
 * a deadline over the whole exchange, and bounds on what is read, before and after decompression.
 */
import { promisify } from 'node:util';
import { gunzip, gunzipSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { type Clock, errorText } from '../base/index.ts';
import { type HttpConnections, openDispatcher, requestErrorText, send, statusText } from '../http/index.ts';
import { type HttpClientConfig, quoteGo } from '../model/index.ts';
import { ScrapeError } from './errors.ts';

/** No exposition is read beyond this, whatever body_size_limit says. */
const bodyBytesMax = 512 * 1024 * 1024;
/**
 * Up to here, compressed and not, a body is decompressed at once, in a few milliseconds at most: through libuv's threads
 * it would take several trips, each dearer than the work.
 */
const compressedBytesAtOnceMax = 256 * 1024;
const bytesAtOnceMax = 4 * 1024 * 1024;
const chunkBytes = 64 * 1024;
/** The deadline of the scrape cuts off connecting too; the bound here only ends what nobody waits for. */
const connections = { perOriginMax: 2, idleMs: 5 * 60_000, connectTimeoutMs: 60_000 };

export interface HttpGet {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Bound on the uncompressed body; 0: only the absolute one. */
  readonly bodyBytesMax: number;
  /** About how large the uncompressed body will be, when that is known. */
  readonly bodyBytesExpected?: number;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly contentType: string;
  readonly body: Uint8Array;
  /**
   * Gives the body's memory back at once; nobody may read it afterwards. Left to the garbage collector, bodies would make it
   * look through the whole heap again and again.
   */
  readonly release?: () => void;
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
  get: HttpGet,
  config: HttpClientConfig,
  opened: HttpConnections,
  exchange: Exchange,
): Promise<HttpAnswer> {
  const { url, headers } = get;
  const response = await send({ method: 'GET', url, headers, signal: exchange.signal }, config, opened);
  exchange.isAnswered = true;
  if (response.statusCode !== 200) {
    await response.body.dump();
    const text = statusText(response.statusCode);
    throw new ScrapeError('http_status', `server returned HTTP status ${text}`);
  }
  const body = await readBody(response, get);
  return { ...body, contentType: String(response.headers['content-type'] ?? '') };
}

type Decompressor = (
  raw: Uint8Array,
  limits: { maxOutputLength: number; chunkSize: number },
) => Promise<Buffer>;

interface Encoding {
  readonly inThreads: Decompressor;
  readonly atOnce: (...given: Parameters<Decompressor>) => Buffer;
}

/** By content-encoding; an encoding that is none of these was not asked for, and the body is taken as it is. */
const encodings: Readonly<Record<string, Encoding>> = {
  gzip: { inThreads: promisify(gunzip), atOnce: gunzipSync },
  zstd: { inThreads: promisify(zstdDecompress), atOnce: zstdDecompressSync },
};

async function readBody(
  response: Dispatcher.ResponseData,
  { bodyBytesMax: configuredMax, bodyBytesExpected = 0 }: HttpGet,
): Promise<Pick<HttpAnswer, 'body' | 'release'>> {
  const limit = configuredMax > 0 ? Math.min(configuredMax, bodyBytesMax) : bodyBytesMax;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length >= limit) throw bodySizeError();
    chunks.push(chunk);
  }
  const [only] = chunks;
  // The only chunk belongs to the connection.
  const isWhole = only !== undefined && chunks.length === 1;
  const raw = isWhole ? only : Buffer.concat(chunks, length);
  const encoding = encodings[String(response.headers['content-encoding'] ?? '').toLowerCase()];
  if (encoding === undefined) return isWhole ? { body: raw } : releasable(raw);
  try {
    return releasable(await decompress(raw, encoding, limit - 1, bodyBytesExpected));
  } catch (cause) {
    if (cause instanceof RangeError) throw bodySizeError();
    throw cause;
  } finally {
    if (!isWhole) detach(raw);
  }
}

/** Throws RangeError when there is more than `limit`. */
async function decompress(
  raw: Uint8Array,
  { inThreads, atOnce }: Encoding,
  limit: number,
  bytesExpected: number,
): Promise<Uint8Array> {
  if (raw.length <= compressedBytesAtOnceMax && bytesExpected <= bytesAtOnceMax) {
    const chunks = Math.ceil(Math.min(bytesExpected, bytesAtOnceMax) / chunkBytes) + 1;
    try {
      return atOnce(raw, {
        maxOutputLength: Math.min(limit, bytesAtOnceMax),
        chunkSize: chunks * chunkBytes,
      });
    } catch (cause) {
      if (!(cause instanceof RangeError) || limit <= bytesAtOnceMax) throw cause;
    }
  }
  return inThreads(raw, { maxOutputLength: limit, chunkSize: chunkBytes });
}

function releasable(body: Uint8Array): Pick<HttpAnswer, 'body' | 'release'> {
  return { body, release: () => detach(body) };
}

/** Frees the memory of a buffer that is nobody else's; small ones may lie in Node's pool, and stay. */
function detach({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) buffer.transfer(0);
}

const bodySizeError = (): ScrapeError => new ScrapeError('body_size_limit', 'body size limit exceeded');
