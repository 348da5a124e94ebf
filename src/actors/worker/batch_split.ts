/**
 * Divides a batch among the shards of its series. Senders that repeat themselves give the same `series` array again, so
 * the division is remembered by the array: a whole batch costs one lookup, and where it has to be divided, the parts have
 * the same arrays each time too, with the store's references in them. Metadata has no series: its shard is that of the
 * metric's name.
 */
import { placementShard } from '../../cluster/index.ts';
import {
  type BatchMetadata,
  hashMod,
  type Labels,
  metricNameLabel,
  type WriteBatch,
  xxHash64Words,
} from '../../model/index.ts';

export interface BatchPart {
  readonly shard: number;
  readonly batch: WriteBatch;
}

/** Which series of a batch one shard has. */
interface PartPlan {
  readonly shard: number;
  readonly series: Labels[];
  readonly storeRefs: Int32Array;
  /** Where the batch has the series of the part. */
  readonly places: Uint32Array;
}

interface SplitPlan {
  /** For so many shards. */
  readonly shards: number;
  readonly parts: readonly PartPlan[];
  /** Per series of the batch: its part, and its place there. */
  readonly partOf: Uint32Array;
  readonly placeIn: Uint32Array;
}

/** The verdict of a sample whose shard gave none. */
export const noVerdict = 0xff;

export class BatchSplitter {
  readonly #plans = new WeakMap<readonly Labels[], SplitPlan>();

  /** One part per shard; the batch itself where all of it belongs to one, which is the rule for a scrape. */
  split(batch: WriteBatch, shards: number): readonly BatchPart[] {
    const plan = this.#plan(batch, shards);
    const [only] = plan.parts;
    const parts =
      plan.parts.length === 1 && only !== undefined ? [{ shard: only.shard, batch }] : partsOf(batch, plan);
    return batch.metadata === undefined ? parts : withMetadata(parts, batch.metadata, shards);
  }

  /** What the stores have noted in the parts' references goes back to the batch, whose sender may have kept its own. */
  noteStoreRefs({ series, storeRefs }: WriteBatch): void {
    const plan = this.#plans.get(series);
    if (storeRefs === undefined || plan === undefined || plan.parts.length === 1) return;
    for (const part of plan.parts) {
      for (let i = 0; i < part.places.length; i++) {
        const storeRef = part.storeRefs[i] as number;
        if (storeRef >= 0) storeRefs[part.places[i] as number] = storeRef;
      }
    }
  }

  /** The parts' verdicts by the samples' positions in the batch; `of` gives those of a shard, undefined when all are ok. */
  mergeVerdicts(batch: WriteBatch, of: (shard: number) => Uint8Array | 'none' | undefined): Uint8Array {
    const plan = this.#plans.get(batch.series);
    const merged = new Uint8Array(batch.refs.length);
    if (plan === undefined) return merged;
    const verdicts = plan.parts.map(({ shard }) => of(shard));
    const next = new Uint32Array(plan.parts.length);
    for (let i = 0; i < merged.length; i++) {
      const part = plan.partOf[batch.refs[i] as number] as number;
      const given = verdicts[part];
      const at = next[part] as number;
      next[part] = at + 1;
      if (given !== undefined) merged[i] = given === 'none' ? noVerdict : (given[at] as number);
    }
    return merged;
  }

  #plan(batch: WriteBatch, shards: number): SplitPlan {
    const known = this.#plans.get(batch.series);
    if (known !== undefined && known.shards === shards) return known;
    const plan = planOf(batch, shards);
    this.#plans.set(batch.series, plan);
    return plan;
  }
}

function planOf({ series, storeRefs }: WriteBatch, shards: number): SplitPlan {
  const partOf = new Uint32Array(series.length);
  const placeIn = new Uint32Array(series.length);
  const parts: { shard: number; places: number[] }[] = [];
  const partOfShard = new Map<number, number>();
  const shardOf = placer(shards);
  for (const [place, labels] of series.entries()) {
    const shard = shardOf(labels);
    let part = partOfShard.get(shard);
    if (part === undefined) {
      part = parts.push({ shard, places: [] }) - 1;
      partOfShard.set(shard, part);
    }
    partOf[place] = part;
    placeIn[place] = (parts[part]?.places.push(place) ?? 0) - 1;
  }
  return {
    shards,
    partOf,
    placeIn,
    parts: parts.map(({ shard, places }) => ({
      shard,
      series: places.map((place) => series[place] as Labels),
      storeRefs: Int32Array.from(places, (place) => storeRefs?.[place] ?? -1),
      places: Uint32Array.from(places),
    })),
  };
}

