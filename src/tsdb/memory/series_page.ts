/**
 * The state of 4,096 series as columns: 244 bytes each, no object per series. Every series has an open tail of a few
 * raw samples; older ones are in compressed runs (sample_runs.ts).
 */

export const pageBits = 12;
export const pageSeries: number = 1 << pageBits;
export const pageMask: number = pageSeries - 1;
/** Raw samples per series: at 12 bytes each the largest part of a series that stands still. */
export const tailSamples = 16;

/** What few series have and is kept beside the pages. */
export const SeriesExtra = {
  /** Late samples, frozen ones too. */
  late: 1,
  /** Histograms among the samples that came in order. */
  histograms: 2,
  /** More than one epoch among the samples that came in order. */
  epochs: 4,
  startTimes: 8,
} as const;

export class SeriesPage {
  /** Milliseconds since the tail's base, `tailSamples` per series. */
  readonly tailDeltas: Uint32Array = new Uint32Array(pageSeries * tailSamples);
  readonly tailValues: Float64Array = new Float64Array(pageSeries * tailSamples);
  /** The same bits as words, two per value: how samples are moved, so that a NaN stays what it is. */
  readonly tailWords: Uint32Array = new Uint32Array(this.tailValues.buffer);
  /** Time of the tail's first sample. */
  readonly tailBaseMs: Float64Array = new Float64Array(pageSeries);
  /** 0 only while the series has no sample at all, so that the newest one is always here. */
  readonly tailCount: Uint8Array = new Uint8Array(pageSeries);
  /** Number of the series in its shard's log; 0 when it has none. */
  readonly id: Uint32Array = new Uint32Array(pageSeries);
  /** Epoch of the newest sample that came in order. */
  readonly epoch: Uint32Array = new Uint32Array(pageSeries);
  /** What else there is of a series, in `SeriesExtra` bits. */
  readonly extras: Uint8Array = new Uint8Array(pageSeries);
  /** 1 while a series has the slot. */
  readonly live: Uint8Array = new Uint8Array(pageSeries);
  /** Counts the series that had this slot before. */
  readonly generation: Uint16Array = new Uint16Array(pageSeries);
  readonly shard: Uint16Array = new Uint16Array(pageSeries);
  readonly hash: Int32Array = new Int32Array(pageSeries);
  readonly labelsAt: Uint32Array = new Uint32Array(pageSeries);
  readonly labelCount: Uint16Array = new Uint16Array(pageSeries);
  /** Address of the oldest run, 0 when there is none. */
  readonly firstRun: Uint32Array = new Uint32Array(pageSeries);
  /** Address of the newest full run, 0 when there is none; short ones follow. */
  readonly lastFullRun: Uint32Array = new Uint32Array(pageSeries);
  /** How many short runs there are, and the address of the newest run of all, so that none need be walked over. */
  readonly shortRuns: Uint8Array = new Uint8Array(pageSeries);
  readonly lastRun: Uint32Array = new Uint32Array(pageSeries);

  /** Time of the newest sample, -Infinity when there is none. */
  newestMs(i: number): number {
    const count = this.tailCount[i] as number;
    if (count === 0) return Number.NEGATIVE_INFINITY;
    return (this.tailBaseMs[i] as number) + (this.tailDeltas[i * tailSamples + count - 1] as number);
  }
}
