/**
 * A rule group: its rules evaluated one after another at one timestamp, results written between them so that
 * later rules see earlier ones, series that vanished marked stale, alerts sent. No timers and no clock of its
 * own beyond measuring: whoever drives it asks for the next slot and calls `evaluate`.
 */
import { type Clock, errorText, type Logger } from '../base/index.ts';
import { type Labels, setStaleNaN, WriteBatchBuilder } from '../model/index.ts';
import type { Alert } from './alert.ts';
import { AlertingRule, type EvaluationContext } from './alerting_rule.ts';
import type { RuleGroupConfig } from './config.ts';
import { PartialDataError } from './errors.ts';
import type { RuleMetrics } from './metrics.ts';
import { type OutgoingOptions, postedAlert } from './outgoing.ts';
import { RecordingRule } from './recording_rule.ts';
import { type RestoreOptions, restoreForState } from './restore.ts';
import type { Rule } from './rule.ts';
import { type GroupSchedule, groupSchedule, nextSlot } from './schedule.ts';
import { type GroupSnapshot, readSnapshot, writeSnapshot } from './snapshot.ts';
import type {
  AlertSink,
  Appender,
  GroupQueryFunc,
  PartialDataPolicy,
  PostedAlert,
  SeriesReader,
  VectorSample,
} from './types.ts';

export interface RuleGroupOptions {
  /** Used where the group has no interval of its own. */
  readonly defaultIntervalMs: number;
  readonly defaultQueryOffsetMs: number;
  readonly resendDelayMs: number;
  readonly partialData: PartialDataPolicy;
  readonly outgoing: OutgoingOptions;
  readonly restore: RestoreOptions;
}

export const defaultResendDelayMs = 60_000;

export interface RuleGroupDeps {
  readonly query: GroupQueryFunc;
  readonly append: Appender;
  readonly sendAlerts: AlertSink;
  /** Without it nothing is restored. */
  readonly readSeries?: SeriesReader;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics?: RuleMetrics;
}

/** Evaluations before the `for` state is restored: scrapes and recording rules must have caught up. */
const evaluationsBeforeRestore = 2;
/** Attempts to restore from incomplete data before the rule goes on without. */
const restoreAttemptsMax = 10;
const alertsPerPostMax = 1000;

const staleValue = new Float64Array(1);
setStaleNaN(staleValue, 0);

/** Names a group in metrics and placement; group names need not be unique across files. */
export function ruleGroupKey(file: string, name: string): string {
  return `${file};${name}`;
}

export class RuleGroup {
  readonly config: RuleGroupConfig;
  readonly key: string;
  readonly schedule: GroupSchedule;
  readonly queryOffsetMs: number;
  readonly rules: readonly Rule[];
  readonly #options: RuleGroupOptions;
  readonly #deps: RuleGroupDeps;
  /** Series that each rule wrote the last time, by key. */
  readonly #seriesBefore: Map<string, Labels>[];
  /** Of rules that are gone: to be marked stale at the next evaluation. */
  #orphans: Labels[] = [];
  #lastSlotMs: number | undefined;
  #evaluations = 0;
  #restoreAttempts = 0;
  #restorePending: boolean;
  lastEvaluationMs: number | undefined;
  evaluationDurationMs = 0;

  constructor(config: RuleGroupConfig, options: RuleGroupOptions, deps: RuleGroupDeps) {
    this.config = config;
    this.key = ruleGroupKey(config.file, config.name);
    this.schedule = groupSchedule(config.file, config.name, config.intervalMs || options.defaultIntervalMs);
    this.queryOffsetMs = config.queryOffsetMs ?? options.defaultQueryOffsetMs;
    this.#options = options;
    this.#deps = deps;
    this.#restorePending = deps.readSeries !== undefined;
    const { externalLabels, externalUrl } = options.outgoing;
    this.rules = config.rules.map((rule) =>
      rule.alert === ''
        ? new RecordingRule({ config: rule, groupLabels: config.labels })
        : new AlertingRule({ config: rule, groupLabels: config.labels, externalLabels, externalUrl }),
    );
    for (const rule of this.alertingRules) rule.restored = !this.#restorePending;
    this.#seriesBefore = this.rules.map(() => new Map());
    deps.metrics?.rules.set({ rule_group: this.key }, this.rules.length);
    deps.metrics?.interval.set({ rule_group: this.key }, this.schedule.intervalMs / 1000);
  }

  get alertingRules(): AlertingRule[] {
    return this.rules.filter((rule) => rule instanceof AlertingRule);
  }

