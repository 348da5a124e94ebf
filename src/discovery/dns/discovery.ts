/**
 * Targets from DNS: the records of some names, asked for again at an interval. A name that cannot be looked up keeps the
 * targets that it last had, whatever becomes of the others
 * (prometheus.io/docs/prometheus/latest/configuration/configuration/#dns_sd_config).
 */
import { readFile } from 'node:fs/promises';
import { errorText } from '../../base/index.ts';
import { Labels } from '../../model/index.ts';
import type { DnsSdConfig } from '../config/basic.ts';
import { DnsError } from '../errors.ts';
import { type DiscoveryDeps, runRefreshLoop } from '../refresh.ts';
import { addressLabel, type Discovery, type TargetGroup } from '../target_group.ts';
import { lookUp } from './lookup.ts';
import type { DnsRecord } from './message.ts';
import { parseResolvConf, type ResolverConfig } from './resolv_conf.ts';

const nameLabel = '__meta_dns_name';
const srvTargetLabel = '__meta_dns_srv_record_target';
const srvPortLabel = '__meta_dns_srv_record_port';
const mxTargetLabel = '__meta_dns_mx_record_target';
const nsTargetLabel = '__meta_dns_ns_record_target';

/** Names looked up at the same time; the others wait. */
const lookupsMax = 32;

/** Where the resolver's configuration is, and where its servers listen. */
export interface Resolver {
  readonly configFile: string;
  readonly port: number;
}

const systemResolver: Resolver = { configFile: '/etc/resolv.conf', port: 53 };

export function createDnsDiscovery(
  config: DnsSdConfig,
  deps: DiscoveryDeps,
  resolver: Resolver = systemResolver,
): Discovery {
  const lookups = new DnsLookups(config, deps, resolver);
  return {
    start: (publish, signal) =>
      runRefreshLoop(
        {
          mechanism: 'dns',
          intervalMs: config.refreshIntervalMs,
          refresh: (stop) => lookups.refresh(stop),
        },
        deps,
        publish,
        signal,
      ),
  };
}

class DnsLookups {
  readonly #config: DnsSdConfig;
  readonly #deps: DiscoveryDeps;
  readonly #resolver: Resolver;
  /** The last certain answer for each name. */
  readonly #known = new Map<string, TargetGroup>();

  constructor(config: DnsSdConfig, deps: DiscoveryDeps, resolver: Resolver) {
    this.#config = config;
    this.#deps = deps;
    this.#resolver = resolver;
  }

  async refresh(signal: AbortSignal): Promise<readonly TargetGroup[]> {
    const names = [...new Set(this.#config.names)];
    const waiting = names.values();
    const work = async (): Promise<void> => {
      for (const name of waiting) await this.#refreshName(name, signal);
    };
    await Promise.all(Array.from({ length: Math.min(lookupsMax, names.length) }, work));
    return names.flatMap((name) => this.#known.get(name) ?? []);
  }

  async #refreshName(name: string, signal: AbortSignal): Promise<void> {
    const { metrics, log, clock, random } = this.#deps;
    const { type } = this.#config;
    metrics.dnsLookups.inc();
    try {
      // Read anew each time: a container's resolver may change under it.
      const config = await this.#readConfig();
      const deps = { clock, random, log, signal, port: this.#resolver.port };
      this.#known.set(name, this.#group(name, await lookUp(name, type, config, deps)));
    } catch (error) {
      if (signal.aborted) return;
      metrics.dnsLookupFailures.inc();
      log.error({ name, err: errorText(error) }, 'a name was not looked up, its last good targets stay');
    }
  }

  async #readConfig(): Promise<ResolverConfig> {
    try {
      return parseResolvConf(await readFile(this.#resolver.configFile, 'utf8'));
    } catch (cause) {
      throw new DnsError(`could not load resolv.conf: ${errorText(cause)}`, { cause });
    }
  }

  #group(name: string, records: readonly DnsRecord[]): TargetGroup {
    const targets = records.flatMap((record) => {
      const found = foundIn(record, this.#config.port);
      if (record.type === 'other') {
        this.#deps.log.warn({ name, code: record.code }, 'a DNS record of another type is passed over');
      }
      return found === undefined ? [] : [Labels.fromRecord({ ...found, [nameLabel]: name })];
    });
    return { source: name, targets, labels: Labels.empty };
  }
}

function foundIn(record: DnsRecord, port: number): Record<string, string> | undefined {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return { [addressLabel]: hostPort(record.address, port) };
    case 'SRV':
      return {
        [addressLabel]: hostPort(unrooted(record.target), record.port),
        [srvTargetLabel]: record.target,
        [srvPortLabel]: String(record.port),
      };
    case 'MX':
      return { [addressLabel]: hostPort(unrooted(record.target), port), [mxTargetLabel]: record.target };
    case 'NS':
      return { [addressLabel]: hostPort(unrooted(record.target), port), [nsTargetLabel]: record.target };
    default:
      return undefined;
  }
}

const unrooted = (name: string): string => name.replace(/\.+$/, '');
const hostPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
