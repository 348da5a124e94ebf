/**
 * Runs the discovery mechanisms of all jobs on this node and tells every worker what each job's targets are. Every node
 * sees all targets; which of them a node scrapes is decided by the shard table. Equal sections are run once, whichever jobs
 * they stand in, so that a reload which renames a job or adds one asks nobody anew.
 */
import { errorText, type Timer } from '../../base/index.ts';
import { createDiscovery, type DiscoveryDeps, type TargetGroup } from '../../discovery/index.ts';
import type { ActorRef, ActorSystem } from '../../runtime/index.ts';
import type { ScrapeConfig } from '../../scrape/index.ts';
import type { GroupMessage, WorkerMessage } from '../worker/messages.ts';
import { type DiscoveryMessage, discoveryProps } from './discovery_actor.ts';
import type { LocalWorkers } from './local_workers.ts';

type JobConfig = ScrapeConfig<{ readonly mechanism: string }>;

/** How long the targets of a replaced section stay when what replaced it doesn't tell of any. */
const leftoverMsMax = 10_000;
/** What Prometheus calls the discovery for scraping in its metrics. */
const name = 'scrape';

/** One section of the configuration, at work. */
interface Provider {
  readonly actor: ActorRef<DiscoveryMessage>;
  /** Undefined until it has told for the first time. */
  groups: readonly GroupMessage[] | undefined;
  /** What they were made from. */
  found: readonly TargetGroup[] | undefined;
}

interface RunningJob {
  /** By the text of their sections. */
  readonly providers: ReadonlyMap<string, Provider>;
  /** What sections found that were replaced in a reload, until those in their place have found something. */
  leftover: readonly GroupMessage[];
  timer: Timer | undefined;
}

export class DiscoveryManager {
  readonly #system: ActorSystem;
  readonly #workers: LocalWorkers;
  readonly #deps: DiscoveryDeps;
  readonly #providers = new Map<string, Provider>();
  readonly #jobs = new Map<string, RunningJob>();
  #started = 0;

  constructor(system: ActorSystem, workers: LocalWorkers, deps: DiscoveryDeps) {
    this.#system = system;
    this.#workers = workers;
    this.#deps = deps;
    const { receivedUpdates, sentUpdates, delayedUpdates } = deps.metrics.manager;
    for (const counter of [receivedUpdates, sentUpdates, delayedUpdates]) counter.inc({ name }, 0);
  }

