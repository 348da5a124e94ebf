/** What a seed decides about a run: all of it is drawn here, and printed when the run fails. */
import { type Random, seededRandom } from '../../src/base/index.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Nodes that form the control group at its birth; more than half of all, as the rule demands. */
  readonly expect: number;
  readonly shards: number;
  /** Length of the phase with faults, virtual milliseconds. */
  readonly safetyMs: number;
  /** Within this much of virtual time a healed cluster must converge. */
  readonly livenessMs: number;
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
  readonly lossProbability: number;
  readonly duplicateProbability: number;
  /** A message that is late arrives after up to this much more. */
  readonly lateProbability: number;
  readonly lateMs: number;
  readonly persistMaxMs: number;
  /** Mean time between two faults of the schedule. */
  readonly faultEveryMs: number;
  /** How many nodes are seeds for all. */
  readonly seeds: number;
  readonly startSpreadMs: number;
  /** How often a node dies just after it wrote a term or vote: the moment that a forgotten promise shows. */
  readonly crashAfterVoteProbability: number;
  readonly splitAtBirth: boolean;
  readonly wipeOne: boolean;
  readonly proposeEveryMs: number;
  /** Applied entries that a log keeps before it is compacted. */
  readonly logEntriesMax: number;
  /** Clocks of nodes differ by up to this much. */
  readonly clockSkewMs: number;
}

/** Draws a run's options. `safetyMs` can be given, to look longer. */
export function drawOptions(seed: number, safetyMs?: number): SimulationOptions {
  const random: Random = seededRandom(seed ^ 0x5eed);
  const between = (low: number, high: number): number => low + random.below(high - low + 1);
  const chance = (probability: number): boolean => random.next() < probability;
  const nodes = between(3, 7);
  const expect = between(Math.floor(nodes / 2) + 1, nodes);
  return {
    seed,
    nodes,
    expect,
    shards: between(4, 24),
    safetyMs: safetyMs ?? between(20, 60) * 1_000,
    livenessMs: 90_000,
    delayMinMs: between(0, 5),
    delayMaxMs: between(6, 100),
    lossProbability: chance(0.5) ? 0 : random.next() * 0.2,
    duplicateProbability: chance(0.5) ? 0 : random.next() * 0.2,
    lateProbability: chance(0.5) ? 0 : random.next() * 0.1,
    lateMs: between(500, 5_000),
    persistMaxMs: between(0, 200),
    faultEveryMs: between(1, 8) * 1_000,
    seeds: between(1, nodes),
    startSpreadMs: chance(0.5) ? 0 : between(0, 10_000),
    crashAfterVoteProbability: chance(0.5) ? 0 : random.next() * 0.5,
    splitAtBirth: chance(0.3),
    // Of two voters neither can be replaced yet: a lost disk would end the group.
    wipeOne: chance(0.3) && expect > 2,
    proposeEveryMs: between(20, 400),
    logEntriesMax: chance(0.5) ? between(10, 200) : 4_096,
    clockSkewMs: chance(0.5) ? 0 : between(0, 60_000),
  };
}
