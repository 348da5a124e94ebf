/** The body of `POST /api/v2/silences`. */
import { BadSilenceError } from './errors.ts';
import { parseTime } from './posted_alerts.ts';
import type { SilenceMatcher, SilenceRequest } from './silence.ts';

function textField(body: Readonly<Record<string, unknown>>, name: string, required: boolean): string {
  const value = body[name];
  if (typeof value === 'string') return value;
  if (!required && (value === undefined || value === null)) return '';
  throw new BadSilenceError(`${name} must be a string`);
}

function parseMatcher(value: unknown): SilenceMatcher {
  if (typeof value !== 'object' || value === null) throw new BadSilenceError('a matcher must be an object');
  const matcher = value as Readonly<Record<string, unknown>>;
  const { isRegex, isEqual = true } = matcher;
  if (typeof isRegex !== 'boolean') throw new BadSilenceError('isRegex of a matcher must be a boolean');
  if (typeof isEqual !== 'boolean') throw new BadSilenceError('isEqual of a matcher must be a boolean');
  return {
    name: textField(matcher, 'name', true),
    value: textField(matcher, 'value', true),
    isRegex,
    isEqual,
  };
}

function time(body: Readonly<Record<string, unknown>>, name: string): number {
  const timeMs = parseTime(body[name], name);
  if (timeMs === undefined) throw new BadSilenceError(`${name} is required`);
  return timeMs;
}

/** Throws BadSilenceError, BadAlertError for times. Rules beyond the form are putSilence's. */
export function parsePostedSilence(value: unknown): SilenceRequest {
  if (typeof value !== 'object' || value === null) throw new BadSilenceError('the body must be an object');
  const body = value as Readonly<Record<string, unknown>>;
  const { matchers } = body;
  if (!Array.isArray(matchers)) throw new BadSilenceError('matchers must be a list');
  return {
    id: textField(body, 'id', false),
    matchers: matchers.map(parseMatcher),
    startsAtMs: time(body, 'startsAt'),
    endsAtMs: time(body, 'endsAt'),
    createdBy: textField(body, 'createdBy', true),
    comment: textField(body, 'comment', true),
  };
}
