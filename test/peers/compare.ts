/**
 * Answers of two Prometheus APIs to the same request, brought into a form in which they can be compared: sorted by
 * labels where the order is open, numbers equal within a tolerance.
 */
const requestTimeoutMs = 20_000;
/** What is left of numbers that cancel each other out depends on the order of summing. */
const noiseFloor = 1e-8;

export interface ApiAnswer {
  readonly status: string;
  readonly data?: unknown;
  readonly errorType?: string;
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
}

export type LabelRecord = Readonly<Record<string, string>>;
type Point = readonly [atSeconds: number, value: string];

interface ResultSeries {
  readonly metric: LabelRecord;
  readonly value?: Point;
  readonly values?: readonly Point[];
  readonly histogram?: HistogramPoint;
  readonly histograms?: readonly HistogramPoint[];
}

type HistogramPoint = readonly [
  atSeconds: number,
  histogram: {
    readonly count: string;
    readonly sum: string;
    readonly buckets?: readonly (readonly [boundary: number, lower: string, upper: string, count: string])[];
  },
];

/** A histogram's numbers in a row: as many points of one time. */
function numbersOf([at, { count, sum, buckets = [] }]: HistogramPoint): Point[] {
  const all = [count, sum, ...buckets.flatMap((bucket) => bucket.map(String))];
  return all.map((text) => [at, text]);
}

function pointsOf({ value, values, histogram, histograms }: ResultSeries): readonly Point[] {
  const floats = values ?? (value === undefined ? [] : [value]);
  const others = histograms ?? (histogram === undefined ? [] : [histogram]);
  return others.length === 0 ? floats : [...floats, ...others.flatMap(numbersOf)];
}

/** GET of `/api/v1/<path>` with parameters. */
export async function api(
  url: string,
  path: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<ApiAnswer> {
  const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`, {
    signal: AbortSignal.timeout(requestTimeoutMs),
  });
  return (await response.json()) as ApiAnswer;
}

/** Labels as text that is the same for equal label sets. */
export function labelText(labels: LabelRecord): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function numbersAgree(a: string, b: string, tolerance: number): boolean {
  if (a === b) return true;
  const [x, y] = [Number(a), Number(b)];
  return Math.abs(x - y) <= tolerance * Math.max(Math.abs(x), Math.abs(y), noiseFloor);
}

function pointsDiffer(ours: ResultSeries, real: ResultSeries, tolerance: number): string | undefined {
  const oursPoints = pointsOf(ours);
  const realPoints = pointsOf(real);
  const at = Math.max(oursPoints.length, realPoints.length);
  for (let i = 0; i < at; i++) {
    const [a, b] = [oursPoints[i], realPoints[i]];
    if (a === undefined || b === undefined || a[0] !== b[0] || !numbersAgree(a[1], b[1], tolerance)) {
      const counts = `${oursPoints.length} and ${realPoints.length} points`;
      return `point ${i}: ours ${JSON.stringify(a)}, real ${JSON.stringify(b)} (${counts})`;
    }
  }
  return undefined;
}

function seriesDiffer(
  ours: readonly ResultSeries[],
  real: readonly ResultSeries[],
  options: CompareOptions,
): string | undefined {
  const keyOf = ({ metric }: ResultSeries): string => labelText(metric);
  if (options.ordered) {
    const [a, b] = [ours.map(keyOf), real.map(keyOf)];
    const at = b.findIndex((key, i) => key !== a[i]);
    if (at >= 0) return `order: at ${at} ours ${a[at]}, real ${b[at]}`;
  }
  const left = new Map(ours.map((one) => [keyOf(one), one]));
  if (left.size !== ours.length) return 'ours has a label set twice';
  for (const one of real) {
    const key = keyOf(one);
    const same = left.get(key);
    if (same === undefined)
      return `ours lacks ${key} ${JSON.stringify(one.value)} (${ours.length} of ${real.length})`;
    left.delete(key);
    const difference = pointsDiffer(same, one, options.tolerance);
    if (difference !== undefined) return `${key}: ${difference}`;
  }
  const [more] = left;
  return more === undefined ? undefined : `ours has ${more[0]} too (${ours.length}, not ${real.length})`;
}

export interface CompareOptions {
  /** Relative. */
  readonly tolerance: number;
  /** Whether the order of the series is part of the answer. */
  readonly ordered: boolean;
}

/** The first difference between two answers of query or query_range, as a sentence; undefined when they agree. */
export function difference(ours: ApiAnswer, real: ApiAnswer, options: CompareOptions): string | undefined {
  if (ours.status !== real.status || ours.errorType !== real.errorType || ours.error !== real.error) {
    return `ours ${ours.status} ${ours.errorType ?? ''} ${ours.error ?? ''}; real ${real.status} ${real.errorType ?? ''} ${real.error ?? ''}`;
  }
  if (real.status !== 'success') return undefined;
  const notes = (answer: ApiAnswer): string => JSON.stringify([answer.warnings ?? [], answer.infos ?? []]);
  const [a, b] = [ours.data, real.data] as { resultType: string; result: unknown }[];
  if (a?.resultType !== b?.resultType) return `types: ours ${a?.resultType}, real ${b?.resultType}`;
  if (b?.resultType === 'vector' || b?.resultType === 'matrix') {
    const found = seriesDiffer(a?.result as ResultSeries[], b.result as ResultSeries[], options);
    if (found !== undefined) return found;
  } else if (JSON.stringify(a?.result) !== JSON.stringify(b?.result)) {
    return `ours ${JSON.stringify(a?.result)}, real ${JSON.stringify(b?.result)}`;
  }
  return notes(ours) === notes(real) ? undefined : `notes: ours ${notes(ours)}, real ${notes(real)}`;
}
