/**
 * A cluster in memory for tests of the planner: nodes with workers, shards with series, a table that moves. Each node
 * runs the real executor over its own share of the series; nothing is a socket, and payloads go through their codecs.
 */
import { type Random, systemClock } from '../../base/index.ts';
import { compareBytes, type Labels, type Matcher, type SeriesColumns } from '../../model/index.ts';
import { Engine } from '../../promql/index.ts';
import { GivenStorage } from '../../promql/testing/storage.ts';
import { errorAnswer, okAnswer, type Unreadable } from '../answer.ts';
import { StaleTableError } from '../errors.ts';
import { execute, type LocalShards } from '../executor.ts';
import type { ExemplarSeries } from '../exemplars.ts';
import type { Assignment, AwayShards, NearReplicas, OpenShards, Replicas, ShardsAt } from '../replicas.ts';

export const testLimits = { samplesMax: 1_000_000, timeoutMs: 10_000, lookbackMs: 300_000 } as const;
export const testEngine = (): Engine =>
  new Engine({ limits: testLimits, features: { experimentalFunctions: true }, clock: systemClock });

/** Per shard: who holds which series of it. More than one node: the shard is on the move. */
export type Holders = ReadonlyMap<string, readonly SeriesColumns[]>;

class SeriesShards extends GivenStorage implements LocalShards {
  readonly #labels: readonly Labels[];

  constructor(series: readonly SeriesColumns[]) {
    super(series);
    this.#labels = series.map(({ labels }) => labels);
  }

  #matching(matchers: readonly Matcher[]): Labels[] {
    return this.#labels.filter((labels) => matchers.every((m) => m.matches(labels.get(m.name) ?? '')));
  }

  async series(matchers: readonly Matcher[], _from: number, _to: number, limit: number): Promise<Labels[]> {
    return first(
      limit,
      this.#matching(matchers).sort((a, b) => a.compare(b)),
    );
  }

  async labelNames(
    matchers: readonly Matcher[],
    _from: number,
    _to: number,
    limit: number,
  ): Promise<string[]> {
    const names = this.#matching(matchers).flatMap((labels) => Object.keys(labels.toRecord()));
    return first(limit, [...new Set(names)].sort(compareBytes));
  }

  async labelValues(
    name: string,
    matchers: readonly Matcher[],
    _from: number,
    _to: number,
    limit: number,
  ): Promise<string[]> {
    const values = this.#matching(matchers).flatMap((labels) => labels.get(name) ?? []);
    return first(limit, [...new Set(values)].sort(compareBytes));
  }

  /** Of every series the last sample stands for an exemplar. */
  async exemplars(anyOf: readonly (readonly Matcher[])[]): Promise<ExemplarSeries[]> {
    const found = anyOf.flatMap((matchers) => this.#matching(matchers));
    return found.map((labels) => ({ labels, exemplars: [{ labels, value: 1, timestampMs: 1500 }] }));
  }
}

const first = <T>(limit: number, values: T[]): T[] => (limit > 0 ? values.slice(0, limit) : values);

export class MemoryCluster implements Replicas {
  readonly #engine = testEngine();
  readonly #workers: number;
  #shards: readonly Holders[];
  #tableVersion = 1;
  /** What the coordinator knows of the table; nodes always know the newest. */
  #known: { version: number; shards: readonly Holders[] };
  /** Away by everybody's knowledge. */
  readonly away: Map<string, { readonly isSettled: boolean }> = new Map();
  /** Nodes that fail when they are asked, with what they fail. */
  readonly failing: Map<string, Error> = new Map();
  /** Nodes that have to leave shards out. */
  readonly unreadable: Map<string, Unreadable> = new Map();
  /** `node kind shards` per call. */
  readonly calls: string[] = [];
  /** Runs before a node answers. */
  onExecute: (nodeId: string) => void = () => undefined;

  /** The asking thread is worker 0 of this node. */
  nearNode: string | undefined;

  constructor(shards: readonly Holders[], workers = 1) {
    this.#shards = shards;
    this.#workers = workers;
    this.#known = { version: 1, shards };
  }

  /** A new table; the coordinator hears of it when a node tells it that its own is old. */
  move(shards: readonly Holders[]): void {
    this.#tableVersion++;
    this.#shards = shards;
  }

