/**
 * From columns to results, and from results to the JSON of the HTTP API, exactly as Prometheus prints it.
 */
import { assert } from '../base/index.ts';
import { formatFloat, formatFloatJson, formatTimestamp } from '../model/index.ts';
import type { Grid } from './eval/grid.ts';
import type { Value } from './eval/values.ts';
import { toColumns } from './eval/windows.ts';
import type { MatrixSeries, QueryResult, QueryValue, VectorSample } from './types.ts';

/** The value of an instant query, in the order in which it was computed. */
export function instantValue(value: Value, atMs: number): QueryValue {
  if (value.type === 'string') return { type: 'string', timestampMs: atMs, text: value.text };
  if (value.type === 'scalar') return { type: 'scalar', timestampMs: atMs, value: value.values[0] as number };
  const samples: VectorSample[] = [];
  for (const { labels, values, present } of value.series) {
    if (present[0] === 1) samples.push({ labels, timestampMs: atMs, value: values[0] as number });
  }
  return { type: 'vector', samples };
}

/** The value of a range query, ordered by labels. */
export function rangeValue(
  value: Exclude<Value, { type: 'string' }>,
  grid: Grid,
  noLabels: MatrixSeries['labels'],
): QueryValue {
  if (value.type === 'scalar') {
    const timestamps = new Float64Array(grid.steps);
    for (let i = 0; i < grid.steps; i++) timestamps[i] = grid.startMs + i * grid.stepMs;
    return { type: 'matrix', series: [{ labels: noLabels, timestamps, values: value.values }] };
  }
  const series = value.series.map((one) => toColumns(one, grid)).filter(({ values }) => values.length > 0);
  return { type: 'matrix', series: sortedByLabels(series) };
}

export function sortedByLabels(series: readonly MatrixSeries[]): MatrixSeries[] {
  return [...series].sort((a, b) => a.labels.compare(b.labels));
}

/** `{"resultType":...,"result":...}`. A range query's result is always a matrix. */
export function resultToJson(result: Pick<QueryResult, 'value'>, instant: boolean): string {
  const { value } = result;
  assert(instant || value.type === 'matrix', 'a range query gives a matrix');
  switch (value.type) {
    case 'scalar':
      return envelope('scalar', `[${value.timestampMs / 1000},"${formatFloat(value.value)}"]`);
    case 'string':
      return envelope('string', `[${value.timestampMs / 1000},${JSON.stringify(value.text)}]`);
    case 'vector':
      return envelope('vector', `[${value.samples.map(sampleJson).join(',')}]`);
    case 'matrix':
      return envelope('matrix', `[${value.series.map(seriesJson).join(',')}]`);
  }
}

function envelope(type: string, result: string): string {
  return `{"resultType":"${type}","result":${result}}`;
}

/** The time without decimals or with three: not as a scalar's, which has as many as it needs. */
function point(timestampMs: number, value: number): string {
  return `[${formatTimestamp(timestampMs)},"${formatFloatJson(value)}"]`;
}

function sampleJson({ labels, timestampMs, value }: VectorSample): string {
  return `{"metric":${JSON.stringify(labels.toRecord())},"value":${point(timestampMs, value)}}`;
}

function seriesJson({ labels, timestamps, values }: MatrixSeries): string {
  const points: string[] = [];
  for (let i = 0; i < timestamps.length; i++) {
    points.push(point(timestamps[i] as number, values[i] as number));
  }
  return `{"metric":${JSON.stringify(labels.toRecord())},"values":[${points.join(',')}]}`;
}
