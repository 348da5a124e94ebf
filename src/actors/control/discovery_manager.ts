/**
 * Runs the discovery mechanisms of all jobs on this node and tells every worker what each job's targets are. Every node
 * sees all targets; which of them a node scrapes is decided by the shard table.
 */
import { errorText, type Logger } from '../../base/index.ts';
import { createDiscovery, type DiscoveryDeps, type TargetGroup } from '../../discovery/index.ts';
import type { ActorRef, ActorSystem } from '../../runtime/index.ts';
import type { ScrapeConfig } from '../../scrape/index.ts';
import type { GroupMessage, WorkerMessage } from '../worker/messages.ts';
import { type DiscoveryMessage, discoveryProps } from './discovery_actor.ts';
import type { LocalWorkers } from './local_workers.ts';

type JobConfig = ScrapeConfig<{ readonly mechanism: string }>;

interface RunningJob {
  /** The discovery sections, to see whether they have changed. */
  readonly text: string;
  readonly actors: readonly ActorRef<DiscoveryMessage>[];
  /** What each section published last. */
  readonly groups: (readonly GroupMessage[])[];
}

export class DiscoveryManager {
  readonly #system: ActorSystem;
  readonly #workers: LocalWorkers;
  readonly #deps: DiscoveryDeps;
  readonly #log: Logger;
  readonly #jobs = new Map<string, RunningJob>();
  #started = 0;

  constructor(system: ActorSystem, workers: LocalWorkers, deps: DiscoveryDeps) {
    this.#system = system;
    this.#workers = workers;
    this.#deps = deps;
    this.#log = deps.log;
  }

  /** Takes a new set of jobs; those whose discovery sections are the same go on. */
  configure(configs: readonly JobConfig[]): void {
    const names = new Set(configs.map(({ jobName }) => jobName));
    for (const [job, running] of [...this.#jobs]) if (!names.has(job)) this.#stop(job, running);
    for (const config of configs) {
      const text = JSON.stringify(config.serviceDiscoveryConfigs);
      const known = this.#jobs.get(config.jobName);
      if (known?.text === text) continue;
      if (known !== undefined) this.#stop(config.jobName, known);
      this.#start(config, text);
    }
  }

  #start(config: JobConfig, text: string): void {
    const { jobName } = config;
    const groups: (readonly GroupMessage[])[] = [];
    const actors = config.serviceDiscoveryConfigs.flatMap((section) => {
      const discovery = createDiscovery(section, this.#deps);
      if (discovery === undefined) return [];
      const index = groups.push([]) - 1;
      const onGroups = (found: readonly TargetGroup[]): void => {
        groups[index] = found.map(groupMessage);
        this.#publish(jobName, groups.flat());
      };
      return [this.#system.spawn(discoveryProps({ discovery, onGroups }), `discovery-${++this.#started}`)];
    });
    this.#jobs.set(jobName, { text, actors, groups });
    // Nobody else would tell the workers that what the job had before is gone.
    if (actors.length === 0) this.#publish(jobName, []);
  }

  #stop(job: string, { actors }: RunningJob): void {
    this.#jobs.delete(job);
    for (const actor of actors) {
      this.#system
        .kill(actor)
        .catch((error: unknown) =>
          this.#log.error({ job, err: errorText(error) }, 'a discovery did not stop'),
        );
    }
  }

  #publish(job: string, groups: readonly GroupMessage[]): void {
    for (const worker of this.#workers.running) this.#tell(worker, job, groups);
  }

  /** Everything known so far, for a worker that has just started. */
  replayTo(worker: ActorRef<WorkerMessage>): void {
    for (const [job, { groups }] of this.#jobs) this.#tell(worker, job, groups.flat());
  }

  #tell(worker: ActorRef<WorkerMessage>, job: string, groups: readonly GroupMessage[]): void {
    worker
      .tellWhenRoom({ type: 'groups', job, groups })
      .catch((error: unknown) =>
        this.#log.error({ job, err: errorText(error) }, 'a worker did not take its targets'),
      );
  }
}

function groupMessage({ source, targets, labels }: TargetGroup): GroupMessage {
  return { source, targets: targets.map((target) => target.flat), labels: labels.flat };
}
