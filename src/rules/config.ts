// The rules room's configuration: groups of a rule file.

/** A rule's text: a recording rule has `record` set, an alerting rule `alert`; never both. */
export interface RuleConfig {
  readonly record: string;
  readonly alert: string;
  readonly expr: string;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RuleGroupConfig {
  readonly name: string;
  /** Path of the rule file as configured. */
  readonly file: string;
  /** 0: the global evaluation interval applies. */
  readonly intervalMs: number;
  /** undefined: the global rule_query_offset applies. */
  readonly queryOffsetMs: number | undefined;
  /** 0: no limit on series or alerts that a rule makes. */
  readonly limit: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly rules: readonly RuleConfig[];
}
