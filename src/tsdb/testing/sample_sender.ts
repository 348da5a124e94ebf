/** A sender of samples that keeps the store's references of its series for as long as the store is open. */
import type { Labels, WriteBatch } from '../../model/index.ts';
import type { NaiveSample } from './naive_store.ts';
import { floatText, histogramText } from './read_back.ts';
import { beginMs, floats, histograms, hourMs, type SampleSpec, tickMs } from './shard_commands.ts';

export class Sender {
  readonly #series: readonly Labels[];
  readonly #storeRefs: Int32Array;

  constructor(series: readonly Labels[]) {
    this.#series = series;
    this.#storeRefs = new Int32Array(series.length).fill(-1);
  }

  samples(specs: readonly SampleSpec[], nowTickMs: number): NaiveSample[] {
    return specs.map(({ series, back, value, start }) => ({
      labels: this.#series[series] as Labels,
      t: nowTickMs - back * tickMs,
      value: valueText(value),
      startMs: startOf(start),
    }));
  }

  /** Without the store's references where the samples are `handedOver`. */
  batch(specs: readonly SampleSpec[], nowTickMs: number, handedOver: boolean): WriteBatch {
    const bits = specs.map(({ value }) => floats[value] ?? 0n);
    const batch = {
      series: this.#series,
      refs: Uint32Array.from(specs, ({ series }) => series),
      timestamps: Float64Array.from(specs, ({ back }) => nowTickMs - back * tickMs),
      values: new Float64Array(BigUint64Array.from(bits).buffer),
    };
    const hasHistograms = specs.some(({ value }) => value >= floats.length);
    const hasStarts = specs.some(({ start }) => start > 0);
    return {
      ...batch,
      ...(hasHistograms
        ? { histograms: specs.map(({ value }) => histograms[value - floats.length] ?? null) }
        : {}),
      ...(hasStarts ? { startTimes: Float64Array.from(specs, ({ start }) => startOf(start)) } : {}),
      ...(handedOver ? {} : { storeRefs: this.#storeRefs }),
    };
  }
}

function valueText(value: number): string {
  const histogram = histograms[value - floats.length];
  return histogram === undefined ? floatText(floats[value] as bigint) : histogramText(histogram);
}

function startOf(hours: number): number {
  return hours === 0 ? 0 : beginMs + hours * hourMs;
}
