/** Reports of alerts as they are posted (`POST /api/v2/alerts`): validated, with times filled in. */
import { isValidLabelName, Labels, parseRfc3339 } from '../model/index.ts';
import type { StoredAlert } from './alert.ts';
import { BadAlertError } from './errors.ts';
import { fingerprint } from './fingerprint.ts';
import type { AlertmanagerMetrics } from './metrics.ts';

/** Most alerts in one request. */
const alertsPerPostMax = 50_000;

export interface PostedAlertsOutcome {
  readonly alerts: readonly StoredAlert[];
  /** One line per refused alert; the others count. */
  readonly errors: readonly string[];
}

function textRecord(value: unknown, what: string): [string, string][] {
  if (value === undefined || value === null) return [];
  if (typeof value !== 'object' || Array.isArray(value)) throw new BadAlertError(`${what} must be an object`);
  return Object.entries(value).map(([name, text]) => {
    if (typeof text !== 'string')
      throw new BadAlertError(`${what}: value of ${JSON.stringify(name)} must be a string`);
    if (!isValidLabelName(name))
      throw new BadAlertError(`invalid label set: invalid name ${JSON.stringify(name)}`);
    return [name, text];
  });
}

/** undefined for an absent time and for Go's zero time. */
export function parseTime(value: unknown, what: string): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  // Small letters and a space are taken too.
  const timeMs = typeof value === 'string' ? parseRfc3339(value.toUpperCase().replace(' ', 'T')) : undefined;
  if (timeMs === undefined) throw new BadAlertError(`${what} must be an RFC 3339 time`);
  return new Date(timeMs).getUTCFullYear() <= 1 ? undefined : timeMs;
}

function parseAlert(value: unknown, nowMs: number, resolveTimeoutMs: number): StoredAlert {
  if (typeof value !== 'object' || value === null) throw new BadAlertError('an alert must be an object');
  const posted = value as Readonly<Record<string, unknown>>;
  const labels = Labels.fromPairs(textRecord(posted['labels'], 'labels'));
  if (labels.size === 0) throw new BadAlertError('at least one label pair required');
  const givenEndMs = parseTime(posted['endsAt'], 'endsAt');
  const startsAtMs = parseTime(posted['startsAt'], 'startsAt') ?? givenEndMs ?? nowMs;
  if (givenEndMs !== undefined && givenEndMs < startsAtMs) {
    throw new BadAlertError('start time must be before end time');
  }
  const generatorUrl = posted['generatorURL'];
  return {
    fingerprint: fingerprint(labels),
    labels,
    annotations: Object.fromEntries(textRecord(posted['annotations'], 'annotations')),
    startsAtMs,
    endsAtMs: givenEndMs ?? nowMs + resolveTimeoutMs,
    updatedAtMs: nowMs,
    timeout: givenEndMs === undefined,
    generatorUrl: typeof generatorUrl === 'string' ? generatorUrl : '',
  };
}

/** Throws BadAlertError when the body is no list; single bad alerts are told in `errors`. */
export function parsePostedAlerts(
  body: unknown,
  nowMs: number,
  resolveTimeoutMs: number,
  metrics?: AlertmanagerMetrics,
): PostedAlertsOutcome {
  if (!Array.isArray(body)) throw new BadAlertError('the body must be a list of alerts');
  if (body.length > alertsPerPostMax)
    throw new BadAlertError(`more than ${alertsPerPostMax} alerts in one request`);
  const alerts: StoredAlert[] = [];
  const errors: string[] = [];
  for (const value of body) {
    try {
      alerts.push(parseAlert(value, nowMs, resolveTimeoutMs));
    } catch (error) {
      if (!(error instanceof BadAlertError)) throw error;
      errors.push(error.message);
    }
  }
  metrics?.invalid.inc(errors.length);
  return { alerts, errors };
}