  assignment(): Assignment {
    const whole = new Map<string, number[]>();
    const scattered = new Map<string, number[]>();
    const missing = new Map<string, number[]>();
    const add = (to: Map<string, number[]>, node: string, shard: number): void => {
      to.set(node, [...(to.get(node) ?? []), shard]);
    };
    for (const [shard, holders] of this.#known.shards.entries()) {
      const living = [...holders.keys()].filter((node) => !this.away.has(node));
      for (const node of living) add(living.length === 1 ? whole : scattered, node, shard);
      for (const node of holders.keys()) if (this.away.has(node)) add(missing, node, shard);
    }
    const list = (of: Map<string, number[]>): ShardsAt[] =>
      [...of].map(([nodeId, shards]) => ({ nodeId, shards }));
    const isSettled = ({ nodeId }: ShardsAt): boolean => this.away.get(nodeId)?.isSettled === true;
    const gone: AwayShards[] = list(missing).map((at) => ({ ...at, isSettled: isSettled(at) }));
    return {
      tableVersion: this.#known.version,
      whole: list(whole),
      scattered: list(scattered),
      missing: gone,
    };
  }

  async execute(at: ShardsAt, kind: string, payload: Uint8Array, signal: AbortSignal): Promise<Uint8Array[]> {
    this.calls.push(`${at.nodeId} ${kind} ${at.shards.join(',')}`);
    this.onExecute(at.nodeId);
    const failure = this.failing.get(at.nodeId);
    if (failure !== undefined) throw failure;
    const asked = this.#known.version;
    const current = this.#tableVersion;
    const byWorker = Map.groupBy(at.shards, (shard) => shard % this.#workers);
    return Promise.all(
      [...byWorker.values()].map((own) => {
        const series = own.flatMap((shard) => this.#shards[shard]?.get(at.nodeId) ?? []);
        const context = {
          engine: this.#engine,
          shards: new SeriesShards(series),
          startDeadline: (): void => undefined,
          checkTable: (): void => {
            if (asked < current) throw new StaleTableError(asked, current);
          },
        };
        const unreadable = this.unreadable.get(at.nodeId);
        return execute(payload, context, signal).then((part) => okAnswer(part, unreadable), errorAnswer);
      }),
    );
  }

  /** The shard with a series of the target, as everybody knows. */
  shardOfTarget(job: string, instance: string): number {
    const isOf = ({ labels }: SeriesColumns): boolean =>
      labels.get('job') === job && labels.get('instance') === instance;
    return this.#shards.findIndex((holders) => [...holders.values()].some((series) => series.some(isOf)));
  }

  get near(): NearReplicas | undefined {
    const { nearNode } = this;
    if (nearNode === undefined) return undefined;
    const open = (shards: readonly number[], asked: number): OpenShards => {
      this.calls.push(`${nearNode} near ${shards.join(',')}`);
      this.onExecute(nearNode);
      if (asked < this.#tableVersion) throw new StaleTableError(asked, this.#tableVersion);
      const series = shards.flatMap((shard) => this.#shards[shard]?.get(nearNode) ?? []);
      const unreadable = this.unreadable.get(nearNode);
      return Object.assign(new SeriesShards(series), { unreadable });
    };
    const shardsOf = ({ nodeId, shards }: ShardsAt): number[] =>
      nodeId === nearNode ? shards.filter((shard) => shard % this.#workers === 0) : [];
    return { shardsOf, open };
  }

  newerTable(): Promise<void> {
    this.#known = { version: this.#tableVersion, shards: this.#shards };
    return Promise.resolve();
  }
}

/** Every series on a random shard, with those that differ from it in their name only, every shard on a random node; a third of them halfway to another one. */
export function scatter(
  series: readonly SeriesColumns[],
  shape: { readonly nodes: number; readonly shards: number; readonly random: Random },
): Holders[] {
  const { nodes, shards, random } = shape;
  const lists = Array.from({ length: shards }, (): SeriesColumns[] => []);
  const places = new Map<string, number>();
  for (const one of series) {
    const key = one.labels.withoutMetricName().key();
    const place = places.get(key) ?? random.below(shards);
    places.set(key, place);
    lists[place]?.push(one);
  }
  return lists.map((list) => {
    const owner = `n${random.below(nodes)}`;
    const other = `n${random.below(nodes)}`;
    if (owner === other || random.next() > 1 / 3) return new Map([[owner, list]]);
    const parts = list.map((one) => split(one, random));
    return new Map([
      [owner, parts.map(([a]) => a)],
      [other, parts.map(([, b]) => b)],
    ]);
  });
}

/** Two overlapping parts of a series, each with samples that the other lacks. */
function split(series: SeriesColumns, random: Random): [SeriesColumns, SeriesColumns] {
  const count = series.timestamps.length;
  const cut = random.below(count + 1);
  const overlap = random.below(3);
  return [part(series, 0, Math.min(count, cut + overlap)), part(series, Math.max(0, cut - overlap), count)];
}

function part({ labels, timestamps, values }: SeriesColumns, from: number, to: number): SeriesColumns {
  return { labels, timestamps: timestamps.slice(from, to), values: values.slice(from, to) };
}
