/** What a rule group needs from its surroundings, and what it hands out. */
import type { FloatHistogram, Labels, Matcher, SeriesColumns, WriteBatch } from '../model/index.ts';

export interface VectorSample {
  readonly labels: Labels;
  /** 0 beside a histogram. */
  readonly value: number;
  readonly histogram?: FloatHistogram;
}

export interface QueryAnswer {
  readonly vector: readonly VectorSample[];
  /** Some data that the query needs could not be read. */
  readonly incomplete: boolean;
  readonly warnings: readonly string[];
}

/** An instant query at `timeMs`; a scalar result is a vector of one element without labels. */
export type QueryFunc = (expr: string, timeMs: number, signal: AbortSignal) => Promise<QueryAnswer>;

/** The same, told whose query it is. */
export type GroupQueryFunc = (
  expr: string,
  timeMs: number,
  signal: AbortSignal,
  group: { readonly file: string; readonly name: string },
) => Promise<QueryAnswer>;

/** Writes rule results; rejects when they were not accepted. */
export type Appender = (batch: WriteBatch) => Promise<void>;

/** An alert as it is posted to an Alertmanager (`POST /api/v2/alerts`); times in RFC 3339. */
export interface PostedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
}

/** Hands alerts to whoever notifies; rejects when nobody took them, and they are offered again. */
export type AlertSink = (alerts: readonly PostedAlert[]) => Promise<void>;

/** Raw samples, stale markers included: an instant query can't tell when a series' last sample was written. */
export type SeriesReader = (
  matchers: readonly Matcher[],
  fromMs: number,
  toMs: number,
  signal: AbortSignal,
) => Promise<{ readonly series: readonly SeriesColumns[]; readonly incomplete: boolean }>;

export type RuleHealth = 'unknown' | 'ok' | 'err';

/** What a rule does when its query's answer is incomplete. */
export type PartialDataPolicy = 'hold' | 'evaluate';
