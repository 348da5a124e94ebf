/**
 * A query's answer as bytes of JSON: made series by series, so that other work of the worker goes on and a client that has
 * gone away is noticed, and bounded: a result is no larger than the memory that its query may take.
 */
import type { Clock } from '../../base/index.ts';
import { MemoryLimitError, Pace, type QueryResult, resultBlocks } from '../../promql/index.ts';

const encoder = new TextEncoder();

/** The `data` of the HTTP API with further fields at its end. Rejects with MemoryLimitError or the signal's reason. */
export async function answerJson(
  result: Pick<QueryResult, 'value'>,
  instant: boolean,
  more: Readonly<Record<string, unknown>>,
  {
    clock,
    signal,
    bytesMax,
  }: { readonly clock: Clock; readonly signal: AbortSignal; readonly bytesMax: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const blocks: Uint8Array[] = [];
  const pace = new Pace(clock, signal);
  let bytes = 0;
  const add = (block: Uint8Array): void => {
    bytes += block.length;
    if (bytes > bytesMax) throw new MemoryLimitError(bytesMax);
    blocks.push(block);
  };
  for (const block of resultBlocks(result, instant)) {
    add(block);
    if (pace.due) await pace.pause();
  }
  let end = '';
  for (const [name, value] of Object.entries(more))
    end += `,${JSON.stringify(name)}:${JSON.stringify(value)}`;
  add(encoder.encode(`${end}}`));
  return joined(blocks, bytes);
}

function joined(blocks: readonly Uint8Array[], bytes: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const block of blocks) {
    whole.set(block, at);
    at += block.length;
  }
  return whole;
}
