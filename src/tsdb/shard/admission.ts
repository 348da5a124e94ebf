/**
 * Judges a batch sample by sample as Prometheus' head does (tsdb/head_append.go, `appendable`), puts the good ones into
 * the head, and gathers what the log has to say about them. Within a batch earlier samples count for later ones. One of
 * these serves all shards of a store; its columns are used again for every batch, so that a batch of known series
 * allocates nothing per sample.
 */
import type { BatchExemplar, BatchMetadata, FloatHistogram, Labels, WriteBatch } from '../../model/index.ts';
import { StoreError, storeErrorCodes } from '../errors.ts';
import type { NewSeries, SampleParts } from '../log/record.ts';
import { type ExemplarRing, ExemplarVerdict } from '../memory/exemplar_ring.ts';
import type { HeadStore } from '../memory/head_store.ts';
import { Verdict } from '../memory/verdict.ts';
import { type AppendOutcome, countVerdict, emptyOutcome, SampleVerdict } from './verdicts.ts';

/** How far ahead of this node's clock a sample may be. */
export const futureToleranceMs: number = 10 * 60 * 1000;
/** In-order samples may be this much older than the shard's newest: half a window, as in Prometheus. */
export const lagMaxMs = 3_600_000;

export interface AdmitRules {
  readonly epoch: number;
  /** Past retention: samples older than this are refused. */
  readonly floorMs: number;
  /** Samples newer than this are refused. */
  readonly ceilingMs: number;
  /** How much older than the shard's newest a sample may be that comes after newer ones of its series; 0: none may. */
  readonly outOfOrderWindowMs: number;
  /** Handed-over data: merged in at any age, never out of order. */
  readonly merge: boolean;
}

/** What the shard knows beside its head. */
export interface AdmitPlace {
  readonly shard: number;
  readonly nextId: () => number;
  readonly metadata: Map<string, BatchMetadata>;
}

export interface Admitted {
  readonly outcome: AppendOutcome;
  /** What is to be logged, in columns that the next batch overwrites; undefined when nothing is. */
  readonly parts: SampleParts | undefined;
  /** Time of the newest sample in `parts`. */
  readonly newestMs: number;
}

const verdictOf: readonly SampleVerdict[] = (() => {
  const table: SampleVerdict[] = [];
  table[Verdict.ok] = SampleVerdict.ok;
  table[Verdict.replaced] = SampleVerdict.ok;
  table[Verdict.duplicate] = SampleVerdict.duplicate;
  table[Verdict.raised] = SampleVerdict.duplicate;
  table[Verdict.conflict] = SampleVerdict.conflict;
  table[Verdict.outOfOrder] = SampleVerdict.outOfOrder;
  table[Verdict.belowFloor] = SampleVerdict.tooOld;
  table[Verdict.limited] = SampleVerdict.limited;
  return table;
})();

export class Admission {
  readonly #head: HeadStore;
  readonly #exemplars: ExemplarRing;
  #ids = new Uint32Array(1024);
  #times = new Float64Array(1024);
  #words = new Uint32Array(2048);
  #values = new Float64Array(this.#words.buffer);
  #startTimes = new Float64Array(1024);
  #refs = new Int32Array(1024);
  #histograms: (FloatHistogram | null)[] = [];
  #newSeries: NewSeries[] = [];
  #count = 0;
  #newestMs = Number.NEGATIVE_INFINITY;
  /** The batch at hand. */
  #batchWords = new Uint32Array(0);

  constructor(head: HeadStore, exemplars: ExemplarRing) {
    this.#head = head;
    this.#exemplars = exemplars;
  }

