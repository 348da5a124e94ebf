/** Federation: the newest samples of the selected series over the cluster, as the federating server wants them written. */
import { errorText } from '../../base/index.ts';
import type { SeriesColumns } from '../../model/index.ts';
import { parseSelector } from '../../promql/index.ts';
import { type Replicas, selectSeries } from '../../query/index.ts';
import { federateFamilies, federateProtobuf, federateText } from '../../remote/index.ts';
import type { FederateOutcome, FederateSpec } from './remote_messages.ts';

const deadlineMs = 60_000;
const encoder = new TextEncoder();

/** Never rejects. What a node that is away has is missing, and counted as a warning. */
export async function federate(
  { selectors, format, externalLabels, nowMs, lookbackMs }: FederateSpec,
  replicasFor: (deadlineMs: number) => Replicas,
): Promise<FederateOutcome> {
  let anyOf: ReturnType<typeof parseSelector>[];
  try {
    const parsed = selectors.map((text) => parseSelector(text, { emptyAllowed: true }));
    // `{}` is taken and means nothing, as with Prometheus.
    anyOf = parsed.filter((matchers) => matchers.length > 0);
  } catch (error) {
    return { status: 400, message: errorText(error) };
  }
  try {
    const signal = AbortSignal.timeout(deadlineMs);
    let warnings = 0;
    const found = await Promise.all(
      anyOf.map(async (matchers) => {
        const newestAt = { firstMs: nowMs, stepMs: 1, steps: 1 };
        const request = { matchers, fromMs: nowMs - lookbackMs, toMs: nowMs, stepMs: 0, newestAt };
        const { series, isIncomplete } = await selectSeries(
          replicasFor(deadlineMs),
          request,
          deadlineMs,
          signal,
        );
        if (isIncomplete) warnings++;
        return series;
      }),
    );
    const series = distinct(found);
    const isProtobuf = format.type === 'protobuf';
    const families = federateFamilies(series, externalLabels, isProtobuf);
    const body = isProtobuf
      ? federateProtobuf(families, format.escaping)
      : encoder.encode(federateText(families, format.escaping));
    return { status: 200, body, warnings };
  } catch (error) {
    return { status: 500, message: errorText(error) };
  }
}

/** A series that several selectors mean once, all sorted by labels. */
function distinct(found: readonly (readonly SeriesColumns[])[]): readonly SeriesColumns[] {
  const [only] = found;
  if (found.length === 1 && only !== undefined) return only;
  const byKey = new Map(found.flat().map((series) => [series.labels.key(), series]));
  return [...byKey.values()].sort((a, b) => a.labels.compare(b.labels));
}
