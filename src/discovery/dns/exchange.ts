/** One question to one server: by datagram, and again over a connection when the answer did not fit. */
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Clock, Random } from '../../base/index.ts';
import { DnsError } from '../errors.ts';
import {
  type DnsRecord,
  decodeAnswers,
  decodeHeader,
  encodeQuery,
  headerBytes,
  type RecordType,
} from './message.ts';

/** As Prometheus' resolver waits, for each of connecting, writing and reading; here for the whole exchange. */
const exchangeDeadlineMs = 2_000;
const idMax = 0x1_0000;

export interface DnsServer {
  readonly host: string;
  readonly port: number;
}

export interface ExchangeDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

export interface DnsAnswer {
  readonly code: number;
  readonly records: readonly DnsRecord[];
}

/** Rejects when the server does not answer in time, or not in DNS. */
export async function askServer(
  server: DnsServer,
  name: string,
  type: RecordType,
  deps: ExchangeDeps,
): Promise<DnsAnswer> {
  const { random } = deps;
  const datagram = encodeQuery(random.below(idMax), name, type, true);
  let answer = await inTime(deps, (end) => askByDatagram(server, datagram, end));
  if (decodeHeader(answer).isTruncated) {
    const query = encodeQuery(random.below(idMax), name, type, false);
    answer = await inTime(deps, (end) => askByConnection(server, query, end));
    if (decodeHeader(answer).isTruncated) throw new DnsError('the answer is cut off over TCP too');
  }
  return { code: decodeHeader(answer).code, records: decodeAnswers(answer) };
}

/** What an exchange calls when it is over; `close` is called in any case, once. */
interface Ending {
  readonly close: (run: () => void) => void;
  readonly done: (answer: Buffer) => void;
  readonly failed: (reason: Error) => void;
}

function inTime({ clock, signal }: ExchangeDeps, run: (end: Ending) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let close = (): void => undefined;
    const finish = (settle: () => void): void => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      close();
      settle();
    };
    const failed = (reason: Error): void => finish(() => reject(reason));
    const onAbort = (): void => failed(new DnsError('given up'));
    const timer = clock.after(exchangeDeadlineMs, () => failed(new DnsError('no answer in time')));
    signal.addEventListener('abort', onAbort, { once: true });
    run({
      close: (closeNow) => {
        close = closeNow;
      },
      done: (answer) => finish(() => resolve(answer)),
      failed,
    });
    if (signal.aborted) onAbort();
  });
}

function askByDatagram({ host, port }: DnsServer, query: Buffer, { close, done, failed }: Ending): void {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  let isOpen = true;
  close(() => {
    if (isOpen) socket.close();
    isOpen = false;
  });
  socket.on('error', failed);
  // Connected, so that only this server is heard; an answer to something else is passed over.
  socket.on('message', (message) => {
    if (isAnswerTo(query, message)) done(message);
  });
  socket.connect(port, host, (error?: Error) => {
    if (!isOpen) return;
    if (error === undefined || error === null) socket.send(query);
    else failed(error);
  });
}

function askByConnection({ host, port }: DnsServer, query: Buffer, { close, done, failed }: Ending): void {
  const socket = connect(port, host);
  close(() => socket.destroy());
  socket.on('error', failed);
  socket.on('close', () => failed(new DnsError('the server closed the connection')));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(query.length);
  socket.write(Buffer.concat([length, query]));
  let received: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    // At most what the length in front can say, and one chunk.
    received = Buffer.concat([received, chunk]);
    if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
    const message = received.subarray(2, 2 + received.readUInt16BE(0));
    if (!isAnswerTo(query, message)) failed(new DnsError('the answer is to another question'));
    else done(message);
  });
}

function isAnswerTo(query: Buffer, message: Buffer): boolean {
  if (message.length < headerBytes) return false;
  const { isResponse, id } = decodeHeader(message);
  return isResponse && id === query.readUInt16BE(0);
}
