/** Asks a local cluster how far it has come, over the same HTTP API that users have. */
import { errorText } from '../../base/index.ts';
import type { LocalNode } from './layout.ts';

const requestTimeoutMs = 2_000;

export interface Readiness {
  readonly leader: string | undefined;
  /** How many of the nodes are ready. */
  readonly ready: number;
  /** How many targets were found up, over the whole cluster. */
  readonly targetsUp: number;
  readonly targets: number;
  /** Whether the example query has an answer already: a rate needs two scrapes. */
  readonly hasExample: boolean;
}

/** The query that a newcomer is shown. */
export const exampleQuery = 'sum by (job) (rate(process_cpu_seconds_total[1m]))';

async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(requestTimeoutMs) });
  return response.json();
}

async function isReady(node: LocalNode): Promise<boolean> {
  try {
    const url = `http://127.0.0.1:${node.httpPort}/-/ready`;
    return (await fetch(url, { signal: AbortSignal.timeout(requestTimeoutMs) })).ok;
  } catch {
    // Not listening yet: that is what we are here to find out.
    return false;
  }
}

interface ClusterAnswer {
  readonly data?: { readonly leader?: string | null };
}

interface QueryAnswer {
  readonly data?: { readonly result?: readonly unknown[] };
}

interface TargetsAnswer {
  readonly data?: { readonly activeTargets?: readonly { readonly health: string }[] };
}

/** One look at the cluster through its nodes; nodes that don't answer count as not ready. */
export async function lookAtCluster(nodes: readonly LocalNode[]): Promise<Readiness> {
  const readiness = await Promise.all(nodes.map(isReady));
  const first = nodes.find((_, index) => readiness[index]);
  const ready = readiness.filter(Boolean).length;
  const nothing: Readiness = { leader: undefined, ready, targets: 0, targetsUp: 0, hasExample: false };
  if (first === undefined) return nothing;
  const base = `http://127.0.0.1:${first.httpPort}`;
  try {
    const cluster = (await getJson(`${base}/api/v1/cluster`)) as ClusterAnswer;
    const targets = (await getJson(`${base}/api/v1/targets?state=active`)) as TargetsAnswer;
    const parameters = new URLSearchParams({ query: exampleQuery });
    const example = (await getJson(`${base}/api/v1/query?${parameters}`)) as QueryAnswer;
    const active = targets.data?.activeTargets ?? [];
    return {
      leader: cluster.data?.leader ?? undefined,
      ready,
      targets: active.length,
      targetsUp: active.filter((target) => target.health === 'up').length,
      hasExample: (example.data?.result?.length ?? 0) > 0,
    };
  } catch (error) {
    process.stderr.write(`torchring: ${base} does not answer yet: ${errorText(error)}\n`);
    return nothing;
  }
}
