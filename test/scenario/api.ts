/** The HTTP API as a test uses it: typed as far as the tests read it, every call with a deadline. */
import { AssertionError } from 'node:assert/strict';

const requestTimeoutMs = 10_000;

export interface VectorSample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export interface QueryAnswer {
  readonly status: string;
  readonly errorType?: string;
  readonly error?: string;
  readonly data: { readonly resultType: string; readonly result: readonly VectorSample[] };
  readonly warnings?: readonly string[];
}

export interface TargetView {
  readonly labels: Readonly<Record<string, string>>;
  readonly health: string;
  readonly scrapeUrl: string;
  readonly node: string;
  readonly lastScrape: string;
}

export interface ClusterView {
  readonly leader: string | null;
  readonly members: readonly { readonly id: string; readonly state: string; readonly shards: number }[];
}

export interface Received {
  readonly atMs: number;
  readonly payload: {
    readonly version: string;
    readonly status: string;
    readonly receiver: string;
    /** The sender's own URL. */
    readonly externalURL: string;
    readonly groupLabels: Readonly<Record<string, string>>;
    readonly alerts: readonly {
      readonly status: string;
      readonly labels: Readonly<Record<string, string>>;
    }[];
  };
}

async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url, { signal: AbortSignal.timeout(requestTimeoutMs) });
  return (await response.json()) as T;
}

export function query(base: string, expr: string, atSeconds?: number): Promise<QueryAnswer> {
  const parameters = new URLSearchParams({ query: expr });
  if (atSeconds !== undefined) parameters.set('time', String(atSeconds));
  return getJson(`${base}/api/v1/query?${parameters}`);
}

export async function targets(base: string): Promise<readonly TargetView[]> {
  const answer = await getJson<{ data: { activeTargets: TargetView[] } }>(
    `${base}/api/v1/targets?state=active`,
  );
  return answer.data.activeTargets;
}

export async function cluster(base: string): Promise<ClusterView> {
  return (await getJson<{ data: ClusterView }>(`${base}/api/v1/cluster`)).data;
}

/** What a companion's webhook was sent so far. */
export function received(companionUrl: string): Promise<readonly Received[]> {
  return getJson(`${companionUrl}/received`);
}

/**
 * Repeats `look` until it gives something; fails with what it saw last, and at once when
 * an assertion in `look` does. Polls, since the subject is another process.
 */
export async function until<T>(
  what: string,
  withinMs: number,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const deadlineMs = performance.now() + withinMs;
  let last = 'nothing';
  for (;;) {
    try {
      const seen = await look();
      if (seen !== undefined) return seen;
    } catch (error) {
      if (error instanceof AssertionError) throw error;
      last = String(error);
    }
    if (performance.now() > deadlineMs) throw new Error(`not within ${withinMs} ms: ${what} (last: ${last})`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
