/**
 * Rebuilds a shard's head from its log. Records come in the order in which they were written, and what was accepted
 * once is not judged again: a sample older than its series' newest was let in late, so it is late again. A series that
 * the log names but that has no unsealed sample is not made: its id is given up.
 */
import type { BatchMetadata, Labels, Matcher } from '../../model/index.ts';
import type { RecordSink, ReplayColumns } from '../log/record.ts';
import type { ExemplarRing } from '../memory/exemplar_ring.ts';
import type { HeadStore } from '../memory/head_store.ts';
import { Verdict } from '../memory/verdict.ts';
import { IdTable } from './id_table.ts';

const unmade = -1;
const unknown = -2;

export class HeadReplay implements RecordSink {
  readonly #shard: number;
  readonly #head: HeadStore;
  readonly #exemplars: ExemplarRing;
  readonly #metadata: Map<string, BatchMetadata>;
  readonly #refs = new IdTable(unknown);
  readonly #labels = new Map<number, Labels>();
  #skipped = 0;

  constructor(shard: number, head: HeadStore, exemplars: ExemplarRing, metadata: Map<string, BatchMetadata>) {
    this.#shard = shard;
    this.#head = head;
    this.#exemplars = exemplars;
    this.#metadata = metadata;
  }

  /** Samples that could not be given back to a series. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Ids of series that have nothing unsealed. */
  unmadeIds(): number[] {
    return [...this.#labels.keys()];
  }

  define(id: number, labels: Labels): void {
    if (this.#refs.get(id) !== unknown) return;
    this.#refs.set(id, unmade);
    this.#labels.set(id, labels);
  }

  samples(epoch: number, columns: ReplayColumns): void {
    const { count, ids, times, values, histograms, startTimes } = columns;
    const head = this.#head;
    head.setEpoch(epoch);
    for (let i = 0; i < count; i++) {
      const ref = this.#refOf(ids[i] as number);
      if (ref < 0) {
        this.#skipped++;
        continue;
      }
      const timeMs = times[i] as number;
      const histogram = histograms?.[i] ?? null;
      let verdict: Verdict;
      if (histogram === null) {
        verdict = head.append(ref, timeMs, values, i);
        if (verdict !== Verdict.ok) verdict = head.appendLate(ref, timeMs, values, i, epoch);
      } else {
        verdict = head.appendHistogram(ref, timeMs, histogram);
        if (verdict !== Verdict.ok) verdict = head.appendLateHistogram(ref, timeMs, histogram, epoch);
      }
      if (isTaken(verdict)) head.setStartTime(ref, timeMs, startTimes?.[i] ?? 0);
    }
  }

  exemplar(id: number, labels: Labels, value: number, timestampMs: number): void {
    const ref = this.#refOf(id);
    const series = ref < 0 ? undefined : this.#head.labelsOf(ref);
    if (series !== undefined) this.#exemplars.add(this.#shard, series, { labels, value, timestampMs });
  }

  metadata(one: BatchMetadata): void {
    this.#metadata.set(one.metric, one);
  }

  deletion(matchers: readonly Matcher[], fromMs: number, toMs: number): void {
    this.#head.delete(this.#shard, matchers, fromMs, toMs);
  }

  /** Negative when the series was never defined, or has no room. */
  #refOf(id: number): number {
    const ref = this.#refs.get(id);
    return ref === unmade ? this.#make(id) : ref;
  }

  #make(id: number): number {
    const ref = this.#head.ref(this.#shard, this.#labels.get(id) as Labels);
    if (ref < 0) return ref;
    this.#labels.delete(id);
    this.#refs.set(id, ref);
    this.#head.setId(ref, id);
    return ref;
  }
}

function isTaken(verdict: Verdict): boolean {
  return verdict === Verdict.ok || verdict === Verdict.replaced || verdict === Verdict.raised;
}
