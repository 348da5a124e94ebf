/**
 * The slow and obvious shard: every sample of every series in a map, and for each sample of a batch the verdicts that
 * Prometheus 3.x and this store's own rules allow (head_append.go `appendable`). Some things are not decided by what a
 * user did: which side of a sealing that is under way a sample fell, what a write that failed left behind, when exactly
 * an expired sample goes. There it says what may be, and is told what was; everything else must be as it says.
 */
import { type Labels, type Matcher, matchesAll } from '../../model/index.ts';
import { SampleVerdict } from '../shard/verdicts.ts';

/** How far ahead of the clock a sample may be. */
export const futureToleranceMs: number = 10 * 60_000;

export interface NaiveRules {
  /** What one sealing covers. Samples more than half of it older than the shard's newest are not taken in order. */
  readonly windowMs: number;
  readonly outOfOrderWindowMs: number;
  readonly retentionMs: number;
}

export interface NaiveSample {
  readonly labels: Labels;
  readonly t: number;
  /** Two samples are the same when this is: the bits of a float, or a histogram's encoding. */
  readonly value: string;
  /** 0: unknown. */
  readonly startMs: number;
}

export interface NaiveAppend {
  readonly epoch: number;
  readonly nowMs: number;
  readonly merge: boolean;
}

/** What may be read at one instant of a series. */
interface Candidate {
  readonly value: string;
  /** Undefined: this is not decided by the rules. */
  readonly startMs: number | undefined;
  /** The epoch that a later sample for the same instant has to beat is in this range. */
  readonly epochLow: number;
  readonly epochHigh: number;
}

interface Place {
  readonly candidates: readonly Candidate[];
  /** Nothing may be there as well. */
  readonly optional: boolean;
}

interface Expired {
  readonly labels: Labels;
  readonly t: number;
  readonly candidates: readonly Candidate[];
}

interface Between {
  readonly low: number;
  readonly high: number;
}

/** A sample as it was read, or as it must be. */
export interface ReadSample {
  readonly labels: Labels;
  readonly t: number;
  readonly value: string;
  readonly startMs: number;
}

const never: Between = { low: Number.NEGATIVE_INFINITY, high: Number.NEGATIVE_INFINITY };

class NaiveSeries {
  readonly labels: Labels;
  readonly places: Map<number, Place>;
  /** The newest sample that there ever was, deleted or not. */
  newestEver: number;

  constructor(labels: Labels, places: Map<number, Place> = new Map(), newestEver = Number.NEGATIVE_INFINITY) {
    this.labels = labels;
    this.places = places;
    this.newestEver = newestEver;
  }
}

export class NaiveShard {
  readonly #rules: NaiveRules;
  /** What expired; an unsynced expiry is undone by a power cut. */
  #expired: readonly Expired[] = [];
  #series = new Map<string, NaiveSeries>();
  /** Older samples are not taken in order. */
  #floor: Between = never;
  #newestEver = Number.NEGATIVE_INFINITY;

  constructor(rules: NaiveRules) {
    this.#rules = rules;
  }

