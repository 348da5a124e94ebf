/** `opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest` from protobuf. Unknown fields are skipped. */
import { RemoteRequestError, remoteErrorCodes } from '../errors.ts';
import { ProtoReader } from '../proto_reader.ts';
import {
  type AnyValue,
  type Attributes,
  millisOf,
  type OtlpData,
  type OtlpExemplar,
  type OtlpMetric,
  type OtlpResource,
  type OtlpScope,
  PartCounter,
  valueDepthMax,
  valueText,
} from './model.ts';
import {
  readExponentialPoint,
  readHistogramPoint,
  readNumberPoint,
  readSummaryPoint,
} from './read_points.ts';

/** What all readers of one request share. */
export class OtlpReader {
  readonly proto: ProtoReader;
  readonly #parts = new PartCounter();

  constructor(bytes: Uint8Array) {
    this.proto = new ProtoReader(bytes);
  }

  /** Visits the fields up to `end`; `visit` returns false for a tag that it doesn't read. */
  fields(end: number, visit: (tag: number) => boolean): void {
    const { proto } = this;
    while (proto.at < end) {
      const tag = proto.tag(end);
      if (!visit(tag)) proto.skip(tag, end);
    }
  }

  text(end: number): string {
    const text = this.proto.text(this.proto.window(end));
    if (text === undefined) throw malformed('a text is not valid UTF-8');
    return text;
  }

  /** One of what may come in great numbers. */
  count(): void {
    this.#parts.add();
  }

  attribute(end: number): readonly [string, string] {
    const [key, value] = this.#keyValue(this.proto.window(end), 0);
    return [key, valueText(value)];
  }