  /** The slot to evaluate next; due at once when it is not in the future. */
  nextSlotMs(nowMs: number): number {
    return nextSlot(this.schedule, this.#lastSlotMs, nowMs).slotMs;
  }

  /**
   * Evaluates all rules for the slot `slotMs`. Rules fail one by one, into their health; only an aborted
   * signal makes it reject.
   */
  async evaluate(slotMs: number, signal: AbortSignal): Promise<void> {
    this.#countSlot(slotMs);
    this.lastEvaluationMs = this.#deps.clock.nowMs();
    const startMs = this.#deps.clock.monotonicMs();
    const sends: Promise<void>[] = [];
    let samples = 0;
    for (const [i, rule] of this.rules.entries()) {
      signal.throwIfAborted();
      samples += await this.#evaluateRule(i, rule, slotMs, signal, sends);
    }
    await this.#markOrphans(slotMs);
    await Promise.all(sends);
    this.#evaluations++;
    if (this.#restorePending && this.#evaluations >= evaluationsBeforeRestore) await this.#restore(signal);
    this.evaluationDurationMs = this.#deps.clock.monotonicMs() - startMs;
    const group = { rule_group: this.key };
    this.#deps.metrics?.lastSamples.set(group, samples);
    this.#deps.metrics?.groupDuration.observe(this.evaluationDurationMs / 1000);
    this.#deps.metrics?.lastDuration.set(group, this.evaluationDurationMs / 1000);
    this.#deps.metrics?.lastEvaluation.set(group, this.lastEvaluationMs / 1000);
  }

  #countSlot(slotMs: number): void {
    const group = { rule_group: this.key };
    const last = this.#lastSlotMs ?? slotMs - this.schedule.intervalMs;
    const missed = Math.max(0, Math.round((slotMs - last) / this.schedule.intervalMs) - 1);
    this.#deps.metrics?.iterationsMissed.inc(group, missed);
    this.#deps.metrics?.iterations.inc(group, missed + 1);
    this.#lastSlotMs = slotMs;
  }

  async #evaluateRule(
    index: number,
    rule: Rule,
    slotMs: number,
    signal: AbortSignal,
    sends: Promise<void>[],
  ): Promise<number> {
    const { clock, metrics, log } = this.#deps;
    const startMs = clock.monotonicMs();
    rule.status.lastEvaluationMs = clock.nowMs();
    // Said when it begins and when it ends; in between health and metrics tell.
    const wasFailing = rule.status.health === 'err';
    metrics?.evaluations.inc({ rule_group: this.key });
    let written = 0;
    try {
      const samples = await rule.evaluate(this.#context(slotMs, signal));
      rule.status.succeed();
      if (rule instanceof AlertingRule) this.#send(rule, slotMs, sends);
      await this.#write(index, samples, slotMs);
      written = samples.length;
      if (wasFailing) log.info({ group: this.config.name, rule: rule.name }, 'rule evaluates again');
    } catch (error) {
      signal.throwIfAborted();
      rule.status.fail(errorText(error));
      if (error instanceof PartialDataError) {
        metrics?.held.inc({ rule_group: this.key });
        // Held alerts go on being reported, or their receiver would take them for resolved.
        if (rule instanceof AlertingRule) this.#send(rule, slotMs, sends);
      } else {
        metrics?.evaluationFailures.inc({ rule_group: this.key });
      }
      if (!wasFailing) {
        log.warn(
          { group: this.config.name, file: this.config.file, rule: rule.name, err: error },
          'evaluating rule failed',
        );
      }
    }
    const durationMs = clock.monotonicMs() - startMs;
    rule.status.evaluationDurationMs = durationMs;
    metrics?.evaluationDuration.observe(durationMs / 1000);
    return written;
  }

  #context(slotMs: number, signal: AbortSignal): EvaluationContext {
    return {
      timeMs: slotMs,
      queryOffsetMs: this.queryOffsetMs,
      limit: this.config.limit,
      query: (expr, timeMs, querySignal) => this.#deps.query(expr, timeMs, querySignal, this.config),
      partialData: this.#options.partialData,
      signal,
    };
  }

