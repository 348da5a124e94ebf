/**
 * Silences: who is muted until when. The set of them is replicated; here are its pure rules: validation,
 * states, edits (a change of scope expires the old one and makes a new one), retention.
 */
import { type Labels, Matcher, MatchType, matchesAll } from '../model/index.ts';
import { BadSilenceError, SilenceNotFoundError } from './errors.ts';

export interface SilenceMatcher {
  readonly name: string;
  readonly value: string;
  readonly isRegex: boolean;
  readonly isEqual: boolean;
}

export interface Silence {
  readonly id: string;
  readonly matchers: readonly SilenceMatcher[];
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly updatedAtMs: number;
  readonly createdBy: string;
  readonly comment: string;
}

export type SilenceState = 'pending' | 'active' | 'expired';

/** Expired silences are kept this long. */
export const silenceRetentionMs: number = 120 * 3_600_000;
const silencesMax = 10_000;
const matchersMax = 100;

export function silenceState(silence: Silence, nowMs: number): SilenceState {
  if (nowMs < silence.startsAtMs) return 'pending';
  return nowMs >= silence.endsAtMs ? 'expired' : 'active';
}

function compileSilenceMatcher(matcher: SilenceMatcher): Matcher {
  const { isRegex, isEqual, name, value } = matcher;
  if (isRegex) return Matcher.create(isEqual ? MatchType.Regexp : MatchType.NotRegexp, name, value);
  return Matcher.create(isEqual ? MatchType.Equal : MatchType.NotEqual, name, value);
}

/** Answers which silences mute a label set. */
export class Silencer {
  readonly #compiled: readonly { readonly silence: Silence; readonly matchers: readonly Matcher[] }[];

  constructor(silences: readonly Silence[]) {
    this.#compiled = silences.map((silence) => ({
      silence,
      matchers: silence.matchers.map(compileSilenceMatcher),
    }));
  }

  /** Ids of the active silences that match. */
  silencedBy(labels: Labels, nowMs: number): string[] {
    const ids: string[] = [];
    for (const { silence, matchers } of this.#compiled) {
      if (silenceState(silence, nowMs) === 'active' && matchesAll(matchers, labels)) ids.push(silence.id);
    }
    return ids;
  }
}

export interface SilenceRequest extends Omit<Silence, 'id' | 'updatedAtMs'> {
  /** Empty for a new silence. */
  readonly id: string;
}

function checkRequest(request: SilenceRequest, nowMs: number): void {
  if (request.matchers.length === 0) throw new BadSilenceError('at least one matcher required');
  if (request.matchers.length > matchersMax) throw new BadSilenceError(`more than ${matchersMax} matchers`);
  if (request.endsAtMs <= request.startsAtMs) throw new BadSilenceError('start time must be before end time');
  if (request.endsAtMs < nowMs) throw new BadSilenceError("end time can't be in the past");
  let allMatchEmpty = true;
  for (const matcher of request.matchers) {
    if (matcher.name === '') throw new BadSilenceError('invalid label name ""');
    try {
      if (!compileSilenceMatcher(matcher).matches('')) allMatchEmpty = false;
    } catch (cause) {
      throw new BadSilenceError(`invalid regular expression ${JSON.stringify(matcher.value)}`, { cause });
    }
  }
  if (allMatchEmpty) throw new BadSilenceError('at least one matcher must not match the empty string');
}

function sameScope(a: Silence, b: SilenceRequest, nowMs: number): boolean {
  if (JSON.stringify(a.matchers) !== JSON.stringify(b.matchers)) return false;
  switch (silenceState(a, nowMs)) {
    case 'active':
      return a.startsAtMs === b.startsAtMs && b.endsAtMs >= nowMs;
    case 'pending':
      return b.startsAtMs >= nowMs;
    case 'expired':
      return false;
  }
}

/** What the replicated set must take in, and the id to answer. */
export interface SilenceChange {
  readonly id: string;
  readonly put: readonly Silence[];
}

function expired(silence: Silence, nowMs: number): Silence {
  const startsAtMs = silenceState(silence, nowMs) === 'pending' ? nowMs : silence.startsAtMs;
  return { ...silence, startsAtMs, endsAtMs: nowMs, updatedAtMs: nowMs };
}

/** Creates or edits a silence. Throws BadSilenceError, SilenceNotFoundError. */
export function putSilence(
  existing: ReadonlyMap<string, Silence>,
  request: SilenceRequest,
  nowMs: number,
  newId: () => string,
): SilenceChange {
  checkRequest(request, nowMs);
  const before = request.id === '' ? undefined : existing.get(request.id);
  if (request.id !== '' && before === undefined) throw new SilenceNotFoundError(request.id);
  if (before !== undefined && sameScope(before, request, nowMs)) {
    return { id: before.id, put: [{ ...request, id: before.id, updatedAtMs: nowMs }] };
  }
  if (existing.size >= silencesMax)
    throw new BadSilenceError(`exceeded maximum number of silences: ${silencesMax}`);
  const id = newId();
  const startsAtMs = Math.max(request.startsAtMs, nowMs);
  const put: Silence[] = [{ ...request, id, startsAtMs, updatedAtMs: nowMs }];
  if (before !== undefined && silenceState(before, nowMs) !== 'expired') put.push(expired(before, nowMs));
  return { id, put };
}

/** Ends a silence now. Throws SilenceNotFoundError, BadSilenceError. */
export function expireSilence(
  existing: ReadonlyMap<string, Silence>,
  id: string,
  nowMs: number,
): SilenceChange {
  const silence = existing.get(id);
  if (silence === undefined) throw new SilenceNotFoundError(id);
  if (silenceState(silence, nowMs) === 'expired') throw new BadSilenceError(`silence ${id} already expired`);
  return { id, put: [expired(silence, nowMs)] };
}

/** Whether an expired silence may be dropped from the set. */
export function silenceForgettable(silence: Silence, nowMs: number): boolean {
  return silence.endsAtMs + silenceRetentionMs < nowMs;
}
