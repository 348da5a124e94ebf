/**
 * The servers under the HTTP listeners: plain HTTP, or TLS with HTTP/2 where the web configuration says so. The file and
 * those it names are read again when they have changed: certificates at the next connection, users and headers at the
 * next request. One that has become bad is an error of that request, as in Prometheus, until it is good again.
 */
import { statSync } from 'node:fs';
import type { RequestListener, Server } from 'node:http';
import type { Http2SecureServer, ServerHttp2Session } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { plainError } from '../api/index.ts';
import { CodedError, errorText, type Logger } from '../base/index.ts';
import { PasswordCheck } from './password_check.ts';
import { type LoadedWebConfig, loadWebConfig, type WebTls } from './web_config.ts';

export interface ServerLimits {
  readonly readTimeoutMs: number;
  readonly connectionsMax: number;
}

/** Bytes of request line and headers together; Go's default, and what queries sent by GET need. */
const headerBytesMax = 1024 * 1024;
/** Requests of one HTTP/2 connection at a time; Go's default. */
const streamsMax = 250;
/** A connection whose answer takes long is silent meanwhile: queries take minutes. */
const silentMsMin = 5 * 60 * 1000;
const checkIntervalMsMax = 30_000;

/** The web configuration as it is on the disk. */
export class WebSettings {
  readonly #file: string;
  readonly #log: Logger;
  readonly passwords: PasswordCheck = new PasswordCheck();
  #loaded: LoadedWebConfig;
  #stamp: string;
  #failure: unknown;

  /** Throws ConfigError. `file`: empty for none. */
  constructor(file: string, log: Logger) {
    this.#file = file;
    this.#log = log;
    this.#loaded = file === '' ? noConfig : loadWebConfig(file);
    this.#stamp = stampOf(this.#loaded.files);
  }

  /** Throws ConfigError while what is on the disk is bad. */
  current(): LoadedWebConfig {
    if (this.#file === '') return this.#loaded;
    const stamp = stampOf(this.#loaded.files);
    if (stamp !== this.#stamp) {
      this.#stamp = stamp;
      try {
        this.#loaded = loadWebConfig(this.#file);
        this.#stamp = stampOf(this.#loaded.files);
        this.#failure = undefined;
      } catch (error) {
        this.#failure = error;
        this.#log.error({ err: errorText(error) }, 'the web configuration can not be read');
      }
    }
    if (this.#failure !== undefined) throw this.#failure;
    return this.#loaded;
  }

  /** At start; whether there is TLS at all is decided then. */
  get isTls(): boolean {
    return this.#loaded.tls !== undefined;
  }
}

const noConfig: LoadedWebConfig = {
  tls: undefined,
  http: { http2: false, headers: {} },
  users: {},
  files: [],
};

/** Changes when one of the files does. */
function stampOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const found = statSync(file, { throwIfNoEntry: false });
      return found === undefined ? 'none' : `${found.ino} ${found.mtimeMs} ${found.size}`;
    })
    .join();
}

/** Makes the server for a listener; for fastify's `serverFactory`. */
export function webServer(settings: WebSettings, limits: ServerLimits, handle: RequestListener): Server {
  const { readTimeoutMs, connectionsMax } = limits;
  const timeouts = {
    requestTimeout: readTimeoutMs,
    headersTimeout: readTimeoutMs,
    keepAliveTimeout: readTimeoutMs,
    connectionsCheckingInterval: Math.min(checkIntervalMsMax, Math.max(1, Math.floor(readTimeoutMs / 2))),
    maxHeaderSize: headerBytesMax,
  };
  const { tls, http } = settings.current();
  let server: Server;
  if (tls === undefined) server = process.getBuiltinModule('node:http').createServer(timeouts, handle);
  else if (http.http2) server = http2Server({ ...timeouts, ...tls.context }, handle);
  else server = process.getBuiltinModule('node:https').createServer({ ...timeouts, ...tls.context }, handle);
  if (tls !== undefined) keepTlsCurrent(server, settings);
  server.maxConnections = connectionsMax;
  server.setTimeout(Math.max(readTimeoutMs, silentMsMin));
  return server;
}

