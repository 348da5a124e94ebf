/** host:port texts, IPv6 in brackets, and what a name stands for now. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { ClusterOptionError } from './errors.ts';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Throws ClusterOptionError that names the option. */
export function parseHostPort(text: string, option: string): HostPort {
  const match = /^(?:\[([^\]]+)\]|([^:\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new ClusterOptionError(`${option}: ${JSON.stringify(text)} is not host:port`);
  }
  return { host: match[1] ?? match[2] ?? '', port };
}

export const formatHostPort = ({ host, port }: HostPort): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** All addresses of a seed; empty when its name does not resolve now. */
export async function resolveAddresses(text: string): Promise<string[]> {
  const { host, port } = parseHostPort(text, 'seed');
  if (isIP(host) !== 0) return [formatHostPort({ host, port })];
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => formatHostPort({ host: address, port }));
  } catch {
    // A name that does not resolve yet is the normal case while a cluster starts; it is tried again.
    return [];
  }
}

/** What others may dial when the listener takes any address: the first public interface, else loopback. */
export function guessAdvertiseHost(listenHost: string): string {
  if (listenHost !== '' && listenHost !== '0.0.0.0' && listenHost !== '::') return listenHost;
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { family, internal, address } of addresses ?? []) {
      if (family === 'IPv4' && !internal) return address;
    }
  }
  return '127.0.0.1';
}
