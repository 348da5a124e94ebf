/**
 * The rule groups as virtual actors: one per configured group in the whole cluster, on the owner of the shard that its
 * key hashes to. So the committed table says that a group runs once, and a new place asks the old one to let go first.
 */
import { errorText, type Logger } from '../../base/index.ts';
import { emptyTable, type ShardTable } from '../../cluster/index.ts';
import { xxHash64 } from '../../model/index.ts';
import {
  RuleGroup,
  type RuleGroupConfig,
  type RuleGroupDeps,
  type RuleGroupOptions,
  type RuleGroupView,
  ruleGroupKey,
} from '../../rules/index.ts';
import type { ActorSystem, NodeLink, VirtualActors } from '../../runtime/index.ts';
import { jsonMessages } from '../json_messages.ts';
import { type RuleGroupMessage, ruleGroupKind, ruleGroupProps } from './rule_group_actor.ts';

const viewDeadlineMs = 5_000;
/** How long a new place waits for the old one to let go of a group. */
const handOffDeadlineMs = 2_000;

interface Configured {
  readonly config: RuleGroupConfig;
  readonly options: RuleGroupOptions;
}

interface Deps {
  readonly system: ActorSystem;
  readonly link: NodeLink;
  readonly log: Logger;
  readonly groups: RuleGroupDeps;
}

export class RuleManager {
  readonly #deps: Deps;
  readonly #virtual: VirtualActors<RuleGroupMessage>;
  #configured = new Map<string, Configured>();
  #table: ShardTable = emptyTable(1);
  /** Owners before the present table. */
  #before: ShardTable = emptyTable(1);

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#virtual = deps.system.virtual<RuleGroupMessage>({
      kind: ruleGroupKind,
      props: (key) => ruleGroupProps({ makeGroup: () => this.#makeGroup(key) }),
      place: (key) => ownerOf(this.#table, key),
      selfNodeId: deps.link.selfNodeId,
      link: deps.link,
      codec: jsonMessages<RuleGroupMessage>(['resend', 'view']),
      handOff: {
        previous: (key) => ownerOf(this.#before, key),
        version: () => this.#table.version,
        deadlineMs: handOffDeadlineMs,
      },
    });
  }

  #makeGroup(key: string): RuleGroup {
    const configured = this.#configured.get(key);
    if (configured === undefined) throw new RangeError(`rule group ${key} is not configured on this node`);
    return new RuleGroup(configured.config, configured.options, this.#deps.groups);
  }

  /** Takes a new set of groups; those that go on keep their state. */
  configure(groups: readonly RuleGroupConfig[], options: RuleGroupOptions): void {
    const before = this.#configured;
    this.#configured = new Map(
      groups.map((config) => [ruleGroupKey(config.file, config.name), { config, options }]),
    );
    for (const key of this.#virtual.localKeys) {
      const now = this.#configured.get(key);
      if (now === undefined) this.#virtual.ref(key).tell({ type: 'retire' });
      else if (JSON.stringify(now) !== JSON.stringify(before.get(key))) {
        this.#virtual.ref(key).tell({ type: 'reconfigure' });
      }
    }
    this.#settle(this.#virtual.setEagerKeys([...this.#configured.keys()]));
  }

  setTable(table: ShardTable): void {
    this.#before = this.#table;
    this.#table = table;
    this.#settle(this.#virtual.placementChanged());
  }

  #settle(moves: Promise<void>): void {
    moves.catch((error: unknown) =>
      this.#deps.log.error({ err: errorText(error) }, 'moving rule groups failed'),
    );
  }

  /** Every active alert of the groups here again, for a new leader. */
  resendAlerts(): void {
    for (const key of this.#virtual.localKeys) this.#virtual.ref(key).tell({ type: 'resend' });
  }

  /** The groups that run here, as the API shows them. */
  views(): Promise<RuleGroupView[]> {
    return Promise.all(
      this.#virtual.localKeys.map((key) =>
        this.#virtual.ref(key).ask<RuleGroupView>((replyTo) => ({ type: 'view', replyTo }), viewDeadlineMs),
      ),
    );
  }
}

/** The owner of the shard that a group's key hashes to; undefined while nobody owns it. */
function ownerOf({ shards }: ShardTable, key: string): string | undefined {
  const owner = shards[Number(xxHash64([key]) % BigInt(shards.length))]?.owner;
  return owner === '' ? undefined : owner;
}
