/** POST to a receiver as its HTTP section asks; of the answer the status and what it begins with. */
import type { Dispatcher } from 'undici';
import { type HttpConnections, openDispatcher, send } from '../../http/index.ts';
import type { HttpClientConfig } from '../../model/index.ts';

/** Of an answer that is read into an error message. */
const answerBytesMax = 1024;
const connections = { perOriginMax: 8, idleMs: 5_000, connectTimeoutMs: 10_000 };

export interface PostAnswer {
  readonly status: number;
  /** The beginning of the body. */
  readonly text: string;
}

export interface PostClient {
  /** Rejects when no answer came. */
  post(
    url: string,
    body: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<PostAnswer>;
  close(): Promise<void>;
}

async function beginning(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= answerBytesMax) break;
  }
  return Buffer.concat(chunks).subarray(0, answerBytesMax).toString('utf8').trim();
}

/** Opened at the first use, so that a missing TLS file fails the notification and not the start. */
export function createPostClient(config: HttpClientConfig): PostClient {
  let opened: Promise<HttpConnections> | undefined;
  const dispatcher = (): Promise<HttpConnections> => {
    opened ??= openDispatcher(config, connections).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  return {
    async post(url, body, headers, signal) {
      const answer = await send({ method: 'POST', url, body, headers, signal }, config, await dispatcher());
      return { status: answer.statusCode, text: await beginning(answer.body) };
    },
    async close() {
      // One that could not be opened has nothing to close.
      await (await opened?.catch(() => undefined))?.destroy();
    },
  };
}
