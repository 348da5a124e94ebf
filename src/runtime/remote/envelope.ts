/**
 * What travels between nodes on behalf of actors: one envelope per message, encoded here so that a transport sees bytes.
 *
 * ```
 * version u8 = 1 | type u8 | id varint | then
 *   request (tell 1, ask 2, offer 3, release 4):
 *     origin text | kind text | target text | virtual u8 | hops varint | deadlineMs varint | version varint | payload block
 *   ok 5:      kind text | payload block
 *   offered 6: 0 queued, 1 stopped
 *   fail 7:    code text | message text
 * ```
 * text and block are length-prefixed (varint). A reply goes straight to the request's origin, whichever node answers.
 */
import { ByteReader, ByteWriter } from '../../base/index.ts';
import { deadlineMsMax } from '../deadlines.ts';
import { envelopeError } from '../errors.ts';

const envelopeVersion = 1;

/** Times that a message may be sent on because nodes don't yet agree on the placement. */
export const hopsMax = 4;

export type RequestType = 'tell' | 'ask' | 'offer' | 'release';

export interface Request {
  readonly type: RequestType;
  /** 0 for a tell, which nobody answers. */
  readonly id: number;
  /** The node that gets the reply. */
  readonly origin: string;
  readonly kind: string;
  /** A path, or the key of a virtual actor. */
  readonly target: string;
  readonly virtual: boolean;
  readonly hops: number;
  readonly deadlineMs: number;
  /** Of the placement by which the sender chose this node; 0 for an actor with a path. */
  readonly version: number;
  readonly payload: Uint8Array;
}

export type Envelope =
  | Request
  | { readonly type: 'ok'; readonly id: number; readonly kind: string; readonly payload: Uint8Array }
  | { readonly type: 'offered'; readonly id: number; readonly outcome: 'queued' | 'stopped' }
  | { readonly type: 'fail'; readonly id: number; readonly code: string; readonly message: string };

const typeCodes = { tell: 1, ask: 2, offer: 3, release: 4, ok: 5, offered: 6, fail: 7 } as const;
const requestTypes: readonly (RequestType | undefined)[] = [undefined, 'tell', 'ask', 'offer', 'release'];

export function encodeEnvelope(envelope: Envelope): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writer.u8(envelopeVersion);
  writer.u8(typeCodes[envelope.type]);
  writer.varint(envelope.id);
  switch (envelope.type) {
    case 'ok':
      writer.text(envelope.kind);
      writer.block(envelope.payload);
      break;
    case 'offered':
      writer.u8(envelope.outcome === 'queued' ? 0 : 1);
      break;
    case 'fail':
      writer.text(envelope.code);
      writer.text(envelope.message);
      break;
    default:
      writeRequest(writer, envelope);
  }
  return writer.finish();
}

function writeRequest(writer: ByteWriter, request: Request): void {
  writer.text(request.origin);
  writer.text(request.kind);
  writer.text(request.target);
  writer.u8(request.virtual ? 1 : 0);
  writer.varint(request.hops);
  writer.varint(Math.ceil(request.deadlineMs));
  writer.varint(request.version);
  writer.block(request.payload);
}

/** Throws `actor_envelope` for bytes that are no envelope of this version. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  try {
    return readEnvelope(new ByteReader(bytes));
  } catch (cause) {
    throw envelopeError('an envelope from another node is malformed', cause);
  }
}

function readEnvelope(reader: ByteReader): Envelope {
  const version = reader.u8();
  if (version !== envelopeVersion) throw envelopeError(`envelope version ${version} is unknown`);
  const code = reader.u8();
  const id = reader.varint();
  const envelope = readBody(reader, code, id);
  if (reader.remaining > 0) throw envelopeError(`${reader.remaining} bytes follow the envelope`);
  return envelope;
}

function readBody(reader: ByteReader, code: number, id: number): Envelope {
  if (code === typeCodes.ok) return { type: 'ok', id, kind: reader.text(), payload: reader.block() };
  if (code === typeCodes.offered)
    return { type: 'offered', id, outcome: reader.u8() === 0 ? 'queued' : 'stopped' };
  if (code === typeCodes.fail) return { type: 'fail', id, code: reader.text(), message: reader.text() };
  const type = requestTypes[code];
  if (type === undefined) throw envelopeError(`envelope type ${code} is unknown`);
  const request: Request = {
    type,
    id,
    origin: reader.text(),
    kind: reader.text(),
    target: reader.text(),
    virtual: reader.u8() === 1,
    hops: reader.varint(),
    deadlineMs: reader.varint(),
    version: reader.varint(),
    payload: reader.block(),
  };
  const timed = type === 'tell' || (request.deadlineMs > 0 && request.deadlineMs <= deadlineMsMax);
  if (!timed) throw envelopeError(`deadline of ${request.deadlineMs} ms is out of range`);
  return request;
}
