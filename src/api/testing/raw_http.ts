/** Requests written to a socket byte for byte, for what no HTTP client would send. */
import { type AddressInfo, connect } from 'node:net';
import type { FastifyInstance } from 'fastify';

export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface RawRequest {
  readonly method?: string;
  /** One character per byte. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** Resolves when the server has closed the connection; status 0 when it has said nothing. */
export async function rawHttp(port: number, request: RawRequest): Promise<RawAnswer> {
  const { method = 'GET', path, headers = {}, body = new Uint8Array(0) } = request;
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  // Not events.once, which rejects at errors.
  const { promise: closed, resolve } = Promise.withResolvers<unknown>();
  socket.on('close', resolve);
  socket.on('data', (chunk) => chunks.push(chunk));
  // A server that refuses early resets the connection while we still write.
  socket.on('error', () => socket.destroy());
  const length = body.length > 0 || method !== 'GET' ? { 'Content-Length': String(body.length) } : {};
  const lines = Object.entries({ Host: 'x', Connection: 'close', ...length, ...headers });
  socket.write(
    `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
    'latin1',
  );
  socket.write(body);
  await closed;
  return parseAnswer(Buffer.concat(chunks));
}

function parseAnswer(bytes: Buffer): RawAnswer {
  const end = Math.max(0, bytes.indexOf('\r\n\r\n'));
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = new Map(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  const rest = bytes.subarray(end + 4);
  const body = headers.get('transfer-encoding') === 'chunked' ? unchunk(rest) : rest;
  return { status: Number(first.split(' ')[1] ?? 0), headers, body: body.toString() };
}

function unchunk(bytes: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString(), 16);
    if (!(size > 0)) break;
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return Buffer.concat(chunks);
}

/** The port on which it listens from now on. */
export async function listen(app: FastifyInstance): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' });
  return (app.server.address() as AddressInfo).port;
}
