/**
 * Selectors of which only the counts and sums of histograms matter: below histogram_count, histogram_sum and histogram_avg,
 * and nothing that looks at buckets. As in Prometheus they deliver histograms without buckets, so that buckets that don't
 * fit cause no notes. What the buckets tell of counter resets is kept as a hint.
 */
import { CounterResetHint, FloatHistogram, type SeriesColumns } from '../../model/index.ts';
import { childrenOf, type Expr, type VectorSelector } from '../parse/tree.ts';

const readsTotals: ReadonlySet<string> = new Set(['histogram_count', 'histogram_sum', 'histogram_avg']);
const readsBuckets: ReadonlySet<string> = new Set([
  'histogram_quantile',
  'histogram_quantiles',
  'histogram_fraction',
]);

interface Use {
  readonly expr: Expr;
  readonly totals: boolean;
  readonly buckets: boolean;
}

/** The selectors below `expr` whose buckets nobody reads. */
export function bucketlessSelectors(expr: Expr): Set<VectorSelector> {
  const found = new Set<VectorSelector>();
  const open: Use[] = [{ expr, totals: false, buckets: false }];
  for (let use = open.pop(); use !== undefined; use = open.pop()) {
    const node = use.expr;
    if (node.kind === 'vector' && use.totals && !use.buckets) found.add(node);
    const func = node.kind === 'call' ? node.func : '';
    const isTrim = node.kind === 'binary' && (node.op === '</' || node.op === '>/');
    // A subquery skips samples, so resets must be looked for in the buckets of those that it has.
    const buckets = use.buckets || node.kind === 'subquery' || isTrim || readsBuckets.has(func);
    const totals = use.totals || readsTotals.has(func);
    for (const child of childrenOf(node)) open.push({ expr: child, totals, buckets });
  }
  return found;
}

/** The same samples, histograms with their totals alone. */
export function withoutBuckets(series: SeriesColumns): SeriesColumns {
  if (series.histograms === undefined) return series;
  let previous: FloatHistogram | undefined;
  const histograms = series.histograms.map((histogram) => {
    if (histogram === null || histogram.isStale) return histogram;
    const { schema, count, sum } = histogram;
    const counterResetHint = hintOf(histogram, previous);
    previous = histogram.withHint(counterResetHint);
    return new FloatHistogram({ schema, count, sum, counterResetHint });
  });
  return { ...series, histograms };
}

function hintOf(histogram: FloatHistogram, previous: FloatHistogram | undefined): CounterResetHint {
  const { Unknown, Reset, NotReset } = CounterResetHint;
  if (histogram.counterResetHint !== Unknown || previous === undefined) return histogram.counterResetHint;
  return histogram.detectReset(previous) ? Reset : NotReset;
}
