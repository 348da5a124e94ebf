/** The other side of a query: what a worker does with an Execute payload over the shards that it was asked for. */
import type { Labels, Matcher } from '../model/index.ts';
import {
  type Engine,
  encodeLabelSets,
  encodePartial,
  encodeSeries,
  evaluatePartial,
  type Storage,
} from '../promql/index.ts';
import { type ExemplarSeries, encodeExemplars } from './exemplars.ts';
import { decodePayload, encodeStrings, matchersOf, selectRequestOf } from './payload.ts';

/** What an executor needs of the shards it answers for. */
export interface LocalShards extends Storage {
  /** Of these three the first `limit` in order at most; 0: all. */
  series(matchers: readonly Matcher[], fromMs: number, toMs: number, limit: number): Promise<Labels[]>;
  labelNames(matchers: readonly Matcher[], fromMs: number, toMs: number, limit: number): Promise<string[]>;
  labelValues(
    name: string,
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
    limit: number,
  ): Promise<string[]>;
  exemplars(
    anyOf: readonly (readonly Matcher[])[],
    fromMs: number,
    toMs: number,
  ): Promise<readonly ExemplarSeries[]>;
}

export interface ExecutionContext {
  readonly engine: Engine;
  readonly shards: LocalShards;
  /** Told how many milliseconds the asker waits. */
  readonly startDeadline: (deadlineMs: number) => void;
  /** Throws StaleTableError when the shards have moved since `tableVersion`. */
  readonly checkTable: (tableVersion: number) => void;
}

type Payload = ReturnType<typeof decodePayload>;
type LookupPart = Extract<Payload['part'], { case: 'series' }>['value'];

/** Applies a lookup to each matcher set (or to all series) and joins the results. */
async function lookup<T>(
  part: LookupPart,
  find: (matchers: readonly Matcher[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const sets = part.anyOf.length === 0 ? [[]] : part.anyOf.map(({ matchers }) => matchersOf(matchers));
  const found: T[] = [];
  for (const matchers of sets) for (const one of await find(matchers)) found.push(one);
  return found;
}

/** The payload of the answer. Rejects with QueryError, StaleTableError, or on a payload that is malformed. */
export async function execute(
  payload: Uint8Array,
  { engine, shards, startDeadline, checkTable }: ExecutionContext,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { tableVersion, deadlineMs, part } = decodePayload(payload);
  startDeadline(deadlineMs);
  checkTable(Number(tableVersion));
  switch (part.case) {
    case 'select': {
      return encodeSeries(await shards.select(selectRequestOf(part.value), signal));
    }
    case 'partial': {
      const { expr, startMs, endMs, stepMs, lookbackMs, samplesMax, countsSteps } = part.value;
      const subqueryStepMs = Number(part.value.subqueryStepMs);
      const memoryMax = Number(part.value.memoryMax);
      const limits = {
        lookbackMs: Number(lookbackMs),
        samplesMax: Number(samplesMax),
        ...(memoryMax === 0 ? {} : { memoryMax }),
      };
      const range = { startMs: Number(startMs), endMs: Number(endMs), stepMs: Number(stepMs) };
      return encodePartial(
        await evaluatePartial(engine, expr, range, shards, signal, { limits, subqueryStepMs, countsSteps }),
      );
    }
    case 'series':
    case 'labelNames':
    case 'labelValues':
      return executeLookup(part.case, part.value, shards);
    case 'exemplars': {
      const { anyOf, fromMs, toMs } = part.value;
      const sets = anyOf.map(({ matchers }) => matchersOf(matchers));
      return encodeExemplars(await shards.exemplars(sets, Number(fromMs), Number(toMs)));
    }
    default:
      throw new RangeError('the request names nothing that this version can execute');
  }
}

async function executeLookup(
  what: 'series' | 'labelNames' | 'labelValues',
  part: LookupPart,
  shards: LocalShards,
): Promise<Uint8Array> {
  const { label, limit } = part;
  const [fromMs, toMs] = [Number(part.fromMs), Number(part.toMs)];
  switch (what) {
    case 'series':
      return encodeLabelSets(await lookup(part, (matchers) => shards.series(matchers, fromMs, toMs, limit)));
    case 'labelNames': {
      const found = await lookup(part, (matchers) => shards.labelNames(matchers, fromMs, toMs, limit));
      return encodeStrings([...new Set(found)]);
    }
    case 'labelValues': {
      const found = await lookup(part, (matchers) =>
        shards.labelValues(label, matchers, fromMs, toMs, limit),
      );
      return encodeStrings([...new Set(found)]);
    }
  }
}
