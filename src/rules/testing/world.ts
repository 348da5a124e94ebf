/**
 * A rule group in virtual time with scripted query answers; records what it wrote and sent. For tests of this
 * room and of those that drive groups.
 */
import { type Clock, silentLogger } from '../../base/index.ts';
import { isStaleNaN, Labels, type WriteBatch } from '../../model/index.ts';
import type { RuleConfig, RuleGroupConfig } from '../config.ts';
import { RuleGroup, type RuleGroupDeps, type RuleGroupOptions } from '../group.ts';
import { defaultRestoreOptions } from '../restore.ts';
import type { PostedAlert, QueryAnswer, VectorSample } from '../types.ts';

export function vector(...samples: (readonly [Readonly<Record<string, string>>, number])[]): VectorSample[] {
  return samples.map(([labels, value]) => ({ labels: Labels.fromRecord(labels), value }));
}

export function ruleConfig(part: Partial<RuleConfig>): RuleConfig {
  return {
    record: '',
    alert: '',
    expr: 'up == 0',
    forMs: 0,
    keepFiringForMs: 0,
    labels: {},
    annotations: {},
    ...part,
  };
}

export function groupConfig(
  rules: readonly RuleConfig[],
  part: Partial<RuleGroupConfig> = {},
): RuleGroupConfig {
  return {
    name: 'group',
    file: 'rules.yml',
    intervalMs: 60_000,
    queryOffsetMs: undefined,
    limit: 0,
    labels: {},
    rules,
    ...part,
  };
}

export class RuleWorld {
  nowMs = 0;
  /** Answers by expression; an Error is thrown. */
  readonly answers: Map<string, VectorSample[] | QueryAnswer | Error> = new Map();
  /** `series@timestamp=value`, stale markers as `stale`. */
  written: string[] = [];
  sent: PostedAlert[] = [];
  readonly queried: string[] = [];
  sinkError: Error | undefined;
  appendError: Error | undefined;

  readonly clock: Clock = {
    nowMs: () => this.nowMs,
    monotonicMs: () => this.nowMs,
    after: () => {
      throw new Error('rule groups set no timers');
    },
  };

  group(
    config: RuleGroupConfig,
    options: Partial<RuleGroupOptions> = {},
    deps: Partial<RuleGroupDeps> = {},
  ): RuleGroup {
    return new RuleGroup(
      config,
      {
        defaultIntervalMs: 60_000,
        defaultQueryOffsetMs: 0,
        resendDelayMs: 60_000,
        partialData: 'hold',
        outgoing: {
          externalLabels: Labels.empty,
          externalUrl: 'http://node:9090',
          relabel: (labels) => labels,
        },
        restore: defaultRestoreOptions,
        ...options,
      },
      {
        query: (expr, timeMs) => this.#query(expr, timeMs),
        append: (batch) => this.#append(batch),
        sendAlerts: (alerts) => this.#sink(alerts),
        clock: this.clock,
        log: silentLogger,
        ...deps,
      },
    );
  }

  /** Evaluates at a time and returns what was written. */
  async at(group: RuleGroup, timeMs: number): Promise<string[]> {
    this.nowMs = timeMs;
    this.written = [];
    this.sent = [];
    await group.evaluate(timeMs, new AbortController().signal);
    return this.written;
  }

  #query(expr: string, timeMs: number): Promise<QueryAnswer> {
    this.queried.push(`${expr}@${timeMs}`);
    const answer = this.answers.get(expr) ?? [];
    if (answer instanceof Error) return Promise.reject(answer);
    if (Array.isArray(answer)) return Promise.resolve({ vector: answer, incomplete: false, warnings: [] });
    return Promise.resolve(answer);
  }

  #append(batch: WriteBatch): Promise<void> {
    if (this.appendError !== undefined) return Promise.reject(this.appendError);
    for (const [i, ref] of batch.refs.entries()) {
      const value = isStaleNaN(batch.values, i) ? 'stale' : String(batch.values[i]);
      this.written.push(`${batch.series[ref]}@${batch.timestamps[i]}=${value}`);
    }
    return Promise.resolve();
  }

  #sink(alerts: readonly PostedAlert[]): Promise<void> {
    if (this.sinkError !== undefined) return Promise.reject(this.sinkError);
    this.sent.push(...alerts);
    return Promise.resolve();
  }
}
