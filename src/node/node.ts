/**
 * One node, put together: configuration, threads, cluster, actors, listeners. Only here do all rooms meet. The order of
 * start matters: the listeners first (to say "not ready"), then the stores with their logs replayed, then the cluster
 * (others must not count on a node that can't answer yet), then what scrapes and evaluates.
 */

import { readFileSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import {
  controlName,
  controlProps,
  DiscoveryManager,
  LocalWorkers,
  QueryMetrics,
  QueryService,
  RuleManager,
  type WorkerData,
  type WorkerSettings,
} from '../actors/index.ts';
import { createAlertmanagerMetrics } from '../alertmanager/index.ts';
import { alertmanagerApi, prometheusApi } from '../api/index.ts';
import { type Clock, delay, type Logger, type Random } from '../base/index.ts';
import { type ClusterNode, type ClusterOptions, startCluster } from '../cluster/index.ts';
import { createDiscoveryMetrics } from '../discovery/index.ts';
import { AnchoredRegex, formatDuration } from '../model/index.ts';
import { createRuleMetrics, ruleGroupKey } from '../rules/index.ts';
import { ActorSystem, NodeLink, type ThreadGroup } from '../runtime/index.ts';
import { Admin } from './admin.ts';
import { AlertService } from './alert_service.ts';
import { type AlertmanagerParts, NodeAlertmanagerBackend } from './alertmanager_backend.ts';
import { ConfigApplier } from './config_applier.ts';
import { diskFiles } from './config_files.ts';
import { ConfigReloader } from './config_reloader.ts';
import { ConfigSource } from './config_source.ts';
import type { StorageConfig } from './config_types.ts';
import { openDataDirectory } from './data_directory.ts';
import { featureList } from './feature_list.ts';
import { autoReloads, countsSteps, engineFeatures, featuresWithoutEffect } from './features.ts';
import type { ParsedNodeFlags } from './flags.ts';
import { type HttpListener, hostAndPort, listen, routePrefix } from './http_server.ts';
import type { LoadedConfig } from './load_config.ts';
import { ClusterTransport } from './node_transport.ts';
import { Notifications, notificationTexts } from './notifications.ts';
import { createRegistry, ownMetrics } from './own_metrics.ts';
import { ClusterPeers } from './peer_calls.ts';
import { peerHandlers } from './peer_handlers.ts';
import { type ClusterParts, NodeBackend } from './prometheus_backend.ts';
import { QueryLog } from './query_log.ts';
import { NodeRemoteBackend } from './remote_backend.ts';
import { Reports } from './reports.ts';
import { RuleSources } from './rule_sources.ts';
import { SilenceStore } from './silence_store.ts';
import { storageSettings } from './storage_settings.ts';
import { version } from './version.ts';
import { WebSettings } from './web_server.ts';
import { workerThreads } from './worker_threads.ts';

/** Workers that a node starts by itself at most. */
const workersMax = 8;
/** Stores of a new data directory at least, so that workers can be added on a larger machine. */
const storesMin = 4;
const stopDeadlineMs = 10_000;
/** How long a stopping node lets HTTP requests finish: well below what container runtimes wait before they kill. */
const requestsDeadlineMs = 3_000;

export interface NodeDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

function workerCount(flags: ParsedNodeFlags): number {
  return flags.workers > 0 ? flags.workers : Math.max(1, Math.min(workersMax, availableParallelism() - 1));
}

export class TorchringNode {
  readonly #flags: ParsedNodeFlags;
  readonly #deps: NodeDeps;
  readonly #startedAtMs: number;
  readonly #registry: Registry;
  readonly #system: ActorSystem;
  readonly #workers: LocalWorkers;
  readonly #queryMetrics: QueryMetrics;
  readonly #queryLog: QueryLog;
  readonly #settings: WorkerSettings;
  readonly #listeners: HttpListener[] = [];
  #threads: ThreadGroup<WorkerData> | undefined;
  #cluster: ClusterNode | undefined;
  #applier: ConfigApplier | undefined;
  readonly #backend: NodeBackend;
  readonly #alertmanagerBackend: NodeAlertmanagerBackend;
  #parts: (ClusterParts & AlertmanagerParts) | undefined;
  readonly #reloader: ConfigReloader;
  readonly #notifications: Notifications;
  readonly #web: WebSettings;
  #stopping: Promise<void> | undefined;
  #onQuit: () => void = () => undefined;

  private constructor(flags: ParsedNodeFlags, deps: NodeDeps, source: ConfigSource, storage: StorageConfig) {
    this.#flags = flags;
    this.#deps = deps;
    this.#startedAtMs = deps.clock.nowMs();
    this.#web = new WebSettings(flags.webConfigFile, deps.log);
    this.#registry = createRegistry(() => this.#reloader.status);
    this.#system = new ActorSystem({ ...deps, registry: this.#registry, name: 'control' });
    this.#settings = workerSettings(flags, storage);
    this.#workers = new LocalWorkers(this.#settings.layout);
    this.#queryMetrics = new QueryMetrics(this.#registry, flags.queryMaxConcurrency);
    this.#queryLog = new QueryLog({ ...deps, metrics: this.#queryMetrics });
    this.#reloader = new ConfigReloader({
      source,
      apply: (config) => this.#apply(config),
      onReload: (isGood) => {
        if (isGood) this.#notifications.remove(notificationTexts.reloadFailed);
        else this.#notifications.add(notificationTexts.reloadFailed);
      },
      ...deps,
    });
    const listenersMax = flags.webMaxNotificationsSubscribers;
    this.#notifications = new Notifications(listenersMax, () => deps.clock.nowMs(), this.#registry);
    this.#notifications.add(notificationTexts.starting);
    this.#backend = this.#makeBackend();
    this.#alertmanagerBackend = new NodeAlertmanagerBackend({
      parts: () => this.#parts,
      clusterName: flags.clusterName,
      clock: deps.clock,
      startedAtMs: this.#startedAtMs,
      reload: () => this.reload(),
    });
  }

  /** Rejects with ConfigError or CodedError when the node can't start; nothing is left running then. */
  static async start(flags: ParsedNodeFlags, deps: NodeDeps): Promise<TorchringNode> {
    const paths = { prometheus: flags.configFile, alertmanager: flags.alertmanagerConfigFile };
    const source = new ConfigSource(paths, diskFiles, flags.enableFeatures, process.env);
    const config = await source.load();
    // Before the data directory is marked with it. The default needs no look and loads nothing here.
    if (flags.storageEngine !== 'level') {
      const { assertEngineLoads } = await import('../tsdb/index.ts');
      await assertEngineLoads(flags.storageEngine);
    }
    const node = new TorchringNode(flags, deps, source, config.prometheus.storage);
    try {
      await node.#start(config);
    } catch (error) {
      await node.stop();
      throw error;
    }
    return node;
  }

  /** Calls `run` when somebody asks the node to stop over HTTP. */
  onQuit(run: () => void): void {
    this.#onQuit = run;
  }

  get isReady(): boolean {
    return (
      this.#stopping === undefined && this.#applier !== undefined && this.#cluster?.readyForService === true
    );
  }

  async #start(config: LoadedConfig): Promise<void> {
    const { log } = this.#deps;
    for (const feature of featuresWithoutEffect(this.#flags.enableFeatures)) {
      log.warn({ feature }, 'this feature has no effect yet');
    }
    for (const address of this.#flags.webListenAddresses) {
      this.#listeners.push(await this.#listen(address, (app) => this.#mountPrometheus(app)));
      log.info({ address }, 'Torchring listens for HTTP');
    }
    const { alertmanagerListenAddress } = this.#flags;
    const mount = (app: FastifyInstance): Promise<void> => this.#mountAlertmanager(app, '');
    this.#listeners.push(await this.#listen(alertmanagerListenAddress, mount));
    await this.#startThreads();
    const cluster = await startCluster(this.#clusterOptions(config), {
      ...this.#deps,
      registry: this.#registry,
    });
    this.#cluster = cluster;
    this.#compose(cluster, config);
    await this.#reloader.start(config);
    if (autoReloads(this.#flags.enableFeatures)) this.#reloader.watch(this.#flags.configAutoReloadIntervalMs);
    this.#notifications.remove(notificationTexts.starting);
    log.info({ node: this.#settings.nodeId, version }, 'the node is up');
  }

  async #startThreads(): Promise<void> {
    const { level, format } = { level: this.#flags.logLevel, format: this.#flags.logFormat };
    const threads = workerThreads(
      {
        settings: this.#settings,
        log: { level, format },
        onStarted: (ref) => this.#applier?.tellAll(ref),
      },
      { ...this.#deps, system: this.#system, workers: this.#workers, registry: this.#registry },
    );
    this.#threads = threads;
    const startedMs = this.#deps.clock.monotonicMs();
    await threads.start();
    const replayMs = Math.round(this.#deps.clock.monotonicMs() - startedMs);
    this.#deps.log.info({ workers: this.#settings.layout.workers, replayMs }, 'the shard workers are ready');
  }

  /** Everything that hangs on the cluster. */
  #compose(cluster: ClusterNode, config: LoadedConfig): void {
    const { clock, random, log } = this.#deps;
    const registry = this.#registry;
    const peers = new ClusterPeers(cluster, this.#settings.layout.shards);
    this.#system.spawn(controlProps(this.#workers, peers), controlName);
    const queries = this.#queryService();
    const sources = new RuleSources(queries, this.#workers, this.#settings.limits, log);
    const externalUrl = this.#externalUrl();
    const link = new NodeLink(this.#system, new ClusterTransport(cluster), cluster.nodeId);
    const silences = new SilenceStore(cluster, clock);
    const rules: RuleManager = new RuleManager({
      system: this.#system,
      link,
      log,
      groups: {
        query: (expr, timeMs, signal, group) => sources.query(expr, timeMs, signal, group),
        append: (batch) => sources.append(batch),
        readSeries: (matchers, fromMs, toMs) => sources.read(matchers, fromMs, toMs),
        sendAlerts: (posted) => alerts.post(posted),
        clock,
        log,
        metrics: createRuleMetrics(registry),
      },
    });
    const alerts: AlertService = new AlertService({
      system: this.#system,
      link,
      cluster,
      silences: () => silences.all(),
      clock,
      random,
      log,
      externalUrl,
      metrics: createAlertmanagerMetrics(registry),
      resendAlerts: () => rules.resendAlerts(),
    });
    const discovery = this.#makeDiscovery();
    const reports = new Reports(cluster, this.#workers, rules);
    const admin = new Admin(cluster, this.#workers, this.#settings.dataPath, { clock, random });
    cluster.handle(peerHandlers(this.#workers, reports, admin));
    const applier = new ConfigApplier(
      {
        cluster,
        workers: this.#workers,
        rules,
        alerts,
        discovery,
        queryLog: this.#queryLog,
        externalUrl,
        clock,
        log,
      },
      this.#flags,
    );
    this.#applier = applier;
    this.#parts = {
      cluster,
      queries,
      reports,
      admin,
      alerts,
      silences,
      config: () => (applier.config ?? config).alertmanager,
      configText: () => (applier.config ?? config).prometheus.shownYaml,
      ruleGroups: () =>
        (applier.config ?? config).ruleGroups.map(({ file, name }) => ruleGroupKey(file, name)),
      externalUrl,
      scrapePools: () => (applier.config ?? config).prometheus.scrapeConfigs.map(({ jobName }) => jobName),
    };
  }

  #makeRemoteBackend(): NodeRemoteBackend {
    const { enableFeatures: features, queryLookbackDeltaMs: lookbackMs } = this.#flags;
    return new NodeRemoteBackend({
      workers: this.#workers,
      features,
      limits: {
        readSamplesMax: this.#flags.remoteReadSampleLimit,
        readsMax: this.#flags.remoteReadConcurrentLimit,
        frameBytesMax: this.#flags.remoteReadMaxBytesInFrame,
        lookbackMs,
      },
      config: () => this.#applier?.config?.prometheus,
      clock: this.#deps.clock,
      registry: this.#registry,
    });
  }

  #queryService(): QueryService {
    return new QueryService({
      workers: this.#workers,
      concurrencyMax: this.#flags.queryMaxConcurrency,
      clock: this.#deps.clock,
      metrics: this.#queryMetrics,
      onDone: (record) => this.#queryLog.write(record),
    });
  }

  #makeDiscovery(): DiscoveryManager {
    const metrics = createDiscoveryMetrics(this.#registry);
    return new DiscoveryManager(this.#system, this.#workers, { ...this.#deps, version, metrics });
  }

  #makeBackend(): NodeBackend {
    return new NodeBackend({
      parts: () => this.#parts,
      clusterName: this.#flags.clusterName,
      workers: this.#workers,
      limits: this.#settings.limits,
      flags: this.#flags.flagTexts,
      retentionText: formatDuration(this.#flags.retentionTimeMs),
      startedAtMs: this.#startedAtMs,
      features: featureList(this.#flags),
      countsSteps: countsSteps(this.#flags.enableFeatures),
      notifications: this.#notifications,
      configStatus: () => this.#reloader.status,
      isReady: () => this.isReady,
      metrics: () => ownMetrics(this.#registry, this.#workers, this.#deps.log),
      reload: () => this.reload(),
      quit: () => this.#onQuit(),
      remote: this.#makeRemoteBackend(),
    });
  }

  #listen(address: string, mount: (app: FastifyInstance) => Promise<void>): Promise<HttpListener> {
    const { webReadTimeoutMs: readTimeoutMs, webMaxConnections: connectionsMax } = this.#flags;
    return listen(address, mount, { settings: this.#web, limits: { readTimeoutMs, connectionsMax } });
  }

  async #mountPrometheus(app: FastifyInstance): Promise<void> {
    const prefix = routePrefix(this.#flags.webRoutePrefix, this.#flags.webExternalUrl);
    await app.register(prometheusApi, {
      backend: this.#backend,
      clock: this.#deps.clock,
      registry: this.#registry,
      remoteWrite: {
        isEnabled: this.#flags.webEnableRemoteWriteReceiver,
        acceptedMessages: this.#flags.webRemoteWriteMessages,
      },
      otlp: { isEnabled: this.#flags.webEnableOtlpReceiver },
      isLifecycleEnabled: this.#flags.webEnableLifecycle,
      isAdminEnabled: this.#flags.webEnableAdminApi,
      corsOrigin: AnchoredRegex.compile(this.#flags.webCorsOrigin),
      ...(prefix === '' ? {} : { prefix }),
    });
    await this.#mountAlertmanager(app, `${prefix}/alertmanager`);
  }

  async #mountAlertmanager(app: FastifyInstance, prefix: string): Promise<void> {
    const options = { backend: this.#alertmanagerBackend, metrics: () => this.#backend.metrics() };
    await app.register(alertmanagerApi, { ...options, ...(prefix === '' ? {} : { prefix }) });
  }

  async #apply(config: LoadedConfig): Promise<void> {
    await this.#applier?.apply(config);
    this.#cluster?.setConfigHash(config.hash);
  }

  /** Reads the configuration again. Rejects with what is wrong; the old one goes on then. */
  reload(): Promise<void> {
    return this.#reloader.reload();
  }

  /** Leaves the cluster in order and closes everything; once, however often it is called. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopInOrder();
    return this.#stopping;
  }

  async #stopInOrder(): Promise<void> {
    this.#notifications.add(notificationTexts.stopping);
    this.#reloader.stop();
    await this.#closeListeners();
    this.#applier?.stop();
    await this.#cluster?.leave();
    await this.#web.passwords.close();
    await this.#threads?.stop(stopDeadlineMs);
    await this.#system.shutdown(stopDeadlineMs);
    await this.#queryLog.close();
  }

  /** No new requests; those under way may finish, but not keep the node from leaving the cluster. */
  async #closeListeners(): Promise<void> {
    const closed = new AbortController();
    const closing = Promise.all(this.#listeners.map((listener) => listener.close()));
    const late = delay(this.#deps.clock, requestsDeadlineMs, closed.signal).catch(() => undefined);
    try {
      await Promise.race([closing, late]);
    } finally {
      closed.abort();
    }
  }

  #externalUrl(): string {
    if (this.#flags.webExternalUrl !== '') return this.#flags.webExternalUrl.replace(/\/$/, '');
    const { host, port } = hostAndPort(this.#listeners[0]?.address ?? ':9090');
    const scheme = this.#web.isTls ? 'https' : 'http';
    return `${scheme}://${isUnspecified(host) ? hostname() : host}:${port}`;
  }

  #clusterOptions(config: LoadedConfig): ClusterOptions {
    const flags = this.#flags;
    const tls = flags.clusterTlsCertFile === '' ? undefined : tlsFiles(flags);
    return {
      nodeId: this.#settings.nodeId,
      clusterName: flags.clusterName,
      secret: flags.clusterSecretFile === '' ? '' : readFileSync(flags.clusterSecretFile, 'utf8').trim(),
      listenAddress: flags.clusterListenAddress,
      advertiseAddress: flags.clusterAdvertiseAddress === '' ? undefined : flags.clusterAdvertiseAddress,
      httpAddress: this.#reachable(this.#listeners[0]?.address ?? ':9090'),
      alertmanagerAddress: this.#reachable(flags.alertmanagerListenAddress),
      zone: flags.nodeZone,
      version,
      configHash: config.hash,
      join: flags.clusterJoin,
      expect: flags.clusterExpect,
      shards: this.#settings.layout.shards,
      dataPath: join(this.#settings.dataPath, 'control'),
      tls,
    };
  }

  /** An address to tell others: the host's name where the listener takes all addresses. */
  #reachable(address: string): string {
    const { host, port } = hostAndPort(address);
    return `${isUnspecified(host) ? hostname() : host}:${port}`;
  }
}

const isUnspecified = (host: string): boolean => host === '' || host === '0.0.0.0' || host === '::';

function tlsFiles(flags: ParsedNodeFlags): NonNullable<ClusterOptions['tls']> {
  return {
    certFile: flags.clusterTlsCertFile,
    keyFile: flags.clusterTlsKeyFile,
    caFile: flags.clusterTlsCaFile,
  };
}

/** Opens the data directory and lays the shards out over its stores. Throws CodedError. */
function workerSettings(flags: ParsedNodeFlags, storage: StorageConfig): WorkerSettings {
  const workers = workerCount(flags);
  const identity = openDataDirectory({
    path: flags.storagePath,
    nodeId: flags.nodeId,
    clusterName: flags.clusterName,
    shards: flags.clusterShards,
    stores: Math.max(storesMin, workers),
    engine: flags.storageEngine,
  });
  const { nodeId, clusterName, shards, stores } = identity;
  return {
    nodeId,
    clusterName,
    version,
    dataPath: flags.storagePath,
    layout: { shards, stores, workers: Math.min(workers, stores) },
    storage: storageSettings(storage, flags),
    fsync: flags.storageFsync,
    engine: flags.storageEngine,
    limits: {
      samplesMax: flags.queryMaxSamples,
      timeoutMs: flags.queryTimeoutMs,
      lookbackMs: flags.queryLookbackDeltaMs,
      ...(flags.queryMemoryMaxBytes > 0 ? { memoryMax: flags.queryMemoryMaxBytes } : {}),
    },
    features: engineFeatures(flags.enableFeatures),
  };
}
