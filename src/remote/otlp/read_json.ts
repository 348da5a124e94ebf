/**
 * The same request from JSON (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"): names in camel case, 64-bit
 * integers as text or number, ids in hexadecimal, enums as numbers or names. Unknown fields are skipped.
 */
import {
  type AnyValue,
  type Attributes,
  type Buckets,
  type ExponentialPoint,
  type HistogramPoint,
  millisOf,
  type NumberPoint,
  noRecordedValue,
  type OtlpData,
  type OtlpExemplar,
  type OtlpMetric,
  type OtlpResource,
  type OtlpScope,
  PartCounter,
  type SummaryPoint,
  Temporality,
  valueDepthMax,
  valueText,
} from './model.ts';
import { malformed } from './read_protobuf.ts';

type Fields = Readonly<Record<string, unknown>>;

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Throws RemoteRequestError: `message_malformed`, `request_too_large`. */
export function readOtlpJson(bytes: Uint8Array): OtlpResource[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : 'no JSON');
  }
  return new JsonReader().resources(fieldsOf(parsed, 'the request'));
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw malformed(`${what} is no object`);
}

function text(fields: Fields, name: string): string {
  const value = fields[name] ?? '';
  if (typeof value === 'string') return value;
  throw malformed(`${name} is no text`);
}

/** A number, a text of one, or what doubles have beside numbers. */
function numberOf(value: unknown, name: string): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && value.trim() !== '') {
    if (value === 'NaN') return Number.NaN;
    const number = Number(value);
    if (!Number.isNaN(number)) return number;
  }
  throw malformed(`${name} is no number`);
}

function number(fields: Fields, name: string): number {
  const value = fields[name] ?? null;
  return value === null ? 0 : numberOf(value, name);
}

function integerOf(value: unknown, name: string): bigint {
  try {
    if (typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value)))
      return BigInt(value);
  } catch {
    // Falls through to the complaint.
  }
  throw malformed(`${name} is no integer`);
}

function timeMs(fields: Fields, name: string): number {
  const value = fields[name] ?? null;
  if (value === null) return 0;
  const nanos = BigInt.asUintN(64, integerOf(value, name));
  return millisOf(Number(nanos & 0xffff_ffffn), Number(nanos >> 32n));
}

function isStale(fields: Fields): boolean {
  return (number(fields, 'flags') & noRecordedValue) !== 0;
}

const temporalities: Readonly<Record<string, number>> = {
  AGGREGATION_TEMPORALITY_DELTA: Temporality.Delta,
  AGGREGATION_TEMPORALITY_CUMULATIVE: Temporality.Cumulative,
};

function temporalityOf(fields: Fields): number {
  const value = fields['aggregationTemporality'];
  if (typeof value === 'string' && Object.hasOwn(temporalities, value)) return temporalities[value] as number;
  return value === undefined || typeof value === 'string' ? 0 : numberOf(value, 'aggregationTemporality');
}

class JsonReader {
  readonly #parts = new PartCounter();