  /** Judges and applies the whole batch. Throws StoreError (`bad_batch`), and has applied nothing then. */
  admit(place: AdmitPlace, batch: WriteBatch, rules: AdmitRules): Admitted {
    assertConsistent(batch);
    this.#begin(batch);
    const refs = this.#seriesRefs(batch);
    const outcome = emptyOutcome();
    this.#head.setEpoch(rules.epoch);
    const bounds = this.#boundsOf(place.shard, batch, rules);
    const count = batch.refs.length;
    let verdicts: Uint8Array | undefined;
    for (let i = 0; i < count; i++) {
      const verdict = this.#judge(place, batch, refs, i, rules, bounds);
      if (verdict === SampleVerdict.ok) {
        this.#keep(place, batch, refs, i);
        outcome.appended++;
        continue;
      }
      verdicts ??= new Uint8Array(count);
      verdicts[i] = verdict;
      countVerdict(outcome, verdict);
      if (isRefusal(verdict, rules)) outcome.firstError ??= refusalText(verdict, batch, i, rules);
    }
    if (verdicts !== undefined) outcome.verdicts = verdicts;
    const parts = this.#parts(place, batch, refs, rules.epoch);
    return { outcome, parts, newestMs: this.#newestMs };
  }

  #begin(batch: WriteBatch): void {
    const { values } = batch;
    if (batch.refs.length > this.#ids.length) this.#grow(batch.refs.length);
    this.#count = 0;
    this.#newestMs = Number.NEGATIVE_INFINITY;
    this.#newSeries = [];
    this.#histograms = [];
    this.#batchWords = new Uint32Array(values.buffer as ArrayBuffer, values.byteOffset, values.length * 2);
  }

  #seriesRefs(batch: WriteBatch): Int32Array {
    if (batch.storeRefs !== undefined) return batch.storeRefs;
    if (this.#refs.length < batch.series.length) this.#refs = new Int32Array(batch.series.length * 2);
    this.#refs.fill(-1, 0, batch.series.length);
    return this.#refs;
  }

  /** Ages are counted from the newest sample that the shard had when the batch came, or from the batch's first. */
  #boundsOf(shard: number, batch: WriteBatch, rules: AdmitRules): { minValidMs: number; lateMs: number } {
    const known = this.#head.maxTimeMs(shard);
    const newestMs = known === Number.NEGATIVE_INFINITY ? (batch.timestamps[0] ?? known) : known;
    return {
      minValidMs: Math.max(this.#head.floorMs(shard), newestMs - lagMaxMs),
      lateMs: newestMs - rules.outOfOrderWindowMs,
    };
  }

  #judge(
    place: AdmitPlace,
    batch: WriteBatch,
    refs: Int32Array,
    i: number,
    rules: AdmitRules,
    bounds: { minValidMs: number; lateMs: number },
  ): SampleVerdict {
    const timeMs = batch.timestamps[i] as number;
    if (timeMs < rules.floorMs) return SampleVerdict.tooOld;
    if (timeMs > rules.ceilingMs) return SampleVerdict.tooFarInFuture;
    const { merge, outOfOrderWindowMs } = rules;
    const isCurrent = timeMs >= bounds.minValidMs;
    const mayBeLate = merge || (outOfOrderWindowMs > 0 && timeMs >= bounds.lateMs);
    if (!isCurrent && !mayBeLate) return SampleVerdict.tooOld;
    const ref = this.#resolve(place.shard, batch, refs, batch.refs[i] as number);
    if (ref < 0) return SampleVerdict.limited;
    const histogram = batch.histograms?.[i] ?? null;
    if (!merge && isCurrent) {
      const verdict =
        histogram === null
          ? this.#head.appendAt(ref, batch.timestamps, batch.values, i)
          : this.#head.appendHistogram(ref, timeMs, histogram);
      const isLate = verdict === Verdict.outOfOrder || verdict === Verdict.belowFloor;
      if (!isLate || !mayBeLate) {
        return isLate && outOfOrderWindowMs > 0
          ? SampleVerdict.tooOld
          : (verdictOf[verdict] as SampleVerdict);
      }
    }
    const verdict =
      histogram === null
        ? this.#head.appendLate(ref, timeMs, batch.values, i, rules.epoch)
        : this.#head.appendLateHistogram(ref, timeMs, histogram, rules.epoch);
    // Nothing new to the sender, and yet something that a crash must not undo.
    if (verdict === Verdict.raised) this.#keep(place, batch, refs, i);
    // Prometheus does not look for what a late sample contradicts: it takes it, and one of the two is read.
    if (verdict === Verdict.conflict && !merge) return SampleVerdict.duplicate;
    return verdictOf[verdict] as SampleVerdict;
  }

