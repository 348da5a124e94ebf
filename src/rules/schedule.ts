/**
 * When a rule group is evaluated: at `interval`, shifted by an offset hashed from file and name, so that groups
 * spread over the interval and keep their phase across restarts and nodes. A sample's timestamp is the slot's,
 * not the moment of evaluation.
 */
import { assert } from '../base/index.ts';
import { Labels } from '../model/index.ts';

const nsPerMs = 1_000_000n;

export interface GroupSchedule {
  readonly intervalMs: number;
  readonly offsetMs: number;
}

/** The same offset as Prometheus gives the group: hash of {file, name} modulo the interval in nanoseconds. */
export function groupOffsetMs(file: string, name: string, intervalMs: number): number {
  const hash = Labels.fromRecord({ file, name }).hash();
  return Number((hash % (BigInt(intervalMs) * nsPerMs)) / nsPerMs);
}

export function groupSchedule(file: string, name: string, intervalMs: number): GroupSchedule {
  assert(
    Number.isInteger(intervalMs) && intervalMs > 0,
    `a rule group's interval is positive, got ${intervalMs}`,
  );
  return { intervalMs, offsetMs: groupOffsetMs(file, name, intervalMs) };
}

/** The last slot at or before `nowMs`. */
export function slotBefore(schedule: GroupSchedule, nowMs: number): number {
  const { intervalMs, offsetMs } = schedule;
  return Math.floor((nowMs - offsetMs) / intervalMs) * intervalMs + offsetMs;
}

/**
 * The slot to evaluate next, at once when it is not in the future. After a slow evaluation the slots in
 * between are left out and counted.
 */
export function nextSlot(
  schedule: GroupSchedule,
  lastSlotMs: number | undefined,
  nowMs: number,
): { slotMs: number; missed: number } {
  const { intervalMs } = schedule;
  if (lastSlotMs === undefined) return { slotMs: slotBefore(schedule, nowMs) + intervalMs, missed: 0 };
  const elapsed = Math.max(1, Math.floor((nowMs - lastSlotMs) / intervalMs));
  return { slotMs: lastSlotMs + elapsed * intervalMs, missed: elapsed - 1 };
}
