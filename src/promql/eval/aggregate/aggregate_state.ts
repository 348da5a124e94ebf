/**
 * The state of a whole aggregation: a group state for each group. `partial` makes it of series, `merge` joins two, `finish`
 * gives the result; a query in one place does the first and the last, a distributed one all three.
 */
import { assert } from '../../../base/index.ts';
import type { Labels } from '../../../model/index.ts';
import type { AggregateExpr, AggregateOp } from '../../parse/tree.ts';
import type { StepSeries } from '../../types.ts';
import type { Annotations } from '../annotations.ts';
import type { TakeSeries } from '../values.ts';
import type { GroupState, Setup } from './group_state.ts';
import { type Grouping, groupFinder } from './grouping.ts';
import { stateKinds } from './states.ts';

export interface Group {
  readonly labels: Labels;
  /** Some series of the group has a name that is still to be dropped. */
  dropName: boolean;
  readonly state: GroupState;
}

/** Lets other events in when it is time to. */
export interface Pacing {
  readonly due: boolean;
  pause(): Promise<void>;
}

export class AggregateState {
  readonly op: AggregateOp;
  readonly setup: Setup;
  /** By the key of their labels, in the order of their first series. */
  readonly groups: Map<string, Group> = new Map<string, Group>();

  constructor(op: AggregateOp, setup: Setup) {
    this.op = op;
    this.setup = setup;
  }

  /** Whether the columns of series that are added belong to the state from then on; else they may be overwritten. */
  get keepsColumns(): boolean {
    return stateKinds[this.op].keepsColumns === true;
  }

  async partial(series: readonly StepSeries[], grouping: Grouping, pacing: Pacing): Promise<void> {
    const add = this.adder(grouping);
    for (const one of series) {
      add(one);
      if (pacing.due) await pacing.pause();
    }
  }

  /** Adds one series after the other. */
  adder(grouping: Grouping): TakeSeries {
    const find = groupFinder<Group>(grouping, (labels) => this.group(labels));
    return (one) => {
      const group = find(one);
      group.state.add(one);
      if (one.dropName === true) group.dropName = true;
    };
  }

  /** The group of these labels, made if it is not there. */
  group(labels: Labels): Group {
    const key = labels.key();
    let group = this.groups.get(key);
    if (group === undefined) {
      group = { labels, dropName: false, state: stateKinds[this.op].create(this.setup) };
      this.groups.set(key, group);
    }
    return group;
  }

  /** Adds the state of the same aggregation over other series; that one is used up. */
  merge(other: AggregateState): void {
    for (const _ of this.merging(other));
  }

  /** The same, group by group. */
  *merging(other: AggregateState): Generator<void> {
    assert(this.op === other.op && this.setup.steps === other.setup.steps, 'states of two aggregations');
    for (const [key, group] of other.groups) {
      const own = this.groups.get(key);
      if (own === undefined) this.groups.set(key, group);
      else {
        own.state.merge(group.state);
        if (group.dropName) own.dropName = true;
      }
      yield;
    }
  }

  /** The result, group by group; `expr` says where in the query annotations belong. Only once. */
  *finish(expr: AggregateExpr, annotations: Annotations): Generator<StepSeries[]> {
    for (const { labels, dropName, state } of this.groups.values()) {
      yield state.finish({ labels, dropName, expr, annotations });
    }
  }
}
