/** The Alertmanager API's questions: alerts go to and come from the leader, silences are the control group's. */
import type { AlertsViewQuery } from '../actors/index.ts';
import {
  type AlertmanagerConfig,
  compileMatchers,
  parseMatchers,
  receiversView,
  silencesView,
  silenceView,
  statusView,
} from '../alertmanager/index.ts';
import type { AlertmanagerBackend, AlertsQuery } from '../api/index.ts';
import { type Clock, CodedError } from '../base/index.ts';
import type { ClusterNode } from '../cluster/index.ts';
import type { AlertService } from './alert_service.ts';
import type { SilenceStore } from './silence_store.ts';
import { alertmanagerVersion, version } from './version.ts';

export interface AlertmanagerParts {
  readonly cluster: Pick<ClusterNode, 'leader' | 'members'>;
  readonly alerts: Pick<AlertService, 'isConfigured' | 'post' | 'view'>;
  readonly silences: Pick<SilenceStore, 'all' | 'put' | 'expire'>;
  readonly config: () => (AlertmanagerConfig & { readonly shownYaml: string }) | undefined;
}

export interface AlertmanagerBackendDeps {
  /** Undefined while the node starts. */
  readonly parts: () => AlertmanagerParts | undefined;
  readonly clusterName: string;
  readonly clock: Clock;
  readonly startedAtMs: number;
  readonly reload: () => Promise<void>;
}

export class NodeAlertmanagerBackend implements AlertmanagerBackend {
  readonly #deps: AlertmanagerBackendDeps;

  constructor(deps: AlertmanagerBackendDeps) {
    this.#deps = deps;
  }

  get #parts(): AlertmanagerParts {
    const parts = this.#deps.parts();
    if (parts !== undefined) return parts;
    throw new CodedError('unavailable', 'this node is starting');
  }

  get #config(): AlertmanagerConfig & { readonly shownYaml: string } {
    const config = this.#parts.config();
    if (config !== undefined) return config;
    throw new CodedError('not_supported', 'this node has no --alertmanager.config.file');
  }

  async status(): Promise<unknown> {
    const { cluster } = this.#parts;
    return statusView({
      clusterName: this.#deps.clusterName,
      clusterStatus: cluster.leader() === undefined ? 'settling' : 'ready',
      peers: cluster.members().map(({ meta }) => ({ name: meta.id, address: meta.advertiseAddress })),
      configText: this.#config.shownYaml,
      startedAtMs: this.#deps.startedAtMs,
      version: alertmanagerVersion,
      revision: `torchring-${version}`,
    });
  }

  async receivers(matchers: readonly string[]): Promise<unknown> {
    if (matchers.length > 0) throw new CodedError('not_supported', 'receivers have no labels here to match');
    return receiversView(this.#config);
  }

  async alerts(query: AlertsQuery): Promise<unknown> {
    return this.#parts.alerts.view('alerts', viewQuery(query));
  }

  async alertGroups(query: AlertsQuery): Promise<unknown> {
    return this.#parts.alerts.view('groups', viewQuery(query));
  }

  async postAlerts(alerts: readonly unknown[]): Promise<void> {
    const { alerts: service } = this.#parts;
    if (!service.isConfigured)
      throw new CodedError('not_supported', 'this node has no --alertmanager.config.file');
    await service.post(alerts);
  }

  async silences(filter: readonly string[]): Promise<unknown> {
    const matchers = compileMatchers(filter.flatMap(parseFilter));
    return silencesView(this.#parts.silences.all(), matchers, this.#deps.clock.nowMs());
  }

  async silence(id: string): Promise<unknown> {
    const found = this.#parts.silences.all().find((silence) => silence.id === id);
    if (found === undefined) throw new CodedError('silence_not_found', `silence ${id} not found`);
    return silenceView(found, this.#deps.clock.nowMs());
  }

  async postSilence(silence: unknown): Promise<{ readonly silenceID: string }> {
    return { silenceID: await this.#parts.silences.put(silence) };
  }

  async expireSilence(id: string): Promise<void> {
    await this.#parts.silences.expire(id);
  }

  reload(): Promise<void> {
    return this.#deps.reload();
  }
}

/** Throws CodedError `not_supported`, and `bad_matcher` on a filter that is no matcher. */
function viewQuery({ receiver, receiverMatchers, filter, ...states }: AlertsQuery): AlertsViewQuery {
  if (receiverMatchers.length > 0)
    throw new CodedError('not_supported', 'receivers have no labels here to match');
  return { ...states, receiver: receiver ?? '', filter: filter.flatMap(parseFilter) };
}

/** Throws CodedError `bad_matcher`. */
function parseFilter(text: string): ReturnType<typeof parseMatchers> {
  try {
    return parseMatchers(text);
  } catch (cause) {
    throw new CodedError('bad_matcher', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
