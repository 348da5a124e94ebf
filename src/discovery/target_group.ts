/**
 * What discovery finds and how it tells. A mechanism says what there is, in labels, and decides nothing:
 * meaning is given by relabeling. Stale beats partial: a mechanism that can't see keeps quiet rather than
 * publish less than there is.
 */
import { type Labels, LabelsBuilder } from '../model/index.ts';

export interface TargetGroup {
  /** Names the group within its mechanism; stays the same as its targets change. */
  readonly source: string;
  /** Each with an `__address__`. */
  readonly targets: readonly Labels[];
  /** Common to all targets; a target's own labels win. */
  readonly labels: Labels;
}

/** Receives everything that the mechanism knows at present, not a difference. */
export type Publish = (groups: readonly TargetGroup[]) => void;

export interface Discovery {
  /** Publishes until `signal` is aborted, then resolves. Doesn't reject: what fails is logged and counted. */
  start(publish: Publish, signal: AbortSignal): Promise<void>;
}

export const addressLabel = '__address__';

/** The labels of each target: its own over its group's. This is what relabeling starts from. */
export function groupTargets(group: TargetGroup): Labels[] {
  return group.targets.map((target) => {
    const builder = new LabelsBuilder(group.labels);
    for (const [name, value] of target) builder.set(name, value);
    return builder.labels();
  });
}
