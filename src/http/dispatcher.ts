/**
 * Connections as an HTTP section of the configuration asks for them: TLS with its files, and a proxy, fixed or from the
 * environment. One per section: its users share connections.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Dispatcher } from 'undici';
import type { ProxyConfig, TlsConfig } from '../model/index.ts';
import { type ProxyRules, proxyFor, proxyRules } from './proxy.ts';
import { hasTlsFiles, type TlsOptions, tlsOptions } from './tls.ts';
import { loadUndici } from './undici.ts';

export interface Connections {
  readonly perOriginMax: number;
  /** How long an unused connection stays open. */
  readonly idleMs: number;
  readonly connectTimeoutMs: number;
}

/** The parts of an HTTP section that are about connections. */
export interface ConnectionConfig extends ProxyConfig {
  readonly tlsConfig: TlsConfig;
  readonly enableHttp2: boolean;
}

interface Agents {
  readonly direct: Dispatcher;
  /** By the proxy's URL, made when first needed; a section has two at most. */
  readonly proxied: Map<string, Dispatcher>;
}

/** Reads the TLS files; rejects with an Error that names the first missing one. To be destroyed by the caller. */
export async function openDispatcher(
  config: ConnectionConfig,
  connections: Connections,
): Promise<HttpConnections> {
  const tls = await tlsOptions(config.tlsConfig);
  return new HttpConnections(config, connections, tls, await loadUndici());
}

export class HttpConnections {
  readonly #config: ConnectionConfig;
  readonly #connections: Connections;
  readonly #undici: Awaited<ReturnType<typeof loadUndici>>;
  readonly #rules: ProxyRules | undefined;
  #tls: TlsOptions;
  #agents: Agents;

  constructor(
    config: ConnectionConfig,
    connections: Connections,
    tls: TlsOptions,
    undici: Awaited<ReturnType<typeof loadUndici>>,
  ) {
    this.#config = config;
    this.#connections = connections;
    this.#undici = undici;
    this.#rules = proxyRules(config, process.env);
    this.#tls = tls;
    this.#agents = this.#open();
  }

  /** What to send a request to this URL with. Changed TLS files take effect; rejects when one can't be read. */
  async dispatcher(url: URL): Promise<Dispatcher> {
    if (hasTlsFiles(this.#config.tlsConfig)) await this.#renew();
    const proxy = this.#rules === undefined ? '' : proxyFor(url, this.#rules);
    if (proxy === '') return this.#agents.direct;
    let agent = this.#agents.proxied.get(proxy);
    if (agent === undefined) {
      agent = this.#openProxied(proxy);
      this.#agents.proxied.set(proxy, agent);
    }
    return agent;
  }

  async destroy(): Promise<void> {
    await Promise.all(allOf(this.#agents).map((agent) => agent.destroy()));
  }

  async #renew(): Promise<void> {
    const tls = await tlsOptions(this.#config.tlsConfig);
    if (isDeepStrictEqual(tls, this.#tls)) return;
    const outdated = this.#agents;
    this.#tls = tls;
    this.#agents = this.#open();
    // What is under way on the old connections comes to its end; nobody waits for that.
    for (const agent of allOf(outdated)) agent.close().catch(() => agent.destroy());
  }

  #open(): Agents {
    const { common, connect } = this.#options();
    return { direct: new this.#undici.Agent({ ...common, connect }), proxied: new Map() };
  }

  /** Plain HTTP is asked of the proxy by whole URL, as Go does and PushProx needs; only HTTPS is tunnelled. */
  #openProxied(proxy: string): Dispatcher {
    const { common, connect } = this.#options();
    const headers = Object.fromEntries(
      Object.entries(this.#config.proxyConnectHeader).map(([name, values]) => [name, values.join(', ')]),
    );
    const target = { httpProxy: proxy, httpsProxy: proxy, noProxy: '' };
    const proxied = { ...common, ...target, headers, proxyTunnel: false, connect, requestTls: connect };
    return new this.#undici.EnvHttpProxyAgent(proxied);
  }

  #options(): { common: object; connect: TlsOptions & { timeout: number } } {
    const { perOriginMax, idleMs, connectTimeoutMs } = this.#connections;
    return {
      // Deadlines are the callers', over the whole exchange.
      common: {
        connections: perOriginMax,
        keepAliveTimeout: idleMs,
        bodyTimeout: 0,
        headersTimeout: 0,
        allowH2: this.#config.enableHttp2,
      },
      connect: { ...this.#tls, timeout: connectTimeoutMs },
    };
  }
}

const allOf = ({ direct, proxied }: Agents): Dispatcher[] => [direct, ...proxied.values()];
