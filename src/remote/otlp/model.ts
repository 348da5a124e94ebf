/** OTLP metrics (opentelemetry-proto, metrics/v1) as far as they become series, whether they came as protobuf or JSON. */
import { RemoteRequestError, remoteErrorCodes } from '../errors.ts';

/** Keys and values as text, in the order in which they came. */
export type Attributes = readonly (readonly [key: string, value: string])[];

export const Temporality = { Unspecified: 0, Delta: 1, Cumulative: 2 } as const;

export interface OtlpExemplar {
  readonly timestampMs: number;
  readonly value: number;
  /** Hexadecimal; empty when there is none. */
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Attributes;
}

interface PointBase {
  readonly attributes: Attributes;
  readonly timestampMs: number;
  /** Says that the series has ended. */
  readonly isStale: boolean;
}

export interface NumberPoint extends PointBase {
  readonly value: number;
  readonly exemplars: readonly OtlpExemplar[];
}

export interface HistogramPoint extends PointBase {
  readonly count: number;
  /** Undefined: not measured. */
  readonly sum: number | undefined;
  readonly bucketCounts: readonly number[];
  readonly explicitBounds: readonly number[];
  readonly exemplars: readonly OtlpExemplar[];
}

export interface Buckets {
  readonly offset: number;
  readonly counts: readonly number[];
}

export interface ExponentialPoint extends PointBase {
  readonly count: number;
  readonly sum: number | undefined;
  readonly scale: number;
  readonly zeroCount: number;
  readonly positive: Buckets;
  readonly negative: Buckets;
  readonly exemplars: readonly OtlpExemplar[];
}

export interface SummaryPoint extends PointBase {
  readonly count: number;
  readonly sum: number;
  readonly quantiles: readonly { readonly quantile: number; readonly value: number }[];
}

export type OtlpData =
  | { readonly kind: 'gauge'; readonly points: readonly NumberPoint[] }
  | {
      readonly kind: 'sum';
      readonly points: readonly NumberPoint[];
      readonly temporality: number;
      readonly isMonotonic: boolean;
    }
  | { readonly kind: 'histogram'; readonly points: readonly HistogramPoint[]; readonly temporality: number }
  | {
      readonly kind: 'exponential';
      readonly points: readonly ExponentialPoint[];
      readonly temporality: number;
    }
  | { readonly kind: 'summary'; readonly points: readonly SummaryPoint[] };

export interface OtlpMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  /** Undefined: of a kind that is not known here. */
  readonly data: OtlpData | undefined;
}

export interface OtlpScope {
  readonly name: string;
  readonly version: string;
  readonly schemaUrl: string;
  readonly attributes: Attributes;
  readonly metrics: readonly OtlpMetric[];
}

export interface OtlpResource {
  readonly attributes: Attributes;
  readonly scopes: readonly OtlpScope[];
}

/** Values of attributes nest; below this depth the request is refused. */
export const valueDepthMax = 64;
/** Data points, exemplars, buckets and attributes of one request together; each is an object or a number in memory. */
const partsMax = 5_000_000;

/** Counts what a request is made of, since few bytes may be many objects. */
export class PartCounter {
  #count = 0;

  /** Throws RemoteRequestError: `request_too_large`. */
  add(): void {
    if (++this.#count <= partsMax) return;
    const message = `the request has more than ${partsMax} data points, attributes and buckets`;
    throw new RemoteRequestError(remoteErrorCodes.tooLarge, message);
  }
}

/** A value of an attribute while it is read. Integers may be beyond what a number holds, so they are texts already. */
export type AnyValue =
  | undefined
  | string
  | boolean
  | { readonly integer: string }
  | { readonly double: number }
  | { readonly bytes: Uint8Array }
  | { readonly list: readonly AnyValue[] }
  | { readonly fields: readonly (readonly [string, AnyValue])[] };

/** As the collector's `AsString` gives it: scalars as they are, lists and maps as JSON, bytes as base64. */
export function valueText(value: AnyValue): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if ('integer' in value) return value.integer;
  if ('double' in value) return doubleText(value.double);
  if ('bytes' in value) return Buffer.from(value.bytes).toString('base64');
  return jsonText(value);
}

/** As encoding/json writes it. */
function doubleText(value: number): string {
  if (!Number.isFinite(value)) {
    const text = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
    return `json: unsupported value: ${text}`;
  }
  // JavaScript's own form differs in a plus sign before the exponent alone, and in -0.
  return Object.is(value, -0) ? '-0' : String(value);
}

const htmlChars: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

function jsonString(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (char) => htmlChars[char] as string);
}

function jsonText(value: AnyValue): string {
  if (value === undefined) return 'null';
  if (typeof value === 'string') return jsonString(value);
  if (typeof value === 'boolean') return String(value);
  if ('list' in value) return `[${value.list.map(jsonText).join(',')}]`;
  if ('fields' in value) {
    // A later field of the same name wins, and names are in order.
    const fields = [...new Map(value.fields)].sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([key, item]) => `${jsonString(key)}:${jsonText(item)}`).join(',')}}`;
  }
  if ('bytes' in value) return jsonString(valueText(value));
  return valueText(value);
}

const nanosPerMs = 1_000_000;
/** 2^32 ns are so many milliseconds and so many nanoseconds. */
const highMs = 4_294;
const highRestNanos = 967_296;

/** Nanoseconds since the epoch, given by their words, as whole milliseconds. */
export function millisOf(low: number, high: number): number {
  return (high >>> 0) * highMs + Math.floor(((high >>> 0) * highRestNanos + low) / nanosPerMs);
}

/** OTLP's flag that a point has no value. */
export const noRecordedValue = 1;