  /** Writes a rule's samples, and stale markers for the series that it no longer has. */
  async #write(index: number, samples: readonly VectorSample[], slotMs: number): Promise<void> {
    const timestampMs = slotMs - this.queryOffsetMs;
    const builder = new WriteBatchBuilder();
    const series = new Map<string, Labels>();
    for (const { labels, value, histogram } of samples) {
      series.set(labels.key(), labels);
      if (histogram === undefined) builder.add(labels, timestampMs, value);
      else builder.addHistogram(labels, timestampMs, histogram);
    }
    for (const [key, labels] of this.#seriesBefore[index] ?? []) {
      if (!series.has(key)) builder.addFrom(labels, timestampMs, staleValue, 0);
    }
    if (builder.sampleCount > 0) await this.#deps.append(builder.finish());
    this.#seriesBefore[index] = series;
  }

  async #markOrphans(slotMs: number): Promise<void> {
    if (this.#orphans.length === 0) return;
    const builder = new WriteBatchBuilder();
    for (const labels of this.#orphans) builder.addFrom(labels, slotMs - this.queryOffsetMs, staleValue, 0);
    try {
      await this.#deps.append(builder.finish());
      this.#orphans = [];
    } catch (error) {
      this.#deps.log.warn(
        { group: this.config.name, err: error },
        'marking series of removed rules stale failed',
      );
    }
  }

  #send(rule: AlertingRule, slotMs: number, sends: Promise<void>[]): void {
    const due = rule.alertsToSend(slotMs, this.#options.resendDelayMs, this.schedule.intervalMs);
    if (due.length > 0) sends.push(this.#post(rule, due, slotMs));
  }

  /** Alerts that nobody took count as unsent, so the next evaluation offers them again. */
  async #post(rule: AlertingRule, due: readonly Alert[], slotMs: number): Promise<void> {
    const before = due.map((alert) => alert.lastSentAtMs);
    const posted: PostedAlert[] = [];
    for (const alert of due) {
      alert.lastSentAtMs = slotMs;
      const out = postedAlert(alert, rule.config.expr, this.#options.outgoing);
      if (out !== undefined) posted.push(out);
    }
    try {
      for (let at = 0; at < posted.length; at += alertsPerPostMax) {
        await this.#deps.sendAlerts(posted.slice(at, at + alertsPerPostMax));
      }
    } catch (error) {
      for (const [i, alert] of due.entries()) alert.lastSentAtMs = before[i];
      this.#deps.metrics?.alertSendFailures.inc({ rule_group: this.key });
      this.#deps.log.warn({ group: this.config.name, rule: rule.name, err: error }, 'sending alerts failed');
    }
  }

  /** Sends every firing and recently resolved alert again: for a dispatcher that just took over. */
  async resendAlerts(nowMs: number): Promise<void> {
    for (const rule of this.alertingRules) {
      const due = rule.alerts.filter((alert) => alert.state !== 'pending');
      const validUntilMs = nowMs + 4 * Math.max(this.schedule.intervalMs, this.#options.resendDelayMs);
      for (const alert of due) alert.validUntilMs = validUntilMs;
      if (due.length > 0) await this.#post(rule, due, nowMs);
    }
  }

  async #restore(signal: AbortSignal): Promise<void> {
    const { readSeries, clock, log } = this.#deps;
    if (readSeries === undefined) return;
    this.#restoreAttempts++;
    for (const rule of this.alertingRules) {
      if (rule.restored) continue;
      const outcome = await restoreForState(rule, clock.nowMs(), readSeries, this.#options.restore, signal);
      if (outcome.error !== undefined)
        log.warn({ rule: rule.name, err: outcome.error }, 'restoring alert state failed');
      rule.restored = !outcome.retry || this.#restoreAttempts >= restoreAttemptsMax;
    }
    this.#restorePending = this.alertingRules.some((rule) => !rule.restored);
  }

  /** Stale markers for everything the group wrote: when it is removed from the configuration. */
  async retire(timeMs: number): Promise<void> {
    for (const series of this.#seriesBefore) this.#orphans.push(...series.values());
    this.#seriesBefore.fill(new Map());
    await this.#markOrphans(timeMs);
  }

  /** Everything that another node, or the same group after a reload, needs to go on. Plain data. */
  stateSnapshot(): GroupSnapshot {
    return writeSnapshot({
      rules: this.rules,
      seriesBefore: this.#seriesBefore,
      orphans: this.#orphans,
      lastSlotMs: this.#lastSlotMs,
      intervalMs: this.schedule.intervalMs,
    });
  }

  /**
   * Takes over a snapshot's state: rules are matched by name and labels; what belonged to rules that are gone
   * is marked stale at the next evaluation. Throws SnapshotFormatError.
   */
  restoreSnapshot(snapshot: GroupSnapshot): void {
    const state = readSnapshot(snapshot, this.rules);
    this.#orphans = state.orphans;
    for (const [i, series] of state.seriesBefore.entries()) this.#seriesBefore[i] = series;
    if (snapshot.intervalMs === this.schedule.intervalMs) this.#lastSlotMs = snapshot.lastSlotMs ?? undefined;
    for (const rule of this.alertingRules) rule.restored = true;
    this.#restorePending = false;
  }
}