  /** The head's reference of a series of the batch, which is created if need be; -1 when there is no room for it. */
  #resolve(shard: number, batch: WriteBatch, refs: Int32Array, series: number): number {
    const known = refs[series] as number;
    if (known >= 0 && this.#head.isOf(known, shard)) return known;
    const ref = this.#head.ref(shard, batch.series[series] as Labels);
    refs[series] = ref;
    return ref;
  }

  /** Puts an accepted sample into the columns for the log. */
  #keep(place: AdmitPlace, batch: WriteBatch, refs: Int32Array, i: number): void {
    const series = batch.refs[i] as number;
    const ref = refs[series] as number;
    const at = this.#count++;
    const timeMs = batch.timestamps[i] as number;
    this.#ids[at] = this.#idOf(place, ref, batch.series[series] as Labels);
    this.#times[at] = timeMs;
    this.#words[at * 2] = this.#batchWords[i * 2] as number;
    this.#words[at * 2 + 1] = this.#batchWords[i * 2 + 1] as number;
    if (timeMs > this.#newestMs) this.#newestMs = timeMs;
    if (batch.histograms !== undefined) this.#histograms.push(batch.histograms[i] ?? null);
    const startMs = batch.startTimes?.[i] ?? 0;
    if (batch.startTimes !== undefined) this.#startTimes[at] = startMs;
    this.#head.setStartTime(ref, timeMs, startMs);
  }

  #idOf(place: AdmitPlace, ref: number, labels: Labels): number {
    const known = this.#head.idOf(ref);
    if (known !== 0) return known;
    const id = place.nextId();
    this.#head.setId(ref, id);
    this.#newSeries.push({ id, labels });
    return id;
  }

  #parts(place: AdmitPlace, batch: WriteBatch, refs: Int32Array, epoch: number): SampleParts | undefined {
    const exemplars = this.#takeExemplars(place, batch, refs);
    const metadata = takeMetadata(place, batch);
    if (this.#count === 0 && exemplars.length === 0 && metadata.length === 0) return undefined;
    const hasHistograms = this.#histograms.some((histogram) => histogram !== null);
    return {
      epoch,
      newSeries: this.#newSeries,
      count: this.#count,
      ids: this.#ids,
      times: this.#times,
      values: this.#values,
      ...(hasHistograms ? { histograms: this.#histograms } : {}),
      ...(batch.startTimes === undefined ? {} : { startTimes: this.#startTimes }),
      ...(exemplars.length === 0 ? {} : { exemplars }),
      ...(metadata.length === 0 ? {} : { metadata }),
    };
  }

  /** An exemplar needs a series that is there; one that is refused is counted by the ring and no reason to complain. */
  #takeExemplars(
    { shard }: AdmitPlace,
    batch: WriteBatch,
    refs: Int32Array,
  ): NonNullable<SampleParts['exemplars']>[number][] {
    const taken: NonNullable<SampleParts['exemplars']>[number][] = [];
    for (const exemplar of batch.exemplars ?? []) {
      const id = this.#loggedId(shard, refs[exemplar.ref] as number);
      if (id === 0) continue;
      const { labels, value, timestampMs } = exemplar satisfies BatchExemplar;
      const series = batch.series[exemplar.ref] as Labels;
      const verdict = this.#exemplars.add(shard, series, { labels, value, timestampMs });
      if (verdict === ExemplarVerdict.ok) taken.push({ id, labels, value, timestampMs });
    }
    return taken;
  }

  /** 0 when the series is not there. */
  #loggedId(shard: number, ref: number): number {
    return ref >= 0 && this.#head.isOf(ref, shard) ? this.#head.idOf(ref) : 0;
  }

  #grow(count: number): void {
    const size = 2 ** Math.ceil(Math.log2(count));
    this.#ids = new Uint32Array(size);
    this.#times = new Float64Array(size);
    this.#words = new Uint32Array(size * 2);
    this.#values = new Float64Array(this.#words.buffer);
    this.#startTimes = new Float64Array(size);
  }
}