  /** Takes a new set of jobs; sections that are in use already go on. */
  configure(configs: readonly JobConfig[]): void {
    const before = new Map(this.#jobs);
    this.#jobs.clear();
    let unserved = 0;
    for (const { jobName, serviceDiscoveryConfigs } of configs) {
      const providers = new Map<string, Provider>();
      for (const section of serviceDiscoveryConfigs) {
        const text = JSON.stringify(section);
        const provider = this.#providers.get(text) ?? this.#start(section, text);
        if (provider === undefined) unserved++;
        else providers.set(text, provider);
      }
      this.#setJob(jobName, providers, before.get(jobName));
      before.delete(jobName);
    }
    this.#deps.metrics.manager.failedConfigs.set({ name }, unserved);
    for (const [jobName, job] of before) this.#forget(jobName, job);
    this.#stopUnused();
  }

  #setJob(jobName: string, providers: ReadonlyMap<string, Provider>, known: RunningJob | undefined): void {
    if (known !== undefined && sameKeys(known.providers, providers)) {
      this.#jobs.set(jobName, known);
      return;
    }
    known?.timer?.cancel();
    const replaced = [...(known?.providers ?? [])].filter(([text]) => !providers.has(text));
    const leftover = isKnown(providers)
      ? []
      : [...(known?.leftover ?? []), ...replaced.flatMap(([, { groups }]) => groups ?? [])];
    const job: RunningJob = { providers, leftover, timer: undefined };
    this.#jobs.set(jobName, job);
    if (leftover.length > 0) {
      job.timer = this.#deps.clock.after(leftoverMsMax, () => {
        if (job.leftover.length === 0) return;
        job.leftover = [];
        this.#publish(jobName, job);
      });
    }
    if (known === undefined || !sameGroups(groupsOf(known), groupsOf(job))) this.#publish(jobName, job);
  }

  /** Undefined: nobody serves this mechanism. */
  #start(section: { readonly mechanism: string }, text: string): Provider | undefined {
    const discovery = createDiscovery(section, this.#deps);
    if (discovery === undefined) return undefined;
    const onGroups = (found: readonly TargetGroup[]): void => this.#found(text, found);
    const props = discoveryProps({ discovery, onGroups });
    const provider: Provider = {
      actor: this.#system.spawn(props, `discovery-${++this.#started}`),
      groups: undefined,
      found: undefined,
    };
    this.#providers.set(text, provider);
    return provider;
  }

  #found(text: string, found: readonly TargetGroup[]): void {
    const provider = this.#providers.get(text);
    if (provider === undefined) return;
    this.#deps.metrics.manager.receivedUpdates.inc({ name });
    // Most refreshes find what was there before; nobody needs to hear of it again.
    if (provider.found === found) return;
    provider.found = found;
    const groups = found.map(groupMessage);
    if (provider.groups !== undefined && sameGroups(provider.groups, groups)) return;
    provider.groups = groups;
    for (const [jobName, job] of this.#jobs) if (job.providers.has(text)) this.#publish(jobName, job);
  }

  #stopUnused(): void {
    const used = new Set([...this.#jobs.values()].flatMap(({ providers }) => [...providers.keys()]));
    for (const [text, { actor }] of [...this.#providers]) {
      if (used.has(text)) continue;
      this.#providers.delete(text);
      this.#system
        .kill(actor)
        .catch((error: unknown) =>
          this.#deps.log.error({ err: errorText(error) }, 'a discovery did not stop'),
        );
    }
  }

  #forget(jobName: string, { timer }: RunningJob): void {
    timer?.cancel();
    this.#deps.metrics.manager.discoveredTargets.remove({ name, config: jobName });
    this.#deps.metrics.manager.lastUpdate.remove({ name, config: jobName });
  }

  #publish(jobName: string, job: RunningJob): void {
    if (isKnown(job.providers)) job.leftover = [];
    const groups = groupsOf(job);
    const { metrics, clock } = this.#deps;
    const targets = groups.reduce((sum, group) => sum + group.targets.length, 0);
    metrics.manager.discoveredTargets.set({ name, config: jobName }, targets);
    metrics.manager.lastUpdate.set({ name, config: jobName }, clock.nowMs() / 1000);
    metrics.manager.sentUpdates.inc({ name });
    for (const worker of this.#workers.running) this.#tell(worker, jobName, groups);
  }

  /** Everything known so far, for a worker that has just started. */
  replayTo(worker: ActorRef<WorkerMessage>): void {
    for (const [jobName, job] of this.#jobs) this.#tell(worker, jobName, groupsOf(job));
  }

  #tell(worker: ActorRef<WorkerMessage>, job: string, groups: readonly GroupMessage[]): void {
    worker.tellWhenRoom({ type: 'groups', job, groups }).catch((error: unknown) => {
      this.#deps.metrics.manager.delayedUpdates.inc({ name });
      this.#deps.log.error({ job, err: errorText(error) }, 'a worker did not take its targets');
    });
  }
}

/** Whether every section has told of its targets. */
const isKnown = (providers: RunningJob['providers']): boolean =>
  [...providers.values()].every(({ groups }) => groups !== undefined);

const groupsOf = ({ providers, leftover }: RunningJob): readonly GroupMessage[] => [
  ...leftover,
  ...[...providers.values()].flatMap(({ groups }) => groups ?? []),
];

const sameKeys = (a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean =>
  a.size === b.size && [...a.keys()].every((key) => b.has(key));

const sameTexts = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((text, i) => text === b[i]);

const sameGroups = (a: readonly GroupMessage[], b: readonly GroupMessage[]): boolean =>
  a.length === b.length && a.every((group, i) => sameGroup(group, b[i]));

function sameGroup(a: GroupMessage, b: GroupMessage | undefined): boolean {
  return (
    b !== undefined &&
    a.source === b.source &&
    sameTexts(a.labels, b.labels) &&
    a.targets.length === b.targets.length &&
    a.targets.every((target, i) => sameTexts(target, b.targets[i] ?? []))
  );
}

function groupMessage({ source, targets, labels }: TargetGroup): GroupMessage {
  return { source, targets: targets.map((target) => target.flat), labels: labels.flat };
}
