/**
 * For tests: a Storage over series that are given.
 */
import { matchesAll, type SeriesColumns } from '../../model/index.ts';
import type { SelectRequest, Storage } from '../types.ts';
import { thinned } from './thinned.ts';

/** Answers from `series`, and remembers what it was asked. */
export class GivenStorage implements Storage {
  readonly requests: SelectRequest[] = [];
  readonly #series: readonly SeriesColumns[];

  constructor(series: readonly SeriesColumns[]) {
    this.#series = [...series].sort((a, b) => a.labels.compare(b.labels));
  }

  async select(request: SelectRequest): Promise<readonly SeriesColumns[]> {
    this.requests.push(request);
    const found: SeriesColumns[] = [];
    for (const { labels, timestamps, values, histograms, startTimes } of this.#series) {
      if (!matchesAll(request.matchers, labels)) continue;
      let from = 0;
      while (from < timestamps.length && (timestamps[from] as number) < request.fromMs) from++;
      let to = from;
      while (to < timestamps.length && (timestamps[to] as number) <= request.toMs) to++;
      if (to === from) continue;
      const part = {
        labels,
        timestamps: timestamps.slice(from, to),
        values: values.slice(from, to),
        ...(histograms === undefined ? {} : { histograms: histograms.slice(from, to) }),
        ...(startTimes === undefined ? {} : { startTimes: startTimes.slice(from, to) }),
      };
      found.push(thinned(part, request.newestAt));
    }
    return found;
  }
}