/** What is new about metrics. */
function takeMetadata({ metadata }: AdmitPlace, batch: WriteBatch): BatchMetadata[] {
  const changed: BatchMetadata[] = [];
  for (const one of batch.metadata ?? []) {
    const known = metadata.get(one.metric);
    if (known?.type === one.type && known.unit === one.unit && known.help === one.help) continue;
    if (known === undefined && metadata.size >= metadataMax) continue;
    metadata.set(one.metric, one);
    changed.push(one);
  }
  return changed;
}

/** Metric names that a shard keeps metadata of. */
const metadataMax = 100_000;

function isRefusal(verdict: SampleVerdict, rules: AdmitRules): boolean {
  if (verdict === SampleVerdict.duplicate) return false;
  return !(rules.merge && verdict === SampleVerdict.conflict);
}

/** What Prometheus calls each refusal. */
function refusalText(verdict: SampleVerdict, batch: WriteBatch, i: number, rules: AdmitRules): string {
  const labels = batch.series[batch.refs[i] as number] as Labels;
  return `${reasonOf(verdict, rules)}: ${labels.toString()} at ${batch.timestamps[i]} ms`;
}

function reasonOf(verdict: SampleVerdict, rules: AdmitRules): string {
  switch (verdict) {
    case SampleVerdict.outOfOrder:
      return 'out of order sample';
    case SampleVerdict.tooOld:
      return rules.outOfOrderWindowMs > 0 ? 'too old sample' : 'out of bounds';
    case SampleVerdict.conflict:
      return 'duplicate sample for timestamp';
    case SampleVerdict.limited:
      return 'too many series or late samples in the shard';
    default:
      return 'out of bounds';
  }
}

/** A batch comes from other threads and nodes: refuses one whose columns contradict each other. */
function assertConsistent(batch: WriteBatch): void {
  const fault = columnFault(batch) ?? sampleFault(batch);
  if (fault !== undefined)
    throw new StoreError(storeErrorCodes.badBatch, `the write batch is inconsistent: ${fault}`);
}

function columnFault(batch: WriteBatch): string | undefined {
  const { refs, series } = batch;
  const count = refs.length;
  for (const name of ['timestamps', 'values', 'histograms', 'startTimes'] as const) {
    const column = batch[name];
    if (column !== undefined && column.length !== count)
      return `${column.length} ${name} for ${count} samples`;
  }
  const { storeRefs } = batch;
  if (storeRefs !== undefined && storeRefs.length < series.length)
    return `${storeRefs.length} store references for ${series.length} series`;
  for (const { ref, timestampMs } of batch.exemplars ?? []) {
    if (!(ref < series.length)) return `an exemplar names series ${ref} of ${series.length}`;
    if (!Number.isSafeInteger(timestampMs)) return `an exemplar has time ${timestampMs}`;
  }
  return undefined;
}

function sampleFault({ refs, timestamps, series }: WriteBatch): string | undefined {
  for (let i = 0; i < refs.length; i++) {
    if ((refs[i] as number) >= series.length)
      return `sample ${i} names series ${refs[i]} of ${series.length}`;
    if (!Number.isSafeInteger(timestamps[i])) return `sample ${i} has time ${timestamps[i]}`;
  }
  return undefined;
}
