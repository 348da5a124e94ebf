/** A remote read request: a snappy block of `prometheus.ReadRequest`, with all that an answer needs. */
import { compareBytes, Matcher, MatchType } from '../../model/index.ts';
import { RemoteRequestError, remoteErrorCodes } from '../errors.ts';
import { ProtoReader } from '../proto_reader.ts';
import { snappyUncompress } from '../snappy.ts';

/** Bytes of a request, uncompressed. */
const requestBytesMax = 32 * 1024 * 1024;
/** Each is a selection of its own, and six bytes may be one. */
const queriesMax = 1_000;
const matchersMax = 10_000;

const requestQuery = 0x0a;
const requestType = 0x10;
const requestTypes = 0x12;
const queryFrom = 0x08;
const queryTo = 0x10;
const queryMatcher = 0x1a;
const matcherType = 0x08;
const matcherName = 0x12;
const matcherValue = 0x1a;

const matchTypes = [MatchType.Equal, MatchType.NotEqual, MatchType.Regexp, MatchType.NotRegexp] as const;

/** How answers may come; the numbers are those of the wire. */
const responseTypes = ['samples', 'chunks'] as const;
export type ReadResponseType = (typeof responseTypes)[number];

export interface ReadQuery {
  /** Both ends are included. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly matchers: readonly Matcher[];
}

export interface ReadRequest {
  readonly queries: readonly ReadQuery[];
  readonly responseType: ReadResponseType;
}

/**
 * Throws RemoteRequestError: `snappy_corrupt`, `message_malformed`, `request_too_large`, `response_type`; BadRegexError.
 */
export function decodeReadRequest(
  body: Uint8Array,
  externalLabels: Readonly<Record<string, string>>,
): ReadRequest {
  const reader = new ProtoReader(snappyUncompress(body, requestBytesMax));
  const queries: ReadQuery[] = [];
  const accepted: number[] = [];
  const accept = (end: number): void => {
    const type = reader.unsigned(end);
    if (!accepted.includes(type) && accepted.length < queriesMax) accepted.push(type);
  };
  const end = reader.length;
  while (reader.at < end) {
    const tag = reader.tag(end);
    if (tag === requestQuery) {
      if (queries.length >= queriesMax) throw tooMany(queriesMax, 'queries');
      queries.push(readQuery(reader, reader.window(end), externalLabels));
    } else if (tag === requestType) accept(end);
    else if (tag === requestTypes)
      for (const listEnd = reader.window(end); reader.at < listEnd; ) accept(listEnd);
    else reader.skip(tag, end);
  }
  return { queries, responseType: negotiated(accepted) };
}

function negotiated(accepted: readonly number[]): ReadResponseType {
  if (accepted.length === 0) return 'samples';
  const known = accepted.find((type) => type < responseTypes.length);
  if (known !== undefined) return responseTypes[known] as ReadResponseType;
  const message = `server does not support any of the requested response types: [${accepted.join(' ')}]; supported: map[SAMPLES:{} STREAMED_XOR_CHUNKS:{}]`;
  throw new RemoteRequestError(remoteErrorCodes.responseType, message);
}

function readQuery(
  reader: ProtoReader,
  end: number,
  externalLabels: Readonly<Record<string, string>>,
): ReadQuery {
  let fromMs = 0;
  let toMs = 0;
  const matchers: Matcher[] = [];
  while (reader.at < end) {
    const tag = reader.tag(end);
    if (tag === queryFrom) fromMs = clamped(reader.integer(end));
    else if (tag === queryTo) toMs = clamped(reader.integer(end));
    else if (tag === queryMatcher) {
      if (matchers.length >= matchersMax) throw tooMany(matchersMax, 'matchers in a query');
      matchers.push(readMatcher(reader, reader.window(end), externalLabels));
    } else reader.skip(tag, end);
  }
  return { fromMs, toMs, matchers };
}

function readMatcher(
  reader: ProtoReader,
  end: number,
  externalLabels: Readonly<Record<string, string>>,
): Matcher {
  let number = 0;
  let name: string | undefined = '';
  let value: string | undefined = '';
  while (reader.at < end) {
    const tag = reader.tag(end);
    if (tag === matcherType) number = reader.unsigned(end);
    else if (tag === matcherName) name = reader.text(reader.window(end));
    else if (tag === matcherValue) value = reader.text(reader.window(end));
    else reader.skip(tag, end);
  }
  const type = matchTypes[number];
  if (type === undefined) throw malformed('invalid matcher type');
  if (name === undefined || value === undefined) throw malformed('a matcher is not valid UTF-8');
  // What is asked of an external label holds for all series, none of which has it here.
  const isExternal = Object.hasOwn(externalLabels, name) && externalLabels[name] === value;
  return Matcher.create(type, name, type === MatchType.Equal && isExternal ? '' : value);
}

/** Clients ask for "ever" with the ends of 64 bits. */
function clamped(timestampMs: number): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, timestampMs));
}

function malformed(reason: string): RemoteRequestError {
  return new RemoteRequestError(remoteErrorCodes.message, `the request can not be answered: ${reason}`);
}

function tooMany(max: number, what: string): RemoteRequestError {
  return new RemoteRequestError(remoteErrorCodes.tooLarge, `the request has more than ${max} ${what}`);
}

/** The labels of a series with external ones added where it has none of that name: name, value, name, value... */
export function withExternalLabels(
  flat: readonly string[],
  externalLabels: Readonly<Record<string, string>>,
): readonly string[] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i] as string, flat[i + 1] as string]);
  const own = new Set(pairs.map(([name]) => name));
  const missing = Object.entries(externalLabels).filter(([name]) => !own.has(name));
  if (missing.length === 0) return flat;
  return [...pairs, ...missing].sort(([a], [b]) => compareBytes(a, b)).flat();
}
