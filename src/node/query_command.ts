/** `torchring query explain`: has a running node answer a query and shows what its operators did, and where. */
import { errorText } from '../base/index.ts';

export interface ExplainArguments {
  /** Of a node's Prometheus API. */
  readonly url: string;
  readonly expr: string;
  /** As the API takes them. With a start it is a range query, which needs an end and a step. */
  readonly start: string | undefined;
  readonly end: string | undefined;
  readonly step: string | undefined;
  readonly time: string | undefined;
}

export interface QueryOutput {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
}

const deadlineMs = 300_000;

interface ApiAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly explain?: string };
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
}

/** Resolves with the exit code: 1 when the query or the node failed. */
export async function explainQuery(asked: ExplainArguments, output: QueryOutput): Promise<number> {
  const { url, expr, start, end, step, time } = asked;
  const form = new URLSearchParams({ query: expr, explain: 'true' });
  for (const [name, value] of Object.entries({ start, end, step, time })) {
    if (value !== undefined) form.set(name, value);
  }
  const path = start === undefined ? 'query' : 'query_range';
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}/api/v1/${path}`, {
      method: 'POST',
      body: form,
      signal: AbortSignal.timeout(deadlineMs),
    });
    return show((await response.json()) as ApiAnswer, output);
  } catch (error) {
    output.error(`${url} did not answer: ${causeOf(error)}\n`);
    return 1;
  }
}

function show({ status, error, data, warnings = [], infos = [] }: ApiAnswer, output: QueryOutput): number {
  if (status !== 'success') {
    output.error(`${error ?? 'the answer is no answer of the Prometheus API'}\n`);
    return 1;
  }
  output.out(`${data?.explain ?? 'the server explains no queries'}\n`);
  for (const text of [...warnings, ...infos]) output.error(`${text}\n`);
  return 0;
}

/** What fetch wraps says nothing by itself. */
function causeOf(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? errorText(error.cause) : errorText(error);
}