  #keyValue(end: number, depth: number): readonly [string, AnyValue] {
    this.count();
    let key = '';
    let value: AnyValue;
    this.fields(end, (tag) => {
      if (tag === 0x0a) key = this.text(end);
      else if (tag === 0x12) value = this.#value(this.proto.window(end), depth);
      else return false;
      return true;
    });
    return [key, value];
  }

  #value(end: number, depth: number): AnyValue {
    if (depth > valueDepthMax) throw malformed(`a value nests deeper than ${valueDepthMax}`);
    this.count();
    let value: AnyValue;
    this.fields(end, (tag) => {
      const read = this.#valueField(tag, end, depth);
      if (read === undefined) return false;
      value = read;
      return true;
    });
    return value;
  }

  #valueField(tag: number, end: number, depth: number): AnyValue {
    const { proto } = this;
    switch (tag) {
      case 0x0a:
        return this.text(end);
      case 0x10:
        return proto.unsigned(end) !== 0;
      case 0x18:
        proto.varint64(end);
        return { integer: String((BigInt(proto.high) << 32n) + BigInt(proto.low)) };
      case 0x21:
        return { double: proto.float(end) };
      case 0x2a: {
        const list: AnyValue[] = [];
        const listEnd = proto.window(end);
        this.fields(listEnd, (inner) => {
          if (inner !== 0x0a) return false;
          list.push(this.#value(proto.window(listEnd), depth + 1));
          return true;
        });
        return { list };
      }
      case 0x32: {
        const fields: (readonly [string, AnyValue])[] = [];
        const listEnd = proto.window(end);
        this.fields(listEnd, (inner) => {
          if (inner !== 0x0a) return false;
          fields.push(this.#keyValue(proto.window(listEnd), depth + 1));
          return true;
        });
        return { fields };
      }
      case 0x3a:
        return { bytes: this.#bytes(end) };
      default:
        return undefined;
    }
  }

  #bytes(end: number): Uint8Array {
    const to = this.proto.window(end);
    const bytes = this.proto.bytes.slice(this.proto.at, to);
    this.proto.seek(to);
    return bytes;
  }

  /** fixed64 nanoseconds as milliseconds. */
  time(end: number): number {
    this.proto.fixed64(end);
    return millisOf(this.proto.low, this.proto.high);
  }

  fixedUnsigned(end: number): number {
    this.proto.fixed64(end);
    return this.proto.high * 0x1_0000_0000 + this.proto.low;
  }

  fixedSigned(end: number): number {
    this.proto.fixed64(end);
    return (this.proto.high | 0) * 0x1_0000_0000 + this.proto.low;
  }

  exemplar(end: number): OtlpExemplar {
    this.count();
    const attributes: (readonly [string, string])[] = [];
    const given = { timestampMs: 0, value: 0, traceId: '', spanId: '', attributes: attributes as Attributes };
    this.fields(end, (tag) => {
      if (tag === 0x11) given.timestampMs = this.time(end);
      else if (tag === 0x19) given.value = this.proto.float(end);
      else if (tag === 0x22) given.spanId = idText(this.#bytes(end));
      else if (tag === 0x2a) given.traceId = idText(this.#bytes(end));
      else if (tag === 0x31) given.value = this.fixedSigned(end);
      else if (tag === 0x3a) attributes.push(this.attribute(end));
      else return false;
      return true;
    });
    return given;
  }
}

/** Hexadecimal; an id of zeros is none. */
function idText(bytes: Uint8Array): string {
  return bytes.every((byte) => byte === 0) ? '' : Buffer.from(bytes).toString('hex');
}

export function malformed(reason: string): RemoteRequestError {
  return new RemoteRequestError(remoteErrorCodes.message, `the request is not OTLP: ${reason}`);
}

/** Throws RemoteRequestError: `message_malformed`, `request_too_large`. */
export function readOtlpProtobuf(bytes: Uint8Array): OtlpResource[] {
  const reader = new OtlpReader(bytes);
  const end = bytes.length;
  const resources: OtlpResource[] = [];
  reader.fields(end, (tag) => {
    if (tag !== 0x0a) return false;
    resources.push(readResource(reader, reader.proto.window(end)));
    return true;
  });
  return resources;
}

function readResource(reader: OtlpReader, end: number): OtlpResource {
  reader.count();
  const attributes: (readonly [string, string])[] = [];
  const scopes: OtlpScope[] = [];
  reader.fields(end, (tag) => {
    const { proto } = reader;
    if (tag === 0x0a) readAttributes(reader, proto.window(end), 0x0a, attributes);
    else if (tag === 0x12) scopes.push(readScope(reader, proto.window(end)));
    else return false;
    return true;
  });
  return { attributes, scopes };
}

function readAttributes(
  reader: OtlpReader,
  end: number,
  tag: number,
  into: (readonly [string, string])[],
): void {
  reader.fields(end, (found) => {
    if (found !== tag) return false;
    into.push(reader.attribute(end));
    return true;
  });
}

function readScope(reader: OtlpReader, end: number): OtlpScope {
  reader.count();
  const { proto } = reader;
  const attributes: (readonly [string, string])[] = [];
  const metrics: OtlpMetric[] = [];
  const scope = { name: '', version: '', schemaUrl: '', attributes: attributes as Attributes, metrics };
  reader.fields(end, (tag) => {
    if (tag === 0x0a) {
      const scopeEnd = proto.window(end);
      reader.fields(scopeEnd, (inner) => {
        if (inner === 0x0a) scope.name = reader.text(scopeEnd);
        else if (inner === 0x12) scope.version = reader.text(scopeEnd);
        else if (inner === 0x1a) attributes.push(reader.attribute(scopeEnd));
        else return false;
        return true;
      });
    } else if (tag === 0x12) metrics.push(readMetric(reader, proto.window(end)));
    else if (tag === 0x1a) scope.schemaUrl = reader.text(end);
    else return false;
    return true;
  });
  return scope;
}

function readMetric(reader: OtlpReader, end: number): OtlpMetric {
  reader.count();
  let name = '';
  let description = '';
  let unit = '';
  let data: OtlpData | undefined;
  reader.fields(end, (tag) => {
    if (tag === 0x0a) name = reader.text(end);
    else if (tag === 0x12) description = reader.text(end);
    else if (tag === 0x1a) unit = reader.text(end);
    else {
      const kind = kinds[tag];
      if (kind === undefined) return false;
      data = readData(reader, reader.proto.window(end), kind);
    }
    return true;
  });
  return { name, description, unit, data };
}

const kinds: Readonly<Record<number, OtlpData['kind']>> = {
  42: 'gauge',
  58: 'sum',
  74: 'histogram',
  82: 'exponential',
  90: 'summary',
};

function readData(reader: OtlpReader, end: number, kind: OtlpData['kind']): OtlpData {
  switch (kind) {
    case 'gauge':
      return { kind, points: readPoints(reader, end, readNumberPoint).points };
    case 'summary':
      return { kind, points: readPoints(reader, end, readSummaryPoint).points };
    case 'histogram': {
      const { points, temporality } = readPoints(reader, end, readHistogramPoint);
      return { kind, points, temporality };
    }
    case 'exponential': {
      const { points, temporality } = readPoints(reader, end, readExponentialPoint);
      return { kind, points, temporality };
    }
    case 'sum':
      return { kind, ...readPoints(reader, end, readNumberPoint) };
  }
}

interface Points<P> {
  readonly points: readonly P[];
  readonly temporality: number;
  readonly isMonotonic: boolean;
}

/** All kinds have alike numbers for what they have in common. */
function readPoints<P>(
  reader: OtlpReader,
  end: number,
  readPoint: (reader: OtlpReader, end: number) => P,
): Points<P> {
  const points: P[] = [];
  let temporality = 0;
  let isMonotonic = false;
  reader.fields(end, (tag) => {
    if (tag === 0x0a) points.push(readPoint(reader, reader.proto.window(end)));
    else if (tag === 0x10) temporality = reader.proto.unsigned(end);
    else if (tag === 0x18) isMonotonic = reader.proto.unsigned(end) !== 0;
    else return false;
    return true;
  });
  return { points, temporality, isMonotonic };
}
