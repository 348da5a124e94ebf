/**
 * A deletion that holds at once and is applied when its windows are compacted. It covers the windows that had begun to be
 * written when it was made, so that what is written later stays.
 */
import { ByteFormatError, ByteReader, ByteWriter } from '../../base/index.ts';
import { type Labels, Matcher, MatchType, matchesAll } from '../../model/index.ts';
import type { ColumnArena } from './column_arena.ts';
import { damaged, WindowError, windowErrorCodes } from './errors.ts';
import { tombstoneMatchersMax } from './limits.ts';
import { cutOut, type SeriesPart } from './series_part.ts';
import type { WindowHeader } from './window_header.ts';

export interface Tombstone {
  readonly number: number;
  readonly matchers: readonly Matcher[];
  /** Both ends are deleted. */
  readonly fromMs: number;
  readonly toMs: number;
  /** The sequence of the last window that it covers. */
  readonly throughSequence: number;
}

const matchTypes = [MatchType.Equal, MatchType.NotEqual, MatchType.Regexp, MatchType.NotRegexp];
/** Beyond all times, and what the encoding holds. */
const timeMsMax: number = 2 ** 52 - 1;

/** Throws WindowError (`window_bad_deletion`). Times beyond all samples' are brought to where they can be stored. */
export function createTombstone(fields: Tombstone): Tombstone {
  const { matchers } = fields;
  const fromMs = clampTime(Math.ceil(fields.fromMs));
  const toMs = clampTime(Math.floor(fields.toMs));
  assertDeletion(matchers, fromMs, toMs);
  return { ...fields, fromMs, toMs };
}

/** Throws WindowError (`window_bad_deletion`). */
export function assertDeletion(matchers: readonly Matcher[], fromMs: number, toMs: number): void {
  if (matchers.length > 0 && matchers.length <= tombstoneMatchersMax && fromMs <= toMs) return;
  const reason = `needs 1 to ${tombstoneMatchersMax} matchers and a range of time`;
  throw new WindowError(windowErrorCodes.badDeletion, `a deletion ${reason}`);
}

export function encodeTombstone(tombstone: Tombstone): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writer.varint(tombstone.throughSequence);
  writer.varsint(tombstone.fromMs);
  writer.varsint(tombstone.toMs);
  writer.varint(tombstone.matchers.length);
  for (const { type, name, value } of tombstone.matchers) {
    writer.u8(matchTypes.indexOf(type));
    writer.text(name);
    writer.text(value);
  }
  return writer.finish();
}

/** Throws WindowError (`window_damaged`). */
export function decodeTombstone(number: number, payload: Uint8Array): Tombstone {
  try {
    const reader = new ByteReader(payload);
    const throughSequence = reader.varint();
    const fromMs = reader.varsint();
    const toMs = reader.varsint();
    const matchers: Matcher[] = [];
    for (let left = reader.varint(); left > 0; left--) {
      const type = matchTypes[reader.u8()];
      if (type === undefined) throw new ByteFormatError('no such type of matcher');
      matchers.push(Matcher.create(type, reader.text(), reader.text()));
    }
    return { number, matchers, fromMs, toMs, throughSequence };
  } catch (cause) {
    throw damaged(`tombstone ${number}`, 'it can not be read', cause);
  }
}

/** Whether the window may hold samples that the tombstone deletes. */
export function covers(tombstone: Tombstone, window: WindowHeader): boolean {
  const isOlder = window.sequence <= tombstone.throughSequence;
  return isOlder && window.minTimeMs <= tombstone.toMs && window.maxTimeMs >= tombstone.fromMs;
}

/** What the deletions leave of the part; undefined when nothing. */
export function withoutDeleted(
  part: SeriesPart,
  tombstones: readonly Tombstone[],
  arena: ColumnArena,
): SeriesPart | undefined {
  let left: SeriesPart | undefined = part;
  for (const { matchers, fromMs, toMs } of tombstones) {
    if (left === undefined) return undefined;
    if (matchesAll(matchers, part.labels)) left = cutOut(left, fromMs, toMs, arena);
  }
  return left;
}

/** Whether one deletion takes everything between the two times from the series. */
export function deletesAll(
  labels: Labels,
  range: { readonly minTimeMs: number; readonly maxTimeMs: number },
  tombstones: readonly Tombstone[],
): boolean {
  return tombstones.some(
    ({ matchers, fromMs, toMs }) =>
      fromMs <= range.minTimeMs && toMs >= range.maxTimeMs && matchesAll(matchers, labels),
  );
}

function clampTime(timeMs: number): number {
  return Math.min(Math.max(timeMs, -timeMsMax), timeMsMax);
}