  clone(): NaiveShard {
    const copy = new NaiveShard(this.#rules);
    for (const [key, { labels, places, newestEver }] of this.#series) {
      copy.#series.set(key, new NaiveSeries(labels, new Map(places), newestEver));
    }
    copy.#expired = this.#expired;
    copy.#floor = this.#floor;
    copy.#newestEver = this.#newestEver;
    return copy;
  }

  get newestEverMs(): number {
    return this.#newestEver;
  }

  /** Nothing can have been sealed. */
  get isAllInMemory(): boolean {
    return this.#floor.high === Number.NEGATIVE_INFINITY;
  }

  /** Applies a batch of which the store said so; gives what is wrong with the verdicts, if anything. */
  append(
    samples: readonly NaiveSample[],
    verdicts: readonly number[],
    options: NaiveAppend,
  ): string | undefined {
    const newest = this.#newestOfAll(samples);
    for (const [i, sample] of samples.entries()) {
      const verdict = verdicts[i] as number;
      const allowed = this.#judge(sample, options, newest);
      if (!allowed.has(verdict)) {
        const names = [...allowed].map(nameOf).join(' or ');
        return `sample ${i} (${sample.labels} at ${sample.t}) is ${nameOf(verdict)}, not ${names}`;
      }
      if (verdict === SampleVerdict.ok) this.#insert(sample, options.epoch);
      else if (verdict === SampleVerdict.duplicate) this.#repeat(sample, options.epoch);
    }
    return undefined;
  }

  /** A batch of which nobody knows whether it was taken, and if so, that it was as a whole. */
  appendUnheard(samples: readonly NaiveSample[], options: NaiveAppend): void {
    const newest = this.#newestOfAll(samples);
    for (const sample of samples) {
      const allowed = this.#judge(sample, options, newest);
      if (!allowed.has(SampleVerdict.ok)) {
        if (allowed.has(SampleVerdict.duplicate)) this.#repeat(sample, options.epoch);
        continue;
      }
      const before = this.#place(sample);
      this.#insert(sample, options.epoch);
      if (allowed.size === 1) continue;
      const after = this.#place(sample) as Place;
      const candidates = unique([...(before?.candidates ?? []), ...after.candidates]);
      this.#set(sample, { candidates, optional: before === undefined || before.optional });
    }
  }

  delete(matchers: readonly Matcher[], fromMs: number, toMs: number): void {
    this.#forEachPlace((series, t) => {
      if (t >= fromMs && t <= toMs && matchesAll(matchers, series.labels)) series.places.delete(t);
    });
    const isKept = ({ labels, t }: Expired): boolean =>
      t < fromMs || t > toMs || !matchesAll(matchers, labels);
    this.#expired = this.#expired.filter(isKept);
  }

  clear(): void {
    this.#series = new Map();
    this.#expired = [];
    this.#floor = never;
    this.#newestEver = Number.NEGATIVE_INFINITY;
  }

  /** The floor is somewhere between what it was and `highMs` from now on. */
  beginSealing(highMs: number): void {
    this.#floor = { low: this.#floor.low, high: Math.max(this.#floor.high, highMs) };
  }

  /**
   * At least this will be the floor when what is due is sealed, or all if `isForced`: a window behind each sample that is
   * older than what stays in memory, for it is sealed then, or was before.
   */
  sureFloor(isForced: boolean): number {
    const { windowMs } = this.#rules;
    const newest = this.#newestInMemory();
    const openMs = Math.floor((isForced ? newest + windowMs : newest - windowMs / 2) / windowMs) * windowMs;
    let sure = Number.NEGATIVE_INFINITY;
    this.#forEachPlace((_, t, { optional }) => {
      if (t < openMs && !optional) sure = Math.max(sure, (Math.floor(t / windowMs) + 1) * windowMs);
    });
    return sure;
  }

  endSealing(lowMs: number): void {
    this.#floor = { low: Math.max(this.#floor.low, lowMs), high: Math.max(this.#floor.high, lowMs) };
  }

  /** The floor may be what it was at any earlier time: it was read from the disk again. */
  reopened(): void {
    this.#floor = { low: Number.NEGATIVE_INFINITY, high: this.#floor.high };
  }

  /** What may be sealed may be gone from now on. */
  expireSealed(): void {
    this.expire(this.#floor.high);
  }

  /** What is older may be gone from now on. */
  expire(beforeMs: number): void {
    this.#forEachPlace((series, t, place) => {
      if (t < beforeMs) series.places.set(t, { ...place, optional: true });
    });
  }

  /** What is older must be gone from now on. */
  expired(beforeMs: number): void {
    this.#forEachPlace((series, t, place) => {
      if (t < beforeMs) this.#bury(series, t, place);
    });
  }

  /** What is not synced may not have been done. */
  powerCut(): void {
    for (const { labels, t, candidates } of this.#expired) {
      const place = this.#place({ labels, t });
      const all = unique([...(place?.candidates ?? []), ...candidates]);
      this.#set({ labels, t }, { candidates: all, optional: place?.optional ?? true });
    }
    this.#expired = [];
  }

  /** Windows of different epochs that are older may have become one, of the highest. */
  joined(beforeMs: number): void {
    let highest = 0;
    this.#forEachPlace((_, __, place) => {
      for (const { epochHigh } of place.candidates) highest = Math.max(highest, epochHigh);
    });
    this.#forEachPlace((series, t, place) => {
      if (t >= beforeMs) return;
      const candidates = place.candidates.map((one) => ({ ...one, epochHigh: highest }));
      series.places.set(t, { ...place, candidates });
    });
  }

  /** What contradicts the samples that were read, which are all that the shard gave; undefined when nothing does. */
  contradiction(read: readonly ReadSample[]): string | undefined {
    const found = new Set<string>();
    for (const sample of read) {
      const place = this.#place(sample);
      const where = `${sample.labels} at ${sample.t}`;
      if (place === undefined) return `${where} is ${sample.value}, but there is no such sample`;
      if (!place.candidates.some((one) => fits(one, sample))) {
        const expected = place.candidates
          .map(({ value, startMs }) => `${value} since ${startMs}`)
          .join(' or ');
        return `${where} is ${sample.value} since ${sample.startMs}, not ${expected}`;
      }
      found.add(`${sample.labels.key()}@${sample.t}`);
    }
    let missing: string | undefined;
    this.#forEachPlace((series, t, { optional, candidates }) => {
      if (optional || found.has(`${series.labels.key()}@${t}`)) return;
      missing ??= `${series.labels} at ${t} is missing, was ${candidates.map(({ value }) => value).join(' or ')}`;
    });
    return missing;
  }

  /** Takes what was read, and does not contradict it, for what is. */
  adopt(read: readonly ReadSample[]): void {
    const found = new Map(read.map((sample) => [`${sample.labels.key()}@${sample.t}`, sample]));
    this.#forEachPlace((series, t, place) => {
      const sample = found.get(`${series.labels.key()}@${t}`);
      if (sample === undefined) this.#bury(series, t, place);
      else if (place.optional || place.candidates.length > 1) {
        const candidates = place.candidates.filter((one) => fits(one, sample));
        series.places.set(t, { candidates, optional: false });
      }
    });
  }

  /** This and the other have the same samples; what is not known of either is not known of both. */
  absorb(other: NaiveShard): void {
    this.#forEachPlace((series, t, place) => {
      const [one] = place.candidates;
      const [two] = other.#place({ labels: series.labels, t })?.candidates ?? [];
      if (one === undefined || two === undefined) return;
      series.places.set(t, { ...place, candidates: unique([one, two]) });
    });
    for (const [key, series] of other.#series) {
      const own = this.#series.get(key) ?? new NaiveSeries(series.labels);
      own.newestEver = Math.max(own.newestEver, series.newestEver);
      this.#series.set(key, own);
    }
    this.#floor = {
      low: Math.min(this.#floor.low, other.#floor.low),
      high: Math.max(this.#floor.high, other.#floor.high),
    };
    this.#newestEver = Math.max(this.#newestEver, other.#newestEver);
  }

  /** Whether a sample may be what another store was handed, under this epoch. */
  mayHave(sample: Omit<ReadSample, 'startMs'>, epoch: number): boolean {
    const candidates = this.#place(sample)?.candidates ?? [];
    return candidates.some(
      (one) => one.value === sample.value && epoch >= one.epochLow && epoch <= one.epochHigh,
    );
  }

  #judge(sample: NaiveSample, options: NaiveAppend, newestOfAll: Between): Set<number> {
    const { t } = sample;
    const { retentionMs, windowMs, outOfOrderWindowMs } = this.#rules;
    const allowed = new Set<number>();
    if (!options.merge && t > options.nowMs + futureToleranceMs)
      return allowed.add(SampleVerdict.tooFarInFuture);
    if (t < options.nowMs - retentionMs) return allowed.add(SampleVerdict.tooOld);
    if (options.merge) return this.#judgeLate(sample, options, allowed);
    const validLow = Math.max(this.#floor.low, newestOfAll.low - windowMs / 2);
    const validHigh = Math.max(this.#floor.high, newestOfAll.high - windowMs / 2);
    const newest = this.#newestOf(sample);
    if (t >= validLow && t > newest.low) allowed.add(SampleVerdict.ok);
    if (t >= validLow && t >= newest.low && t <= newest.high) this.#addSame(sample, allowed);
    if (t >= validHigh && t >= newest.high) return allowed;
    // It may not be taken in order.
    if (outOfOrderWindowMs === 0) {
      if (t < validHigh) allowed.add(SampleVerdict.tooOld);
      if (t >= validLow && t < newest.high) allowed.add(SampleVerdict.outOfOrder);
      return allowed;
    }
    if (t < newestOfAll.high - outOfOrderWindowMs) allowed.add(SampleVerdict.tooOld);
    if (t >= newestOfAll.low - outOfOrderWindowMs) this.#judgeLate(sample, options, allowed);
    return allowed;
  }

  #judgeLate(sample: NaiveSample, { epoch, merge }: NaiveAppend, allowed: Set<number>): Set<number> {
    // Handed over it is a conflict; a late one Prometheus takes without looking.
    const lost = merge ? SampleVerdict.conflict : SampleVerdict.duplicate;
    const place = this.#place(sample);
    if (place === undefined || place.optional) allowed.add(SampleVerdict.ok);
    else if (sample.t < this.#floor.high) {
      // What is sealed is not looked at when a sample comes, only when it is read; a late one that lost is.
      allowed.add(SampleVerdict.ok).add(SampleVerdict.duplicate).add(lost);
    }
    for (const one of place?.candidates ?? []) {
      if (one.value === sample.value) allowed.add(SampleVerdict.duplicate);
      else {
        if (epoch > one.epochLow) allowed.add(SampleVerdict.ok);
        if (epoch <= one.epochHigh) allowed.add(lost);
      }
    }
    return allowed;
  }

  #addSame(sample: NaiveSample, allowed: Set<number>): void {
    const place = this.#place(sample);
    // The newest sample may have been deleted, and be remembered as the newest all the same.
    if (place === undefined || place.optional) {
      allowed.add(SampleVerdict.ok).add(SampleVerdict.duplicate).add(SampleVerdict.conflict);
    }
    for (const { value } of place?.candidates ?? []) {
      allowed.add(value === sample.value ? SampleVerdict.duplicate : SampleVerdict.conflict);
    }
  }

  #insert(sample: NaiveSample, epoch: number): void {
    const { value, startMs } = sample;
    const fresh: Candidate = { value, startMs, epochLow: epoch, epochHigh: epoch };
    const place = this.#place(sample);
    const candidates: Candidate[] = place === undefined || place.optional ? [fresh] : [];
    for (const one of place?.candidates ?? []) {
      if (one.value === sample.value) {
        candidates.push(repeated(one, sample, epoch));
        continue;
      }
      if (epoch > one.epochLow) candidates.push(fresh);
      if (epoch <= one.epochHigh) candidates.push({ ...one, epochLow: Math.max(one.epochLow, epoch) });
    }
    this.#set(sample, { candidates: unique(candidates), optional: false });
  }

  /** The same as one that is there, or that lost against the one that is. */
  #repeat(sample: NaiveSample, epoch: number): void {
    const place = this.#place(sample);
    if (place === undefined) return;
    this.#insert(sample, epoch);
    const { candidates } = this.#place(sample) as Place;
    this.#set(sample, { candidates, optional: place.optional });
  }

  #newestOf({ labels }: NaiveSample): Between {
    const series = this.#series.get(labels.key());
    if (series === undefined) return never;
    let low = Number.NEGATIVE_INFINITY;
    for (const [t, { optional }] of series.places) if (t >= this.#floor.high && !optional && t > low) low = t;
    return { low, high: series.newestEver };
  }

  /**
   * The newest sample that the shard has in memory when a batch comes; where there is none, the batch's first counts.
   * What is deleted may be remembered or not.
   */
  #newestOfAll(samples: readonly NaiveSample[]): Between {
    const low = this.#newestInMemory();
    if (low > Number.NEGATIVE_INFINITY) return { low, high: this.#newestEver };
    // Nothing is in memory for certain: the newest may be any that there is, or none.
    const possible = [samples[0]?.t ?? Number.NEGATIVE_INFINITY, this.#newestEver];
    let sure = Number.NEGATIVE_INFINITY;
    this.#forEachPlace((_, t, { optional }) => {
      if (optional) possible.push(t);
      else sure = Math.max(sure, t);
    });
    if (sure > Number.NEGATIVE_INFINITY) possible.push(sure);
    const known = possible.filter((t) => t > Number.NEGATIVE_INFINITY);
    return { low: Math.min(...known), high: Math.max(...known) };
  }

  /** Of what is in memory for certain. */
  #newestInMemory(): number {
    let newest = Number.NEGATIVE_INFINITY;
    this.#forEachPlace((_, t, { optional }) => {
      if (t >= this.#floor.high && !optional) newest = Math.max(newest, t);
    });
    return newest;
  }

  #place({ labels, t }: { labels: Labels; t: number }): Place | undefined {
    return this.#series.get(labels.key())?.places.get(t);
  }

  #bury(series: NaiveSeries, t: number, { candidates }: Place): void {
    series.places.delete(t);
    this.#expired = [...this.#expired, { labels: series.labels, t, candidates }];
  }

  #set({ labels, t }: { labels: Labels; t: number }, place: Place): void {
    const key = labels.key();
    const series = this.#series.get(key) ?? new NaiveSeries(labels);
    this.#series.set(key, series);
    series.places.set(t, place);
    series.newestEver = Math.max(series.newestEver, t);
    this.#newestEver = Math.max(this.#newestEver, t);
  }

  #forEachPlace(visit: (series: NaiveSeries, t: number, place: Place) => void): void {
    for (const series of this.#series.values()) {
      for (const [t, place] of [...series.places]) visit(series, t, place);
    }
  }
}

function fits({ value, startMs }: Candidate, sample: Pick<ReadSample, 'value' | 'startMs'>): boolean {
  return value === sample.value && (startMs === undefined || startMs === sample.startMs);
}

/** The same value came again; whether it is the first or the second that stands shows in nothing but this. */
function repeated(one: Candidate, { startMs }: NaiveSample, epoch: number): Candidate {
  return {
    value: one.value,
    startMs: one.startMs === startMs ? startMs : undefined,
    epochLow: one.epochLow,
    epochHigh: Math.max(one.epochHigh, epoch),
  };
}

function unique(candidates: readonly Candidate[]): Candidate[] {
  const byValue = new Map<string, Candidate>();
  for (const one of candidates) {
    const other = byValue.get(one.value);
    byValue.set(
      one.value,
      other === undefined
        ? one
        : {
            value: one.value,
            startMs: one.startMs === other.startMs ? one.startMs : undefined,
            epochLow: Math.min(one.epochLow, other.epochLow),
            epochHigh: Math.max(one.epochHigh, other.epochHigh),
          },
    );
  }
  return [...byValue.values()];
}

function nameOf(verdict: number): string {
  return Object.entries(SampleVerdict).find(([, number]) => number === verdict)?.[0] ?? `${verdict}`;
}
