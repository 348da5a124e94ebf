/**
 * When a target is scraped. Each target has a fixed offset inside its interval, derived from its labels, so that
 * a node's scrapes spread evenly and a target keeps its beat when it moves to another node; scrape times are
 * absolute multiples of the interval plus the offset, so timestamps are exactly an interval apart.
 */
/** How far a scrape may be from its schedule and still have the schedule's timestamp, unless configured. */
export const timestampToleranceMsDefault = 2;

/**
 * Where in its interval a target is scraped: 0 <= offset < intervalMs. `labelsHash` is that of the target's
 * labels, `seed` one number per cluster, so that two clusters that scrape the same targets don't do it together.
 */
export function targetOffsetMs(labelsHash: bigint, intervalMs: number, seed: bigint): number {
  return Number(BigInt.asUintN(64, labelsHash ^ seed) % BigInt(Math.max(1, Math.floor(intervalMs))));
}

/** The first scheduled time after `nowMs`. */
export function nextScrapeMs(nowMs: number, intervalMs: number, offsetMs: number): number {
  return (Math.floor((nowMs - offsetMs) / intervalMs) + 1) * intervalMs + offsetMs;
}

/**
 * The timestamp of a scrape that was due at `scheduledMs` and starts at `nowMs`: the schedule's when they are
 * within `toleranceMs` or 1 % of the interval, whichever is less, otherwise the true one.
 */
export function scrapeTimestampMs(
  nowMs: number,
  scheduledMs: number,
  intervalMs: number,
  toleranceMs: number = timestampToleranceMsDefault,
): number {
  const tolerance = Math.min(toleranceMs, intervalMs / 100);
  return Math.abs(nowMs - scheduledMs) <= tolerance ? scheduledMs : Math.round(nowMs);
}
