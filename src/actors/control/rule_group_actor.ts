/**
 * One rule group on the node that its key is placed on: drives the group from slot to slot, never two evaluations at a
 * time. Mailbox: the default bound, for the few messages of reloads, new leaders and views.
 * After a failure the group starts anew and restores its alerts from ALERTS_FOR_STATE.
 */

import { type RuleGroup, type RuleGroupView, ruleGroupView } from '../../rules/index.ts';
import type { ActorContext, ActorProps, Behavior, ReplyTo } from '../../runtime/index.ts';

export type RuleGroupMessage =
  | { readonly type: 'slot'; readonly slotMs: number }
  | { readonly type: 'evaluated' }
  | { readonly type: 'failed'; readonly error: unknown }
  /** Another node leads the alerting: it has to hear of every active alert. */
  | { readonly type: 'resend' }
  /** The configuration has changed: go on as the new group, with the state of the old. */
  | { readonly type: 'reconfigure' }
  /** The group is not configured any more: its series end. */
  | { readonly type: 'retire' }
  | { readonly type: 'view'; readonly replyTo: ReplyTo<RuleGroupView> };

export interface RuleGroupActorDeps {
  /** Makes the group with its state; called at every (re)start. */
  readonly makeGroup: () => RuleGroup;
}

class RuleGroupBehavior implements Behavior<RuleGroupMessage> {
  readonly #deps: RuleGroupActorDeps;
  #group: RuleGroup;
  #isEvaluating = false;
  /** A new configuration came while the old group was evaluating. */
  #isOutdated = false;

  constructor(deps: RuleGroupActorDeps) {
    this.#deps = deps;
    this.#group = deps.makeGroup();
  }

  started(context: ActorContext<RuleGroupMessage>): void {
    this.#schedule(context);
  }

  receive(message: RuleGroupMessage, context: ActorContext<RuleGroupMessage>): void | Promise<void> {
    switch (message.type) {
      case 'slot':
        this.#evaluate(message.slotMs, context);
        break;
      case 'evaluated':
        this.#isEvaluating = false;
        if (this.#isOutdated) this.#reconfigure();
        this.#schedule(context);
        break;
      case 'failed':
        throw message.error;
      case 'resend':
        return this.#group.resendAlerts(context.clock.nowMs());
      case 'reconfigure':
        // The evaluation under way still changes the state that the new group is to go on with.
        if (this.#isEvaluating) this.#isOutdated = true;
        else {
          this.#reconfigure();
          this.#schedule(context);
        }
        break;
      case 'retire':
        return this.#group.retire(context.clock.nowMs());
      case 'view':
        message.replyTo.ok(ruleGroupView(this.#group));
        break;
    }
  }

  #reconfigure(): void {
    this.#isOutdated = false;
    const state = this.#group.stateSnapshot();
    this.#group = this.#deps.makeGroup();
    this.#group.restoreSnapshot(state);
  }

  #schedule(context: ActorContext<RuleGroupMessage>): void {
    const nowMs = context.clock.nowMs();
    const slotMs = this.#group.nextSlotMs(nowMs);
    context.startTimer('slot', Math.max(0, slotMs - nowMs), { type: 'slot', slotMs });
  }

  #evaluate(slotMs: number, context: ActorContext<RuleGroupMessage>): void {
    if (this.#isEvaluating) return;
    this.#isEvaluating = true;
    context.pipe(
      this.#group.evaluate(slotMs, context.signal),
      () => ({ type: 'evaluated' }),
      (error) => ({ type: 'failed', error }),
    );
  }
}

export const ruleGroupKind = 'rule_group';

export function ruleGroupProps(deps: RuleGroupActorDeps): Omit<ActorProps<RuleGroupMessage>, 'kind'> {
  return { create: () => new RuleGroupBehavior(deps), supervision: { restartsMax: 100 } };
}
