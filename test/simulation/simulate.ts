/**
 * One run: a cluster on virtual time, first with faults and every checker after every step, then healed,
 * when it must converge. Everything follows from the seed.
 */
import { errorText, seededRandom } from '../../src/base/index.ts';
import { encodeCommand } from '../../src/cluster/control/commands.ts';
import type { GroupEffect } from '../../src/cluster/control/group_node.ts';
import { type Checker, Violation } from './checkers/checker.ts';
import { notConverged } from './checkers/convergence.ts';
import { electionSafety } from './checkers/election_safety.ts';
import { logMatching } from './checkers/log_matching.ts';
import { oneGroup } from './checkers/one_group.ts';
import { stateMachineSafety } from './checkers/state_machine_safety.ts';
import { tableVersions } from './checkers/table_versions.ts';
import { EventQueue } from './event_queue.ts';
import { Nemesis } from './nemesis.ts';
import type { SimulationOptions } from './options.ts';
import { SimNetwork } from './sim_network.ts';
import { addressOf, SimNode } from './sim_node.ts';

export interface SimulationResult {
  /** What was violated; undefined when the run passed. */
  readonly violation: string | undefined;
  readonly trace: readonly string[];
  readonly virtualMs: number;
  readonly convergedAfterMs: number | undefined;
  /** Proposals that were acknowledged. */
  readonly acknowledged: number;
}

export interface SimulationMode {
  /** Disks forget terms and votes: a run that must fail. */
  readonly forgetful?: boolean;
}

const traceMax = 400;
const surveyEveryMs = 1_000;

class Simulation {
  readonly queue: EventQueue = new EventQueue();
  readonly options: SimulationOptions;
  readonly random: ReturnType<typeof seededRandom>;
  readonly network: SimNetwork;
  readonly nodes: SimNode[];
  readonly lines: string[] = [];
  readonly acknowledged = new Set<string>();
  readonly #checkers: readonly Checker[];
  /** Proposals whose outcome is awaited, by place in the log. */
  readonly #proposed = new Map<string, string>();
  readonly #nemesis: Nemesis;
  #proposals = 0;
  #proposing = true;
  #leaders = '';

  constructor(options: SimulationOptions, mode: SimulationMode) {
    this.options = options;
    this.random = seededRandom(options.seed);
    this.#checkers = [electionSafety(), stateMachineSafety(), logMatching(), oneGroup(), tableVersions()];
    const ids = Array.from({ length: options.nodes }, (_, i) => `n${i + 1}`);
    const receivers = {
      deliver: (to: string, message: Parameters<SimNode['deliver']>[0]) => this.#node(to).deliver(message),
      refused: (from: string, to: string) => this.#node(from).refused(addressOf(to)),
    };
    this.network = new SimNetwork(this.queue, options, this.random, receivers);
    const seeds = ids.slice(0, options.seeds).map(addressOf);
    const world = {
      queue: this.queue,
      random: this.random,
      options,
      send: this.network.send.bind(this.network),
      observe: (node: SimNode, effect: GroupEffect | undefined) => this.#observe(node, effect),
    };
    this.nodes = ids.map((id) => new SimNode(id, seeds, world, mode.forgetful === true));
    this.#nemesis = new Nemesis(this);
  }

  trace(line: string): void {
    if (this.lines.length >= traceMax) this.lines.shift();
    this.lines.push(`${(this.queue.nowMs / 1000).toFixed(3)} ${line}`);
  }

  run(): number {
    const { safetyMs, livenessMs, startSpreadMs } = this.options;
    for (const node of this.nodes) this.queue.after(this.random.next() * startSpreadMs, () => node.start());
    this.#nemesis.start();
    this.#propose();
    this.#survey();
    this.#runUntil(safetyMs);
    this.trace('everything is repaired');
    this.#nemesis.stop();
    this.#proposing = false;
    const endMs = safetyMs + livenessMs;
    for (let atMs = safetyMs + 1_000; ; atMs += 1_000) {
      this.#runUntil(atMs);
      const missing = notConverged(this.nodes, this.acknowledged);
      if (missing === undefined) return atMs - safetyMs;
      if (atMs >= endMs)
        throw new Violation(`not converged ${livenessMs} ms after all was repaired: ${missing}`);
    }
  }

  #runUntil(untilMs: number): void {
    while (this.queue.nowMs < untilMs && this.queue.step());
  }

  #node(id: string): SimNode {
    const node = this.nodes.find((each) => each.id === id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  #observe(node: SimNode, effect: GroupEffect | undefined): void {
    for (const checker of this.#checkers) {
      try {
        checker.observe?.(node, effect);
      } catch (error) {
        throw new Violation(`${checker.promise}: ${errorText(error)}`, { cause: error });
      }
    }
    if (effect?.kind === 'persist' && effect.persist.hardState !== undefined) this.#nemesis.afterVote(node);
    if (effect?.kind === 'apply') {
      for (const { index, term } of effect.entries) this.#acknowledge(`${node.id}/${index}/${term}`);
    }
    if (effect?.kind === 'leader' && effect.leader !== undefined && effect.leader === node.id) {
      const line = `${node.id} leads term ${effect.term}`;
      if (line !== this.#leaders) this.trace(line);
      this.#leaders = line;
    }
  }

  #acknowledge(place: string): void {
    const key = this.#proposed.get(place);
    if (key === undefined) return;
    this.#proposed.delete(place);
    this.acknowledged.add(key);
  }

  #propose(): void {
    this.queue.after(this.random.next() * 2 * this.options.proposeEveryMs, () => {
      if (!this.#proposing) return;
      this.#propose();
      // Whoever believes to lead, deposed leaders included: their logs are the ones that diverge.
      const leaders = this.nodes.filter(({ group }) => group?.role === 'leader');
      const node = leaders[this.random.below(Math.max(1, leaders.length))];
      const key = `p${this.#proposals++}`;
      const entry = { key, payload: new Uint8Array(), expiresAtMs: Number.MAX_SAFE_INTEGER };
      const position = node?.propose(encodeCommand({ kind: 'recordNotification', entry }));
      if (position === undefined) return;
      const place = `${node?.id}/${position.index}/${position.term}`;
      this.#proposed.set(place, key);
      // With an instant disk it may be applied already.
      const applied = node?.group?.applied;
      if (applied !== undefined && applied.index >= position.index && applied.term === position.term) {
        this.#acknowledge(place);
      }
    });
  }

  #survey(): void {
    this.queue.after(surveyEveryMs, () => {
      this.#survey();
      for (const checker of this.#checkers) checker.survey?.(this.nodes);
    });
  }
}

/** Runs one seed's cluster. Never throws: a broken invariant is a violation too. */
export function simulate(options: SimulationOptions, mode: SimulationMode = {}): SimulationResult {
  const simulation = new Simulation(options, mode);
  let convergedAfterMs: number | undefined;
  let violation: string | undefined;
  try {
    convergedAfterMs = simulation.run();
  } catch (error) {
    violation =
      error instanceof Violation
        ? error.message
        : `invariant: ${error instanceof Error ? error.stack : error}`;
  }
  return {
    violation,
    trace: simulation.lines,
    virtualMs: simulation.queue.nowMs,
    convergedAfterMs,
    acknowledged: simulation.acknowledged.size,
  };
}