  /** The elements of a list that may be absent. */
  #list<T>(fields: Fields, name: string, read: (item: unknown) => T): T[] {
    const value = fields[name] ?? [];
    if (!Array.isArray(value)) throw malformed(`${name} is no list`);
    return value.map((item: unknown) => {
      this.#parts.add();
      return read(item);
    });
  }

  #objects<T>(fields: Fields, name: string, read: (item: Fields) => T): T[] {
    return this.#list(fields, name, (item) => read(fieldsOf(item, name)));
  }

  resources(request: Fields): OtlpResource[] {
    return this.#objects(request, 'resourceMetrics', (fields) => ({
      attributes: this.#attributes(fieldsOf(fields['resource'] ?? {}, 'resource')),
      scopes: this.#objects(fields, 'scopeMetrics', (scope) => this.#scope(scope)),
    }));
  }

  #scope(fields: Fields): OtlpScope {
    const scope = fieldsOf(fields['scope'] ?? {}, 'scope');
    return {
      name: text(scope, 'name'),
      version: text(scope, 'version'),
      schemaUrl: text(fields, 'schemaUrl'),
      attributes: this.#attributes(scope),
      metrics: this.#objects(fields, 'metrics', (metric) => this.#metric(metric)),
    };
  }

  #attributes(fields: Fields, name = 'attributes'): Attributes {
    return this.#objects(fields, name, (item) => {
      const [key, value] = this.#keyValue(item, 0);
      return [key, valueText(value)] as const;
    });
  }

  #keyValue(fields: Fields, depth: number): readonly [string, AnyValue] {
    return [text(fields, 'key'), this.#value(fieldsOf(fields['value'] ?? {}, 'value'), depth)];
  }

  #value(fields: Fields, depth: number): AnyValue {
    if (depth > valueDepthMax) throw malformed(`a value nests deeper than ${valueDepthMax}`);
    if ('stringValue' in fields) return text(fields, 'stringValue');
    if ('boolValue' in fields) return fields['boolValue'] === true;
    if ('intValue' in fields) return { integer: String(integerOf(fields['intValue'], 'intValue')) };
    if ('doubleValue' in fields) return { double: number(fields, 'doubleValue') };
    if ('bytesValue' in fields) return { bytes: Buffer.from(text(fields, 'bytesValue'), 'base64') };
    if ('arrayValue' in fields) {
      const array = fieldsOf(fields['arrayValue'], 'arrayValue');
      return { list: this.#objects(array, 'values', (item) => this.#value(item, depth + 1)) };
    }
    if ('kvlistValue' in fields) {
      const list = fieldsOf(fields['kvlistValue'], 'kvlistValue');
      return { fields: this.#objects(list, 'values', (item) => this.#keyValue(item, depth + 1)) };
    }
    return undefined;
  }

  #metric(fields: Fields): OtlpMetric {
    return {
      name: text(fields, 'name'),
      description: text(fields, 'description'),
      unit: text(fields, 'unit'),
      data: this.#data(fields),
    };
  }

  #data(metric: Fields): OtlpData | undefined {
    const of = (name: string): Fields | undefined =>
      metric[name] === undefined ? undefined : fieldsOf(metric[name], name);
    const gauge = of('gauge');
    if (gauge !== undefined) return { kind: 'gauge', points: this.#numbers(gauge) };
    const sum = of('sum');
    if (sum !== undefined) {
      const isMonotonic = sum['isMonotonic'] === true;
      return { kind: 'sum', points: this.#numbers(sum), temporality: temporalityOf(sum), isMonotonic };
    }
    const histogram = of('histogram');
    if (histogram !== undefined) {
      const points = this.#objects(histogram, 'dataPoints', (point) => this.#histogram(point));
      return { kind: 'histogram', points, temporality: temporalityOf(histogram) };
    }
    const exponential = of('exponentialHistogram');
    if (exponential !== undefined) {
      const points = this.#objects(exponential, 'dataPoints', (point) => this.#exponential(point));
      return { kind: 'exponential', points, temporality: temporalityOf(exponential) };
    }
    const summary = of('summary');
    if (summary === undefined) return undefined;
    return { kind: 'summary', points: this.#objects(summary, 'dataPoints', (point) => this.#summary(point)) };
  }

  #base(fields: Fields): { attributes: Attributes; timestampMs: number; isStale: boolean } {
    return {
      attributes: this.#attributes(fields),
      timestampMs: timeMs(fields, 'timeUnixNano'),
      isStale: isStale(fields),
    };
  }

  #numbers(fields: Fields): NumberPoint[] {
    return this.#objects(fields, 'dataPoints', (point) => ({
      ...this.#base(point),
      value: pointValue(point),
      exemplars: this.#exemplars(point),
    }));
  }

  #exemplars(fields: Fields): OtlpExemplar[] {
    return this.#objects(fields, 'exemplars', (exemplar) => ({
      timestampMs: timeMs(exemplar, 'timeUnixNano'),
      value: pointValue(exemplar),
      traceId: idOf(exemplar, 'traceId'),
      spanId: idOf(exemplar, 'spanId'),
      attributes: this.#attributes(exemplar, 'filteredAttributes'),
    }));
  }

  #numbersOf(fields: Fields, name: string): number[] {
    return this.#list(fields, name, (item) => numberOf(item, name));
  }

  #histogram(fields: Fields): HistogramPoint {
    return {
      ...this.#base(fields),
      count: number(fields, 'count'),
      sum: fields['sum'] === undefined ? undefined : number(fields, 'sum'),
      bucketCounts: this.#numbersOf(fields, 'bucketCounts'),
      explicitBounds: this.#numbersOf(fields, 'explicitBounds'),
      exemplars: this.#exemplars(fields),
    };
  }

  #exponential(fields: Fields): ExponentialPoint {
    const buckets = (name: string): Buckets => {
      const given = fieldsOf(fields[name] ?? {}, name);
      return { offset: number(given, 'offset'), counts: this.#numbersOf(given, 'bucketCounts') };
    };
    return {
      ...this.#base(fields),
      count: number(fields, 'count'),
      sum: fields['sum'] === undefined ? undefined : number(fields, 'sum'),
      scale: number(fields, 'scale'),
      zeroCount: number(fields, 'zeroCount'),
      positive: buckets('positive'),
      negative: buckets('negative'),
      exemplars: this.#exemplars(fields),
    };
  }

  #summary(fields: Fields): SummaryPoint {
    return {
      ...this.#base(fields),
      count: number(fields, 'count'),
      sum: number(fields, 'sum'),
      quantiles: this.#objects(fields, 'quantileValues', (item) => ({
        quantile: number(item, 'quantile'),
        value: number(item, 'value'),
      })),
    };
  }
}

function pointValue(fields: Fields): number {
  return fields['asInt'] === undefined
    ? number(fields, 'asDouble')
    : Number(integerOf(fields['asInt'], 'asInt'));
}

/** Lower case; an id of zeros is none. */
function idOf(fields: Fields, name: string): string {
  const id = text(fields, name).toLowerCase();
  if (!/^([0-9a-f]{2})*$/.test(id)) throw malformed(`${name} is not hexadecimal`);
  return /^0*$/.test(id) ? '' : id;
}
