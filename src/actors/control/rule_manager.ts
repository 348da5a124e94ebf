/**
 * Keeps one RuleGroupActor running for every configured group that is placed on this node. A group is placed like a
 * series: its key hashes to a shard, and the shard's owner runs it; so the committed table also says that it runs once.
 */
import { errorText, type Logger } from '../../base/index.ts';
import type { ShardTable } from '../../cluster/index.ts';
import { xxHash64 } from '../../model/index.ts';
import {
  RuleGroup,
  type RuleGroupConfig,
  type RuleGroupDeps,
  type RuleGroupOptions,
  type RuleGroupView,
  ruleGroupKey,
} from '../../rules/index.ts';
import type { ActorRef, ActorSystem } from '../../runtime/index.ts';
import { type RuleGroupMessage, ruleGroupProps } from './rule_group_actor.ts';

const viewDeadlineMs = 5_000;

interface RunningGroup {
  readonly config: RuleGroupConfig;
  readonly options: RuleGroupOptions;
  readonly actor: ActorRef<RuleGroupMessage>;
}

/** The shard whose owner runs a group. */
export function shardOfGroup(file: string, name: string, shards: number): number {
  return Number(xxHash64([file, name]) % BigInt(shards));
}

export class RuleManager {
  readonly #system: ActorSystem;
  readonly #deps: RuleGroupDeps;
  readonly #self: string;
  readonly #log: Logger;
  readonly #running = new Map<string, RunningGroup>();
  #groups: readonly RuleGroupConfig[] = [];
  #options: RuleGroupOptions | undefined;
  #table: ShardTable | undefined;
  #started = 0;

  constructor(system: ActorSystem, self: string, deps: RuleGroupDeps) {
    this.#system = system;
    this.#deps = deps;
    this.#self = self;
    this.#log = deps.log;
  }

  /** Takes a new set of groups; unchanged ones go on with their state. */
  configure(groups: readonly RuleGroupConfig[], options: RuleGroupOptions): void {
    this.#groups = groups;
    this.#options = options;
    this.#reconcile();
  }

  setTable(table: ShardTable): void {
    this.#table = table;
    this.#reconcile();
  }

  #reconcile(): void {
    const options = this.#options;
    const table = this.#table;
    if (options === undefined || table === undefined) return;
    const configured = new Set<string>();
    const wanted = new Set<string>();
    for (const config of this.#groups) {
      const key = ruleGroupKey(config.file, config.name);
      configured.add(key);
      const shard = shardOfGroup(config.file, config.name, table.shards.length);
      if (table.shards[shard]?.owner !== this.#self) continue;
      wanted.add(key);
      this.#keepRunning(key, config, options);
    }
    for (const [key, running] of [...this.#running]) {
      if (!wanted.has(key)) this.#end(key, running, configured.has(key));
    }
  }

  #keepRunning(key: string, config: RuleGroupConfig, options: RuleGroupOptions): void {
    const known = this.#running.get(key);
    if (known !== undefined) {
      const isSame = JSON.stringify([known.config, known.options]) === JSON.stringify([config, options]);
      if (isSame) return;
      this.#kill(known.actor);
    }
    const makeGroup = (): RuleGroup => new RuleGroup(config, options, this.#deps);
    const actor = this.#system.spawn(ruleGroupProps({ makeGroup }), `rule-group-${++this.#started}`);
    this.#running.set(key, { config, options, actor });
    this.#log.info({ group: config.name, file: config.file }, 'rule group runs here');
  }

  #end(key: string, { actor }: RunningGroup, isElsewhere: boolean): void {
    this.#running.delete(key);
    if (isElsewhere) this.#kill(actor);
    else actor.tell({ type: 'retire' });
  }

  #kill(actor: ActorRef<RuleGroupMessage>): void {
    this.#system
      .kill(actor)
      .catch((error: unknown) => this.#log.error({ err: errorText(error) }, 'a rule group did not stop'));
  }

  /** Every active alert again, for a new leader. */
  resendAlerts(): void {
    for (const { actor } of this.#running.values()) actor.tell({ type: 'resend' });
  }

  /** The groups that run here, as the API shows them. */
  views(): Promise<RuleGroupView[]> {
    return Promise.all(
      [...this.#running.values()].map(({ actor }) =>
        actor.ask<RuleGroupView>((replyTo) => ({ type: 'view', replyTo }), viewDeadlineMs),
      ),
    );
  }
}
