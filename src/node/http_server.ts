/** The HTTP listeners of a node: the same plugins on each address. */
import fastify, { type FastifyInstance } from 'fastify';
import { httpServerOptions } from '../api/index.ts';
import { CodedError, errorText } from '../base/index.ts';
import { guard, type ServerLimits, type WebSettings, webServer } from './web_server.ts';

export interface HttpListener {
  /** `host:port` as it was bound. */
  readonly address: string;
  close(): Promise<void>;
}

/** `[host]:port`, `:port` or `host:port`. Throws CodedError `listen_address`. */
export function hostAndPort(address: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(address);
  if (match === null) throw new CodedError('listen_address', `${JSON.stringify(address)} is not host:port`);
  return { host: match[1] ?? match[2] ?? '', port: Number(match[3]) };
}

/** The path under which everything is served, without a slash at its end: as given, else that of the external URL. */
export function routePrefix(given: string, externalUrl: string): string {
  const path = given === '' && externalUrl !== '' ? new URL(externalUrl).pathname : given;
  const trimmed = path.replace(/^\/+|\/+$/g, '');
  return trimmed === '' ? '' : `/${trimmed}`;
}

export interface ListenOptions {
  readonly settings: WebSettings;
  readonly limits: ServerLimits;
}

/** Rejects with CodedError `listen_address` when the address can't be bound. */
export async function listen(
  address: string,
  mount: (app: FastifyInstance) => Promise<void>,
  { settings, limits }: ListenOptions,
): Promise<HttpListener> {
  const { host, port } = hostAndPort(address);
  const app = fastify(httpServerOptions((handle) => webServer(settings, limits, handle)));
  guard(app, settings);
  await mount(app);
  try {
    await app.listen({ port, host: host === '' ? '::' : host });
  } catch (error) {
    throw new CodedError('listen_address', `cannot listen on ${address}: ${errorText(error)}`, {
      cause: error,
    });
  }
  const bound = app.server.address();
  const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port;
  return { address: `${host}:${boundPort}`, close: () => app.close() };
}
