/**
 * DNS messages (RFC 1035, section 4): a question written, an answer read. Read by hand because what discovery tells
 * apart (an unknown name from a failing server, a name's rooted form) is lost in the platform's resolver, which also
 * answers from a cache of its own.
 */
import { DnsError } from '../errors.ts';

export type RecordType = 'A' | 'NS' | 'MX' | 'AAAA' | 'SRV';

const typeCodes: Readonly<Record<RecordType, number>> = { A: 1, NS: 2, MX: 15, AAAA: 28, SRV: 33 };
const cnameCode = 5;
const optCode = 41;
const internetClass = 1;
/** What a server may send in one datagram when it knows EDNS (RFC 6891). */
const datagramBytesMax = 4096;
export const headerBytes = 12;
const labelBytesMax = 63;
const nameBytesMax = 255;
/** More pointers than labels fit into a name. */
const pointersMax = 126;

export const responseCodes = { success: 0, nameError: 3 } as const;

/** Names are rooted, with a dot at the end, and escaped as in zone files. */
export type DnsRecord =
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'SRV'; readonly target: string; readonly port: number }
  | { readonly type: 'MX' | 'NS'; readonly target: string }
  | { readonly type: 'CNAME' }
  | { readonly type: 'other'; readonly code: number };

export interface DnsHeader {
  readonly id: number;
  readonly isResponse: boolean;
  readonly isTruncated: boolean;
  readonly code: number;
}

/** A recursive question; `edns` invites answers beyond 512 bytes. Throws DnsError when `name` is no name. */
export function encodeQuery(id: number, name: string, type: RecordType, edns: boolean): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x0100, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(edns ? 1 : 0, 10);
  const question = Buffer.alloc(4);
  question.writeUInt16BE(typeCodes[type], 0);
  question.writeUInt16BE(internetClass, 2);
  const parts = [header, encodeName(name), question];
  if (edns) {
    const option = Buffer.alloc(11);
    option.writeUInt16BE(optCode, 1);
    option.writeUInt16BE(datagramBytesMax, 3);
    parts.push(option);
  }
  return Buffer.concat(parts);
}

/** Labels of a name in its zone-file form, where `\.` and `\065` stand for bytes. */
function encodeName(name: string): Buffer {
  const labels: number[][] = [[]];
  const text = Buffer.from(name.endsWith('.') && !name.endsWith('\\.') ? name.slice(0, -1) : name);
  for (let at = 0; at < text.length; at++) {
    const byte = text[at] as number;
    if (byte === 0x2e) labels.push([]);
    else if (byte !== 0x5c) labels.at(-1)?.push(byte);
    else {
      const digits = /^[0-9]{3}/.exec(text.toString('latin1', at + 1, at + 4))?.[0];
      labels.at(-1)?.push(digits === undefined ? (text[at + 1] ?? byte) : Number(digits) & 0xff);
      at += digits === undefined ? 1 : 3;
    }
  }
  const bytes = name === '.' ? [] : labels.flatMap((label) => [label.length, ...label]);
  const isBad = name !== '.' && labels.some((label) => label.length === 0 || label.length > labelBytesMax);
  if (isBad || bytes.length + 1 > nameBytesMax)
    throw new DnsError(`${JSON.stringify(name)} is no domain name`);
  return Buffer.from([...bytes, 0]);
}

/** Throws DnsError. */
export function decodeHeader(message: Buffer): DnsHeader {
  if (message.length < headerBytes) throw new DnsError('the answer is shorter than its header');
  const flags = message.readUInt16BE(2);
  return {
    id: message.readUInt16BE(0),
    isResponse: (flags & 0x8000) !== 0,
    isTruncated: (flags & 0x0200) !== 0,
    code: flags & 0x0f,
  };
}

/** The records of the answer section. Throws DnsError. */
export function decodeAnswers(message: Buffer): DnsRecord[] {
  try {
    return readAnswers(message);
  } catch (cause) {
    // A length or a pointer that leads beyond the end.
    if (cause instanceof RangeError) throw new DnsError('the answer is cut off', { cause });
    throw cause;
  }
}

function readAnswers(message: Buffer): DnsRecord[] {
  let at = headerBytes;
  for (let left = message.readUInt16BE(4); left > 0; left--) at = readName(message, at).end + 4;
  const records: DnsRecord[] = [];
  for (let left = message.readUInt16BE(6); left > 0; left--) {
    const { end } = readName(message, at);
    const length = message.readUInt16BE(end + 8);
    const from = end + 10;
    if (from + length > message.length) throw new DnsError('the answer is cut off');
    records.push(readRecord(message, message.readUInt16BE(end), from, length));
    at = from + length;
  }
  return records;
}

function readRecord(message: Buffer, code: number, at: number, length: number): DnsRecord {
  switch (code) {
    case typeCodes.A:
      if (length !== 4) throw new DnsError('an address of IPv4 has not 4 bytes');
      return { type: 'A', address: message.subarray(at, at + 4).join('.') };
    case typeCodes.AAAA:
      if (length !== 16) throw new DnsError('an address of IPv6 has not 16 bytes');
      return { type: 'AAAA', address: ipv6Text(message.subarray(at, at + 16)) };
    case typeCodes.SRV:
      return { type: 'SRV', target: readName(message, at + 6).name, port: message.readUInt16BE(at + 4) };
    case typeCodes.MX:
      return { type: 'MX', target: readName(message, at + 2).name };
    case typeCodes.NS:
      return { type: 'NS', target: readName(message, at).name };
    default:
      return code === cnameCode ? { type: 'CNAME' } : { type: 'other', code };
  }
}

/** RFC 5952; an address of IPv4 in an envelope is shown without it, as Go does. */
function ipv6Text(bytes: Buffer): string {
  if (bytes.subarray(0, 10).every((byte) => byte === 0) && bytes.readUInt16BE(10) === 0xffff)
    return bytes.subarray(12).join('.');
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return new URL(`http://[${words.join(':')}]`).hostname.slice(1, -1);
}

/** A name, perhaps with pointers to earlier ones, and where it ends. */
function readName(message: Buffer, start: number): { name: string; end: number } {
  let name = '';
  let nameBytes = 1;
  let end = -1;
  let at = start;
  for (let pointers = 0; ; ) {
    const length = message.readUInt8(at);
    if (length === 0) break;
    if (length >= 0xc0) {
      if (end < 0) end = at + 2;
      if (++pointers > pointersMax) throw new DnsError('a name goes round in circles');
      at = message.readUInt16BE(at) & 0x3fff;
      continue;
    }
    nameBytes += 1 + length;
    if (length > labelBytesMax || nameBytes > nameBytesMax) throw new DnsError('a name is too long');
    if (at + 1 + length > message.length) throw new DnsError('the answer is cut off');
    name += `${escapeLabel(message.subarray(at + 1, at + 1 + length))}.`;
    at += 1 + length;
  }
  return { name: name === '' ? '.' : name, end: end < 0 ? at + 1 : end };
}

const specials = new Set(Buffer.from('. \'@;()"\\'));

function escapeLabel(label: Buffer): string {
  let text = '';
  for (const byte of label) {
    if (specials.has(byte)) text += `\\${String.fromCharCode(byte)}`;
    else if (byte < 0x20 || byte > 0x7e) text += `\\${String(byte).padStart(3, '0')}`;
    else text += String.fromCharCode(byte);
  }
  return text;
}
