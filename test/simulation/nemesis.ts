/** The schedule of faults: what breaks when is drawn from the seed. */
import { type Random, shuffle } from '../../src/base/index.ts';
import type { EventQueue } from './event_queue.ts';
import type { SimulationOptions } from './options.ts';
import type { SimNetwork } from './sim_network.ts';
import type { SimNode } from './sim_node.ts';

export interface NemesisWorld {
  readonly queue: EventQueue;
  readonly random: Random;
  readonly options: SimulationOptions;
  readonly network: SimNetwork;
  readonly nodes: readonly SimNode[];
  trace(line: string): void;
}

export class Nemesis {
  readonly #world: NemesisWorld;
  #active = true;
  #wiped = false;

  constructor(world: NemesisWorld) {
    this.#world = world;
  }

  start(): void {
    if (this.#world.options.splitAtBirth) this.#partition();
    this.#next();
  }

  /** A node wrote its term or vote. */
  afterVote(node: SimNode): void {
    const { queue, random, options } = this.#world;
    if (!this.#active || random.next() >= options.crashAfterVoteProbability) return;
    queue.after(random.next() * 20, () => {
      if (this.#active) this.#crash(node);
    });
  }

  /** Nothing breaks any more, everything is repaired. */
  stop(): void {
    this.#active = false;
    this.#world.network.calm();
    for (const node of this.#world.nodes) {
      node.pause(0);
      node.start();
    }
  }

  #next(): void {
    const { queue, random, options } = this.#world;
    queue.after(random.next() * 2 * options.faultEveryMs, () => {
      if (!this.#active) return;
      this.#break();
      this.#next();
    });
  }

  #break(): void {
    const { random, network, nodes } = this.#world;
    const actions = [
      () => this.#crash(this.#anyNode()),
      () => this.#crash(this.#leader() ?? this.#anyNode()),
      () => {
        for (const node of nodes) this.#crash(node);
      },
      () => this.#partition(),
      () => this.#partition(),
      () => network.heal(),
      () => network.heal(),
      () => network.slow(this.#anyNode().id, random.below(2_000)),
      () => this.#pause(this.#leader() ?? this.#anyNode()),
    ];
    actions[random.below(actions.length)]?.();
  }

  #anyNode(): SimNode {
    const { random, nodes } = this.#world;
    return nodes[random.below(nodes.length)] as SimNode;
  }

  #leader(): SimNode | undefined {
    return this.#world.nodes.find(({ group }) => group?.role === 'leader');
  }

  #crash(node: SimNode): void {
    if (!node.running) return;
    const { queue, random, options, nodes } = this.#world;
    node.crash();
    // A wiped disk is survivable only once the group is known everywhere, and one at a time.
    const born = nodes.every(({ durableGroupId }) => durableGroupId !== undefined);
    const wipe = options.wipeOne && !this.#wiped && born && random.below(4) === 0;
    if (wipe) {
      node.wipe();
      this.#wiped = true;
    }
    this.#world.trace(`${node.id} crashes${wipe ? ' and loses its disk' : ''}`);
    const downMs = random.below(3) === 0 ? 12_000 : 200;
    queue.after(random.next() * downMs, () => {
      if (!node.running) this.#world.trace(`${node.id} starts again`);
      node.start();
    });
  }

  #partition(): void {
    const { random, network, nodes } = this.#world;
    const ids = shuffle(
      nodes.map(({ id }) => id),
      random,
    );
    const size = 1 + random.below(ids.length - 1);
    const oneWay = random.below(3) === 0;
    if (random.below(2) === 0) network.heal();
    network.partition(ids.slice(0, size), ids.slice(size), oneWay);
    this.#world.trace(
      `cut ${oneWay ? 'from' : 'between'} ${ids.slice(0, size).join(',')} and ${ids.slice(size).join(',')}`,
    );
  }

  #pause(node: SimNode): void {
    const { queue, random } = this.#world;
    const pauseMs = random.below(8_000);
    node.pause(queue.nowMs + pauseMs);
    this.#world.trace(`${node.id} stands still for ${pauseMs} ms`);
  }
}
