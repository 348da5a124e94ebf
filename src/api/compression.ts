/**
 * Bodies on their way out: compressed as the client likes it, small ones in one piece, big ones in pieces that wait for
 * the client. Compression runs in zlib's own threads; no step here takes longer than a piece.
 */
import { Readable, type Transform } from 'node:stream';
import { promisify } from 'node:util';
import {
  constants,
  createDeflate,
  createGzip,
  createZstdCompress,
  deflate,
  gzip,
  zstdCompress,
} from 'node:zlib';
import type { FastifyReply } from 'fastify';

/** Below it compression costs more than it saves. */
const compressedBytesMin = 1024;
const pieceBytesMax = 64 * 1024;
/** JSON of numbers shrinks to a fifth even so, at a third of the time that the default level takes. */
const zlibOptions = { level: constants.Z_BEST_SPEED + 1 } as const;

interface Encoding {
  readonly whole: (body: Uint8Array) => Promise<Buffer>;
  readonly stream: () => Transform;
}

const encodings: Readonly<Record<string, Encoding>> = {
  gzip: {
    whole: (body) => promisify<Uint8Array, object, Buffer>(gzip)(body, zlibOptions),
    stream: () => createGzip(zlibOptions),
  },
  deflate: {
    whole: (body) => promisify<Uint8Array, object, Buffer>(deflate)(body, zlibOptions),
    stream: () => createDeflate(zlibOptions),
  },
  zstd: { whole: promisify<Uint8Array, Buffer>(zstdCompress), stream: () => createZstdCompress() },
};

/** The first that the client names and that we know, as Prometheus chooses; undefined: none. */
export function encodingFor(acceptEncoding: string | string[] | undefined): string | undefined {
  for (const part of String(acceptEncoding ?? '').split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const isRefused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    if (Object.hasOwn(encodings, name) && !isRefused) return name;
  }
  return undefined;
}

/** Sends the parts, in their order, as one body. The headers but those of length and encoding are set. */
export async function sendParts(reply: FastifyReply, parts: readonly Uint8Array[]): Promise<FastifyReply> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const name =
    length < compressedBytesMin ? undefined : encodingFor(reply.request.headers['accept-encoding']);
  const encoding = name === undefined ? undefined : encodings[name];
  if (name !== undefined) reply.header('content-encoding', name);
  if (length <= pieceBytesMax) {
    const body = Buffer.concat(parts);
    return reply.send(encoding === undefined ? body : await encoding.whole(body));
  }
  const pieces = Readable.from(piecesOf(parts), { objectMode: false });
  if (encoding === undefined) return reply.header('content-length', length).send(pieces);
  const compressed = encoding.stream();
  pieces.on('error', (error) => compressed.destroy(error));
  compressed.on('close', () => pieces.destroy());
  return reply.send(pieces.pipe(compressed));
}

function* piecesOf(parts: readonly Uint8Array[]): Generator<Buffer> {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += pieceBytesMax) {
      const end = Math.min(part.length, at + pieceBytesMax);
      yield Buffer.from(part.buffer, part.byteOffset + at, end - at);
    }
  }
}
