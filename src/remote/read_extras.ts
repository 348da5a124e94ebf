/** `prometheus.Exemplar` and `prometheus.MetricMetadata` of a remote write request. */
import type { BatchMetadata } from '../model/index.ts';
import type { ProtoReader } from './proto_reader.ts';

const exemplarLabel = 0x0a;
const exemplarValue = 0x11;
const exemplarTimestamp = 0x18;
const labelName = 0x0a;
const labelValue = 0x12;
const metadataType = 0x08;
const metadataFamily = 0x12;
const metadataHelp = 0x22;
const metadataUnit = 0x2a;

/** MetricMetadata.MetricType by its number, as in exposition. */
export const metricTypes: readonly string[] = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
];

export interface ReadExemplar {
  /** Name, value, name, value...; undefined when one is not UTF-8. */
  readonly pairs: readonly string[] | undefined;
  readonly value: number;
  /** May be beyond what is exact. */
  readonly timestampMs: number;
}

/** Throws RemoteRequestError: `message_malformed`. */
export function readExemplar(reader: ProtoReader, end: number): ReadExemplar {
  const pairs: string[] = [];
  let isText = true;
  let value = 0;
  let timestampMs = 0;
  while (reader.at < end) {
    const tag = reader.tag(end);
    if (tag === exemplarLabel) isText = readPair(reader, reader.window(end), pairs) && isText;
    else if (tag === exemplarValue) value = reader.float(end);
    else if (tag === exemplarTimestamp) timestampMs = reader.integer(end);
    else reader.skip(tag, end);
  }
  return { pairs: isText ? pairs : undefined, value, timestampMs };
}

function readPair(reader: ProtoReader, end: number, pairs: string[]): boolean {
  let name: string | undefined = '';
  let value: string | undefined = '';
  while (reader.at < end) {
    const tag = reader.tag(end);
    if (tag === labelName) name = reader.text(reader.window(end));
    else if (tag === labelValue) value = reader.text(reader.window(end));
    else reader.skip(tag, end);
  }
  if (name === undefined || value === undefined) return false;
  pairs.push(name, value);
  return true;
}

/** Undefined when it names no metric or is not UTF-8. Throws RemoteRequestError: `message_malformed`. */
export function readMetadata(reader: ProtoReader, end: number): BatchMetadata | undefined {
  let type = 0;
  let metric: string | undefined = '';
  let help: string | undefined = '';
  let unit: string | undefined = '';
  while (reader.at < end) {
    const tag = reader.tag(end);
    if (tag === metadataType) type = reader.unsigned(end);
    else if (tag === metadataFamily) metric = reader.text(reader.window(end));
    else if (tag === metadataHelp) help = reader.text(reader.window(end));
    else if (tag === metadataUnit) unit = reader.text(reader.window(end));
    else reader.skip(tag, end);
  }
  if (metric === undefined || metric === '' || help === undefined || unit === undefined) return undefined;
  return { metric, type: metricTypes[type] ?? 'unknown', unit, help };
}