/** Neighbours mostly come from one target, and then have one shard. */
function placer(shards: number): (labels: Labels) => number {
  let lastJob = '';
  let lastInstance = '';
  let lastShard = 0;
  return (labels) => {
    const instance = labels.get('instance');
    const job = labels.get('job');
    if (instance !== '' && instance === lastInstance && job === lastJob) return lastShard;
    lastInstance = instance;
    lastJob = job;
    lastShard = placementShard(labels, shards);
    return lastShard;
  };
}

/** The parts that have samples or exemplars. */
function partsOf(batch: WriteBatch, plan: SplitPlan): BatchPart[] {
  const counts = new Uint32Array(plan.parts.length);
  for (let i = 0; i < batch.refs.length; i++) {
    const part = plan.partOf[batch.refs[i] as number] as number;
    counts[part] = (counts[part] as number) + 1;
  }
  const columns = Array.from(counts, (count) => new PartColumns(count, batch));
  for (let i = 0; i < batch.refs.length; i++) {
    const ref = batch.refs[i] as number;
    columns[plan.partOf[ref] as number]?.take(i, plan.placeIn[ref] as number);
  }
  for (const exemplar of batch.exemplars ?? []) {
    const ref = plan.placeIn[exemplar.ref] as number;
    columns[plan.partOf[exemplar.ref] as number]?.exemplars.push({ ...exemplar, ref });
  }
  return plan.parts.flatMap(({ shard, series, storeRefs }, part) => {
    const own = columns[part];
    if (own === undefined || (own.refs.length === 0 && own.exemplars.length === 0)) return [];
    return [{ shard, batch: own.batch(series, storeRefs) }];
  });
}

/** The columns of one part while they are filled. */
class PartColumns {
  readonly refs: Uint32Array;
  readonly exemplars: NonNullable<WriteBatch['exemplars']>[number][] = [];
  readonly #from: WriteBatch;
  readonly #fromWords: Uint32Array;
  readonly #timestamps: Float64Array;
  /** Values move as words, so that no bit changes. */
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #histograms: NonNullable<WriteBatch['histograms']>[number][] = [];
  readonly #startTimes: Float64Array | undefined;
  #count = 0;

  constructor(count: number, from: WriteBatch) {
    const { values } = from;
    this.#from = from;
    this.#fromWords = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
    this.refs = new Uint32Array(count);
    this.#timestamps = new Float64Array(count);
    this.#words = new Uint32Array(count * 2);
    this.#startTimes = from.startTimes === undefined ? undefined : new Float64Array(count);
  }

  /** Takes the sample at `position` of the whole batch. */
  take(position: number, ref: number): void {
    const { timestamps, histograms, startTimes } = this.#from;
    const at = this.#count++;
    this.refs[at] = ref;
    this.#timestamps[at] = timestamps[position] as number;
    this.#words[at * 2] = this.#fromWords[position * 2] as number;
    this.#words[at * 2 + 1] = this.#fromWords[position * 2 + 1] as number;
    if (histograms !== undefined) this.#histograms.push(histograms[position] ?? null);
    if (this.#startTimes !== undefined) this.#startTimes[at] = startTimes?.[position] ?? 0;
  }

  batch(series: readonly Labels[], storeRefs: Int32Array): WriteBatch {
    const startTimes = this.#startTimes;
    return {
      series,
      storeRefs,
      refs: this.refs,
      timestamps: this.#timestamps,
      values: new Float64Array(this.#words.buffer),
      ...(this.#histograms.some((histogram) => histogram !== null) ? { histograms: this.#histograms } : {}),
      ...(startTimes === undefined ? {} : { startTimes }),
      ...(this.exemplars.length === 0 ? {} : { exemplars: this.exemplars }),
    };
  }
}

function withMetadata(
  parts: readonly BatchPart[],
  metadata: readonly BatchMetadata[],
  shards: number,
): BatchPart[] {
  const byShard = new Map<number, BatchMetadata[]>();
  for (const one of metadata) {
    const shard = hashMod(xxHash64Words([metricNameLabel, one.metric]), shards);
    const sameShard = byShard.get(shard);
    if (sameShard === undefined) byShard.set(shard, [one]);
    else sameShard.push(one);
  }
  const joined = parts.map(({ shard, batch: { metadata: _, ...batch } }): BatchPart => {
    const own = byShard.get(shard);
    byShard.delete(shard);
    return { shard, batch: own === undefined ? batch : { ...batch, metadata: own } };
  });
  for (const [shard, own] of byShard) joined.push({ shard, batch: { ...noSamples, metadata: own } });
  return joined;
}

const noSamples: WriteBatch = {
  series: [],
  refs: new Uint32Array(0),
  timestamps: new Float64Array(0),
  values: new Float64Array(0),
};
