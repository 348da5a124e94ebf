/** Whether a request goes through a proxy: the rules of Go's httpproxy package, by which Prometheus' users write `no_proxy`. */
import { BlockList, isIP } from 'node:net';
import type { ProxyConfig } from '../model/index.ts';

/** Which proxy serves which scheme; empty: none. */
export interface ProxyRules {
  readonly http: string;
  readonly https: string;
  /** Hosts that need none, between commas. */
  readonly noProxy: string;
  /** Loopback addresses never go through a proxy. */
  readonly sparesLoopback: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Undefined: no proxy is configured. */
export function proxyRules(
  { proxyUrl, noProxy, proxyFromEnvironment }: ProxyConfig,
  environment: Environment,
): ProxyRules | undefined {
  if (proxyUrl !== '') {
    return { http: proxyUrl, https: proxyUrl, noProxy, sparesLoopback: noProxy !== '' };
  }
  if (!proxyFromEnvironment) return undefined;
  const named = (name: string): string => environment[name] || environment[name.toLowerCase()] || '';
  const rules = { http: named('HTTP_PROXY'), https: named('HTTPS_PROXY'), noProxy: named('NO_PROXY') };
  return rules.http === '' && rules.https === '' ? undefined : { ...rules, sparesLoopback: true };
}

/** The proxy for a URL; empty: none. */
export function proxyFor(url: URL, rules: ProxyRules): string {
  const proxy = url.protocol === 'https:' ? rules.https : rules.http;
  const host = url.hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  if (rules.sparesLoopback && isLoopback(host)) return '';
  const isSpared = rules.noProxy.split(',').some((entry) => matches(entry.trim().toLowerCase(), host, port));
  return isSpared ? '' : proxy;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** An entry is `*`, an address, a network or a domain (with its subdomains), the latter and addresses with a port or without. */
function matches(entry: string, host: string, port: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  if (isIP(host) !== 0 && entry.includes('/')) return isInNetwork(entry, host);
  const withPort = /^(.*):(\d+)$/.exec(entry);
  const isPorted = withPort !== null && (isIP(entry) === 0 || entry.startsWith('['));
  if (isPorted && withPort[2] !== port) return false;
  const name = (isPorted ? String(withPort[1]) : entry).replace(/^\[|\]$/g, '');
  if (isIP(name) !== 0) return name === host;
  const domain = name.startsWith('*.') ? name.slice(1) : name;
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

function isInNetwork(network: string, address: string): boolean {
  const [base = '', bits = ''] = network.split('/');
  const family = isIP(base) === 6 ? 'ipv6' : 'ipv4';
  const length = Number(bits);
  if (isIP(base) === 0 || !(length >= 0 && length <= (family === 'ipv6' ? 128 : 32))) return false;
  const list = new BlockList();
  list.addSubnet(base, length, family);
  return isIP(base) === isIP(address) && list.check(address, family);
}
