/**
 * The slow and obvious head: every sample an object in a map, and the rules written down once more without any thought
 * of memory or time. Values are texts, so that floats are compared by their bits and histograms by their names.
 */
import { type Labels, type Matcher, matchesAll } from '../../../model/index.ts';
import { Verdict } from '../verdict.ts';

export interface ModelSample {
  readonly epoch: number;
  readonly value: string;
  /** Not in its series' order of appending. */
  isLate: boolean;
  /** Part of a cut. */
  isCut: boolean;
}

export interface ModelSeries {
  readonly shard: number;
  readonly labels: Labels;
  readonly id: number;
  /** By time; ascending by epoch. */
  readonly samples: Map<number, ModelSample[]>;
  readonly starts: Map<number, number>;
}

/** A series' samples as text: time, value, start time. */
export type Row = readonly [labels: string, samples: readonly string[]];

export class HeadModel {
  readonly series: Map<string, ModelSeries> = new Map();
  readonly floors: Map<number, number> = new Map();
  #ids = 0;

  floor(shard: number): number {
    return this.floors.get(shard) ?? Number.NEGATIVE_INFINITY;
  }

  of(shard: number): ModelSeries[] {
    return [...this.series.values()].filter((series) => series.shard === shard);
  }

  open(shard: number, labels: Labels): ModelSeries {
    const key = `${shard} ${labels.key()}`;
    const series = this.series.get(key) ?? {
      shard,
      labels,
      id: ++this.#ids,
      samples: new Map<number, ModelSample[]>(),
      starts: new Map<number, number>(),
    };
    this.series.set(key, series);
    return series;
  }

  append(series: ModelSeries, t: number, value: string, epoch: number, late: boolean): Verdict {
    const floor = this.floor(series.shard);
    const newest = Math.max(...series.samples.keys());
    if (t >= floor && t > newest) return this.#add(series, t, value, epoch, false);
    const standing = series.samples.get(t)?.at(-1);
    if (!late) {
      if (t < floor) return Verdict.belowFloor;
      if (t < newest) return Verdict.outOfOrder;
      return standing?.value === value ? Verdict.duplicate : Verdict.conflict;
    }
    const same = standing?.value === value;
    if (standing !== undefined && epoch <= standing.epoch) return same ? Verdict.duplicate : Verdict.conflict;
    this.#add(series, t, value, epoch, true);
    if (standing === undefined) return Verdict.ok;
    return same ? Verdict.raised : Verdict.replaced;
  }

  #add(series: ModelSeries, t: number, value: string, epoch: number, isLate: boolean): Verdict {
    const there = series.samples.get(t) ?? [];
    there.push({ epoch, value, isLate, isCut: false });
    series.samples.set(t, there);
    return Verdict.ok;
  }

  cut(shard: number, floor: number): void {
    this.floors.set(shard, Math.max(floor, this.floor(shard)));
    for (const { samples } of this.of(shard))
      for (const [t, there] of samples)
        if (t < this.floor(shard)) for (const sample of there) sample.isCut = true;
  }

  /** The ids of the series that went. */
  drop(shard: number): number[] {
    for (const series of this.of(shard)) this.#keep(series, (_, sample) => !sample.isCut);
    return this.collect(shard);
  }

  dropBefore(shard: number, floor: number): number[] {
    this.floors.set(shard, Math.max(floor, this.floor(shard)));
    for (const series of this.of(shard)) this.#keep(series, (t) => t >= floor);
    return this.collect(shard);
  }

  collect(shard: number): number[] {
    const gone = this.of(shard).filter(({ samples }) => samples.size === 0);
    for (const { labels } of gone) this.series.delete(`${shard} ${labels.key()}`);
    return gone.map(({ id }) => id);
  }

  delete(shard: number, matchers: readonly Matcher[], from: number, to: number): number {
    let deleted = 0;
    for (const series of this.of(shard)) {
      if (!matchesAll(matchers, series.labels)) continue;
      deleted += this.#keep(series, (t) => t < from || t > to);
      this.#straighten(series);
    }
    return deleted;
  }

  /** Late samples that are newer than all in order become those. */
  #straighten({ samples, shard }: ModelSeries): void {
    const inOrder = [...samples].filter(([, there]) => there.some(({ isLate }) => !isLate));
    const newest = Math.max(...inOrder.map(([t]) => t));
    for (const [t, there] of samples) {
      if (t <= newest || t < this.floor(shard)) continue;
      const standing = there.at(-1) as ModelSample;
      samples.set(t, [{ ...standing, isLate: false }]);
    }
  }

  #keep(series: ModelSeries, isKept: (t: number, sample: ModelSample) => boolean): number {
    let dropped = 0;
    for (const [t, there] of series.samples) {
      const kept = there.filter((sample) => isKept(t, sample));
      dropped += there.length - kept.length;
      if (kept.length === 0) series.samples.delete(t);
      else series.samples.set(t, kept);
    }
    return dropped;
  }

  /** Every sample with its series; the shard's series in order of labels. */
  all(shard: number): { series: ModelSeries; t: number; sample: ModelSample; stands: boolean }[] {
    const ordered = this.of(shard).sort((a, b) => a.labels.compare(b.labels));
    return ordered.flatMap((series) =>
      [...series.samples]
        .sort(([a], [b]) => a - b)
        .flatMap(([t, there]) =>
          there.map((sample) => ({ series, t, sample, stands: sample === there.at(-1) })),
        ),
    );
  }
}

/** Groups samples by series, in the order in which these come. */
export function toRows(samples: readonly { series: ModelSeries; t: number; sample: ModelSample }[]): Row[] {
  const rows = new Map<ModelSeries, string[]>();
  for (const { series, t, sample } of samples) {
    const row = rows.get(series) ?? [];
    row.push(`${t} ${sample.value} ${series.starts.get(t) ?? 0}`);
    rows.set(series, row);
  }
  return Array.from(rows, ([{ labels }, row]) => [labels.toString(), row]);
}
