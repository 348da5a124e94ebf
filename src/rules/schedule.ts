/**
 * When a rule group is evaluated: at `interval`, shifted by an offset hashed from file and name, so that groups
 * spread over the interval and keep their phase across restarts and nodes. A sample's timestamp is the slot's,
 * not the moment of evaluation.
 */
import { assert } from '../base/index.ts';
import { xxHash64Bytes } from '../model/index.ts';

const nsPerMs = 1_000_000n;

export interface GroupSchedule {
  readonly intervalMs: number;
  readonly offsetMs: number;
}

const encoder = new TextEncoder();

/** Prometheus' in-memory form of a label set: each text after its length, one byte or 255 and three bytes. */
function labelBytes(texts: readonly string[]): Uint8Array {
  const bytes: number[] = [];
  for (const text of texts) {
    const encoded = encoder.encode(text);
    const { length } = encoded;
    if (length < 255) bytes.push(length);
    else bytes.push(255, length & 0xff, (length >> 8) & 0xff, (length >> 16) & 0xff);
    for (const byte of encoded) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** The same offset as Prometheus 3 gives the group: hash of {file, name} modulo the interval in nanoseconds. */
export function groupOffsetMs(file: string, name: string, intervalMs: number): number {
  const hash = xxHash64Bytes(labelBytes(['file', file, 'name', name]));
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
