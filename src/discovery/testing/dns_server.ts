/** A real DNS server on a port of this machine, by datagram and connection, with the answers that a test gives it. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

/** Names as in questions: without escapes, with a dot at the end. */
export type Answered =
  | { readonly type: 'A'; readonly bytes: readonly number[] }
  | { readonly type: 'AAAA'; readonly bytes: readonly number[] }
  | { readonly type: 'SRV'; readonly target: string; readonly port: number }
  | { readonly type: 'MX' | 'NS' | 'CNAME'; readonly target: string };

export interface Question {
  readonly name: string;
  readonly type: number;
  readonly transport: 'udp' | 'tcp';
}

export interface Reply {
  /** 0: success, 2: failure, 3: no such name. */
  readonly code?: number;
  readonly records?: readonly Answered[];
  readonly isTruncated?: boolean;
  /** Sent in place of all of the above. */
  readonly raw?: (query: Buffer) => Buffer;
}

/** Undefined: no answer at all. */
export type Zone = (question: Question) => Reply | undefined;

export interface DnsTestServer {
  readonly port: number;
  readonly questions: readonly Question[];
  /** What is answered from now on. */
  zone: Zone;
  close(): Promise<void>;
}

const codes = { A: 1, NS: 2, CNAME: 5, MX: 15, AAAA: 28, SRV: 33 } as const;

export const typeCodes: Readonly<Record<string, number>> = codes;

export async function startDnsServer(zone: Zone, host = '127.0.0.1', port = 0): Promise<DnsTestServer> {
  const questions: Question[] = [];
  const answer = (query: Buffer, transport: Question['transport']): Buffer | undefined => {
    const { name, type, end } = readQuestion(query);
    const question = { name, type, transport };
    questions.push(question);
    const reply = server.zone(question);
    return reply === undefined ? undefined : encodeReply(query, end, reply);
  };
  const tcp = createServer((socket) => serveConnection(socket, (query) => answer(query, 'tcp')));
  tcp.listen(port, host);
  await once(tcp, 'listening');
  const bound = (tcp.address() as { port: number }).port;
  const udp = createSocket('udp4');
  udp.on('message', (query, from) => {
    const reply = answer(query, 'udp');
    if (reply !== undefined) udp.send(reply, from.port, from.address);
  });
  udp.bind(bound, host);
  await once(udp, 'listening');
  const server: DnsTestServer = {
    port: bound,
    questions,
    zone,
    async close() {
      udp.close();
      tcp.close();
      await Promise.resolve();
    },
  };
  return server;
}

function serveConnection(socket: Socket, answer: (query: Buffer) => Buffer | undefined): void {
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    const reply = answer(chunk.subarray(2));
    if (reply === undefined) return;
    const length = Buffer.alloc(2);
    length.writeUInt16BE(reply.length);
    // In pieces, as a network may deliver it.
    socket.write(length.subarray(0, 1));
    setImmediate(() => socket.end(Buffer.concat([length.subarray(1), reply])));
  });
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  let at = 12;
  let name = '';
  for (let length = query[at] as number; length > 0; length = query[at] as number) {
    name += `${query.toString('utf8', at + 1, at + 1 + length)}.`;
    at += 1 + length;
  }
  return { name, type: query.readUInt16BE(at + 1), end: at + 5 };
}

function encodeReply(query: Buffer, questionEnd: number, reply: Reply): Buffer {
  if (reply.raw !== undefined) return reply.raw(query);
  const records = reply.records ?? [];
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8180 | (reply.isTruncated === true ? 0x0200 : 0) | (reply.code ?? 0), 2);
  header.writeUInt16BE(records.length, 6);
  header.writeUInt16BE(0, 10);
  return Buffer.concat([header, query.subarray(12, questionEnd), ...records.map(encodeRecord)]);
}

/** Its owner is a pointer to the name in the question. */
function encodeRecord(record: Answered): Buffer {
  const head = Buffer.from([0xc0, 12, 0, codes[record.type], 0, 1, 0, 0, 0, 60]);
  const data = recordData(record);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(data.length);
  return Buffer.concat([head, length, data]);
}

function recordData(record: Answered): Buffer {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return Buffer.from(record.bytes);
    case 'SRV':
      return Buffer.concat([
        Buffer.from([0, 1, 0, 1, record.port >> 8, record.port & 0xff]),
        plainName(record.target),
      ]);
    case 'MX':
      return Buffer.concat([Buffer.from([0, 10]), plainName(record.target)]);
    default:
      return plainName(record.target);
  }
}

function plainName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  const bytes = labels.flatMap((label) => [Buffer.byteLength(label), ...Buffer.from(label)]);
  return Buffer.from([...bytes, 0]);
}
