/**
 * Inhibition: a firing source alert mutes target alerts whose `equal` labels are the same (missing = empty). An
 * alert that matches both sides is not inhibited by alerts that also match both.
 */
import { type Labels, type Matcher, matchesAll } from '../model/index.ts';
import { isResolved, type StoredAlert } from './alert.ts';
import type { InhibitRule } from './config.ts';
import { compileMatchers } from './matchers.ts';

interface CompiledRule {
  readonly source: readonly Matcher[];
  readonly target: readonly Matcher[];
  readonly equal: readonly string[];
  /** Source alerts by the values of their `equal` labels, then by fingerprint. */
  readonly sources: Map<string, Map<string, StoredAlert>>;
}

function equalKey(labels: Labels, names: readonly string[]): string {
  return JSON.stringify(names.map((name) => labels.get(name)));
}

export class Inhibitor {
  readonly #rules: readonly CompiledRule[];

  constructor(rules: readonly InhibitRule[]) {
    this.#rules = rules.map((rule) => ({
      source: compileMatchers(rule.sourceMatchers),
      target: compileMatchers(rule.targetMatchers),
      equal: rule.equal,
      sources: new Map(),
    }));
  }

  /** Learns an alert, or its newer state. */
  put(alert: StoredAlert): void {
    for (const rule of this.#rules) {
      if (!matchesAll(rule.source, alert.labels)) continue;
      const key = equalKey(alert.labels, rule.equal);
      const same = rule.sources.get(key) ?? new Map<string, StoredAlert>();
      rule.sources.set(key, same.set(alert.fingerprint, alert));
    }
  }

  forget(alert: StoredAlert): void {
    for (const rule of this.#rules) {
      const key = equalKey(alert.labels, rule.equal);
      const same = rule.sources.get(key);
      if (same?.delete(alert.fingerprint) === true && same.size === 0) rule.sources.delete(key);
    }
  }

  /** The fingerprint of an alert that mutes this label set, if any. */
  inhibitedBy(labels: Labels, nowMs: number): string | undefined {
    for (const rule of this.#rules) {
      if (!matchesAll(rule.target, labels)) continue;
      const bothSides = matchesAll(rule.source, labels);
      for (const source of rule.sources.get(equalKey(labels, rule.equal))?.values() ?? []) {
        if (isResolved(source, nowMs)) continue;
        if (bothSides && matchesAll(rule.target, source.labels)) continue;
        return source.fingerprint;
      }
    }
    return undefined;
  }
}
