/**
 * Bucket bounds and quantiles become OpenMetrics floats ("1" is "1.0"), as Prometheus does since 3.0, so that
 * a client that changes its exposition format doesn't change its series.
 */
import { parseFloatText } from '../../model/index.ts';
import { formatOpenMetricsFloat } from './number.ts';

/** Rewrites in place the `le` of a histogram or the `quantile` of a summary in a flat list of pairs. */
export function normalizeBucketLabels(metricType: string, pairs: string[]): void {
  const label = metricType === 'histogram' ? 'le' : metricType === 'summary' ? 'quantile' : undefined;
  if (label === undefined) return;
  for (let i = 0; i < pairs.length; i += 2) {
    if (pairs[i] !== label) continue;
    const value = parseFloatText(pairs[i + 1] as string);
    if (value !== undefined) pairs[i + 1] = formatOpenMetricsFloat(value);
  }
}
