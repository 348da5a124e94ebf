/** A promise that is checked after every step. A checker throws Violation. */
import type { GroupEffect } from '../../../src/cluster/control/group_node.ts';
import type { SimNode } from '../sim_node.ts';

export class Violation extends Error {
  override readonly name = 'Violation';
}

export interface Checker {
  /** The promise, in words. */
  readonly promise: string;
  /** A node carried out an effect, or (undefined) finished a batch. */
  observe?(node: SimNode, effect: GroupEffect | undefined): void;
  /** Now and then, over all nodes. */
  survey?(nodes: readonly SimNode[]): void;
}
