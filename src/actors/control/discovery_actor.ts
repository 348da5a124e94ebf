/**
 * One discovery mechanism of one job: runs it for as long as the actor lives and hands on what it publishes. The
 * mechanism keeps its own last good answer; a failure of the mechanism itself is a restart with backoff.
 */
import type { Discovery, TargetGroup } from '../../discovery/index.ts';
import type { ActorContext, ActorProps, Behavior } from '../../runtime/index.ts';

export type DiscoveryMessage =
  | { readonly type: 'published'; readonly groups: readonly TargetGroup[] }
  | { readonly type: 'failed'; readonly error: unknown };

export interface DiscoveryActorDeps {
  readonly discovery: Discovery;
  readonly onGroups: (groups: readonly TargetGroup[]) => void;
}

class DiscoveryBehavior implements Behavior<DiscoveryMessage> {
  readonly #deps: DiscoveryActorDeps;

  constructor(deps: DiscoveryActorDeps) {
    this.#deps = deps;
  }

  started(context: ActorContext<DiscoveryMessage>): void {
    const publish = (groups: readonly TargetGroup[]): void => {
      // Published faster than handled: the newest counts, and this one is handled before the next is asked for.
      context.self.tell({ type: 'published', groups });
    };
    this.#deps.discovery
      .start(publish, context.signal)
      .catch((error: unknown) => context.self.tell({ type: 'failed', error }));
  }

  receive(message: DiscoveryMessage): void {
    if (message.type === 'failed') throw message.error;
    this.#deps.onGroups(message.groups);
  }
}

export function discoveryProps(deps: DiscoveryActorDeps): ActorProps<DiscoveryMessage> {
  return { kind: 'discovery', create: () => new DiscoveryBehavior(deps), supervision: { restartsMax: 100 } };
}
