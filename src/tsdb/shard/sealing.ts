/**
 * When a shard's windows are sealed, and one round of it. A round takes what is older than the new floor out of the
 * head in one synchronous step (the cut), writes it window by window, epoch by epoch, records with the last window
 * that the log is sealed up to here, and then lets go of it in memory and in the log. A crash anywhere in between
 * leaves samples both in a window and in the log: the same ones, so no answer changes.
 */
import type { ShardLog } from '../log/shard_log.ts';
import type { HeadCut } from '../memory/head_cut.ts';
import type { HeadStore } from '../memory/head_store.ts';
import { windowMs } from '../window/limits.ts';
import type { Pace } from '../window/pace.ts';
import type { WindowSet } from '../window/window_set.ts';
import type { SealSeries } from '../window/window_writer.ts';
import { lagMaxMs } from './admission.ts';

/** Wall time without a sample after which a shard's age counts by the clock instead of by its newest sample. */
const idleMs = 3_600_000;
/** Late samples of a shard that are sealed without waiting for the next window. */
export const lateSealCount = 200_000;

export interface SealState {
  /** The shard's newest sample. */
  readonly newestMs: number;
  readonly nowMs: number;
  readonly lastAppendMs: number;
}

/**
 * The start of the window that stays open: everything before it is due. A window is over when no sample that may still
 * come in order belongs to it, and an hour's margin besides.
 */
export function dueFloorMs({ newestMs, nowMs, lastAppendMs }: SealState): number {
  const isIdle = nowMs - lastAppendMs >= idleMs;
  const presentMs = isIdle ? Math.max(newestMs, nowMs) : newestMs;
  if (presentMs === Number.NEGATIVE_INFINITY) return Number.NEGATIVE_INFINITY;
  return Math.floor((presentMs - lagMaxMs) / windowMs) * windowMs;
}

export interface SealParts {
  readonly shard: number;
  readonly head: HeadStore;
  readonly log: ShardLog;
  readonly windows: WindowSet;
  readonly pace: Pace;
  /** False when the shard was deleted meanwhile. */
  readonly isCurrent: () => boolean;
}

/** What a seal's source throws when the shard was deleted under it. */
class Overtaken extends Error {}

/** Seals a cut that was made when the log's last sequence was `throughSequence`. Gives the ids of series that went. */
export async function sealCut(parts: SealParts, cut: HeadCut, throughSequence: number): Promise<number[]> {
  try {
    await sealWindows(parts, cut, throughSequence);
  } catch (error) {
    if (error instanceof Overtaken) return [];
    throw error;
  }
  return parts.isCurrent() ? dropped(parts.head.drop(cut), parts.pace) : [];
}

async function sealWindows(parts: SealParts, cut: HeadCut, throughSequence: number): Promise<void> {
  const { head, log, windows } = parts;
  const groups = cut.windows(windowMs);
  for (const [i, { startMs, epoch }] of groups.entries()) {
    if (!parts.isCurrent()) throw new Overtaken();
    const isLast = i === groups.length - 1;
    await windows.seal({
      startMs,
      epoch,
      series: paced(head.window(cut, startMs, startMs + windowMs, epoch), parts),
      alongside: isLast ? [log.sealedOperation(cut.floorMs, throughSequence)] : [],
    });
  }
}

/** Lets a long iteration in memory go by in slices; gives the ids that its steps gave. */
export async function dropped(steps: Iterable<readonly number[]>, pace: Pace): Promise<number[]> {
  const gone: number[] = [];
  for (const ids of steps) {
    for (const id of ids) gone.push(id);
    await pace.pause();
  }
  return gone;
}

/**
 * The series of a window; where the head yields nothing it only asks for a pause. A deletion empties the head under its
 * reader: what was read is then no window, and must not be recorded as sealed, since the deletion may yet be refused.
 */
async function* paced(
  steps: Iterable<SealSeries | undefined>,
  { pace, isCurrent }: SealParts,
): AsyncGenerator<SealSeries> {
  for (const step of steps) {
    if (!isCurrent()) throw new Overtaken();
    if (step === undefined) await pace.pause();
    else yield step;
  }
  if (!isCurrent()) throw new Overtaken();
}