/** HTTP/1.1 for those who can't do better. */
function http2Server(options: object, handle: RequestListener): Server {
  const server: Http2SecureServer = process.getBuiltinModule('node:http2').createSecureServer(
    {
      ...options,
      allowHTTP1: true,
      settings: { maxConcurrentStreams: streamsMax, maxHeaderListSize: headerBytesMax },
    },
    handle as never,
  );
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => session.destroy());
  });
  const close = server.close.bind(server);
  server.close = (done) => {
    // Requests under way are answered first.
    for (const session of sessions) session.close();
    return close(done);
  };
  // Its interface for requests is that of HTTP/1.1.
  return server as unknown as Server;
}

/** Before a handshake begins, the newest certificates are put in; after it, the client's is looked at. */
function keepTlsCurrent(server: Server, settings: WebSettings): void {
  const tlsServer = server as unknown as Http2SecureServer;
  let inForce: WebTls | undefined;
  const renew = (): WebTls | undefined => {
    const { tls } = settings.current();
    if (tls === undefined || tls === inForce) return tls;
    inForce = tls;
    tlsServer.setSecureContext(tls.context);
    // Read by the server at each connection; what the client shows is judged below.
    const requestCert = tls.clientAuth !== 'NoClientCert';
    Object.assign(tlsServer, { requestCert, rejectUnauthorized: false });
    return tls;
  };
  renew();
  tlsServer.prependListener('connection', (socket) => {
    try {
      renew();
    } catch {
      // It has been logged. Nobody is let in under settings that nobody wrote.
      socket.destroy();
    }
  });
  tlsServer.prependListener('secureConnection', (socket: TLSSocket) => {
    if (inForce === undefined || clientProblem(socket, inForce) !== undefined) socket.destroy();
  });
}

/** Why a client is not let in, or undefined. */
function clientProblem(socket: TLSSocket, { clientAuth, allowedSans }: WebTls): string | undefined {
  const certificate = socket.getPeerCertificate();
  const isGiven = certificate.raw !== undefined;
  const mustBeGiven = clientAuth.startsWith('Require');
  if (mustBeGiven && !isGiven) return 'it has no certificate';
  const mustBeGood = clientAuth.includes('Verify');
  if (mustBeGood && isGiven && !socket.authorized) return 'its certificate is not trusted';
  if (allowedSans.length === 0 || !isGiven) return undefined;
  const names = (certificate.subjectaltname ?? '')
    .split(', ')
    .map((name) => name.replace(/^(DNS|IP Address|email|URI):/, ''));
  return names.some((name) => allowedSans.includes(name)) ? undefined : 'its names are not allowed';
}

/** Headers for every answer, and a door before every route. To be called before any route is added. */
export function guard(app: FastifyInstance, settings: WebSettings): void {
  app.addHook('onRequest', async (request, reply) => {
    let config: LoadedWebConfig;
    try {
      config = settings.current();
    } catch {
      return plainError(reply, 500, 'Internal Server Error');
    }
    for (const [name, value] of Object.entries(config.http.headers)) reply.header(name, value);
    if (Object.keys(config.users).length === 0) return undefined;
    return checkUser(request, reply, config.users, settings.passwords);
  });
}

async function checkUser(
  request: FastifyRequest,
  reply: FastifyReply,
  users: Readonly<Record<string, string>>,
  passwords: PasswordCheck,
): Promise<FastifyReply | undefined> {
  const given = credentialsOf(request.headers.authorization);
  if (given !== undefined) {
    const { user, password } = given;
    try {
      const hash = Object.hasOwn(users, user) ? users[user] : undefined;
      if (await passwords.isRight(user, hash, password)) return undefined;
    } catch (error) {
      if (error instanceof CodedError) return plainError(reply, 503, errorText(error));
      throw error;
    }
  }
  return plainError(reply.header('www-authenticate', 'Basic'), 401, 'Unauthorized');
}

function credentialsOf(header: string | undefined): { user: string; password: string } | undefined {
  const [, base64] = /^basic ([A-Za-z0-9+/]+={0,2})$/i.exec(header ?? '') ?? [];
  if (base64 === undefined) return undefined;
  const text = Buffer.from(base64, 'base64').toString('utf8');
  const at = text.indexOf(':');
  return at < 0 ? undefined : { user: text.slice(0, at), password: text.slice(at + 1) };
}
