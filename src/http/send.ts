/** One exchange with what its HTTP section asks for: authentication, own headers, redirects. */
import type { Dispatcher } from 'undici';
import type { HttpClientConfig } from '../model/index.ts';
import type { HttpConnections } from './dispatcher.ts';
import { secretHeaders } from './headers.ts';
import { loadUndici } from './undici.ts';

const redirectsMax = 10;
const redirectStatuses: readonly number[] = [301, 302, 303, 307, 308];
/** Those that ask for the same method and body again. */
const repeatStatuses: readonly number[] = [307, 308];

/**
 * A connection that had served before was closed in place of an answer, as happens to idle ones: Go asks again then, and
 * so a server that closes them costs nobody a scrape.
 */
function isClosedWhileIdle(error: unknown): boolean {
  if (!(error instanceof Error) || !('socket' in error)) return false;
  const { socket } = error as { socket?: { bytesRead?: number } | null };
  return (socket?.bytesRead ?? 0) > 0;
}

export interface OutgoingRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/**
 * The first answer that is no redirect to be followed; its body is to be read or dumped by the caller. A redirected POST is
 * sent again only where the answer asks for that. Rejects when no answer came, or after too many redirects.
 */
export async function send(
  request: OutgoingRequest,
  config: HttpClientConfig,
  connections: HttpConnections,
): Promise<Dispatcher.ResponseData> {
  const undici = await loadUndici();
  const { method, signal } = request;
  const followed = method === 'GET' ? redirectStatuses : repeatStatuses;
  const secrets = await secretHeaders(config, signal);
  const { origin } = new URL(request.url);
  let url = request.url;
  for (let redirects = 0; ; redirects++) {
    // Credentials stay with the origin they were configured for.
    const headers = new URL(url).origin === origin ? { ...request.headers, ...secrets } : request.headers;
    const ask = async (): Promise<Dispatcher.ResponseData> =>
      undici.request(url, {
        method,
        headers,
        dispatcher: await connections.dispatcher(new URL(url)),
        signal,
        body: request.body ?? null,
      });
    const response = await ask().catch((error: unknown) => {
      if (method === 'GET' && isClosedWhileIdle(error) && !signal.aborted) return ask();
      throw error;
    });
    const { location } = response.headers;
    const isRedirect = followed.includes(response.statusCode) && typeof location === 'string';
    if (!config.followRedirects || !isRedirect) return response;
    await response.body.dump();
    if (redirects === redirectsMax) throw new Error(`stopped after ${redirectsMax} redirects`);
    url = new URL(location, url).href;
  }
}
