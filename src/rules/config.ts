// The rules room's configuration: the groups of a rule file. Expressions and templates are other rooms'
// languages; whether a text is one of theirs is asked of functions given from outside.
import {
  type Decoder,
  decode,
  decodeYaml,
  isValidLabelName,
  isValidMetricName,
  type Report,
} from '../model/index.ts';

const { field, string, int, duration, list } = decode;

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

/** What a rule file needs to know of other languages. Each function says what is wrong, or nothing. */
export interface RuleFileChecks {
  readonly validateExpr: (text: string) => string | undefined;
  readonly validateTemplate: (text: string) => string | undefined;
}

/** A rule or group with the function that reports a problem of it at its line. */
interface Placed<T> {
  readonly value: T;
  readonly report: Report;
}

function placed<T extends object>(fields: Parameters<typeof decode.object<T>>[0]): Decoder<Placed<T>> {
  return decode.section<T, Placed<T>>(fields, (value, report) => ({ value, report }));
}

const rule = placed<RuleConfig>({
  record: field('record', string),
  alert: field('alert', string),
  expr: field('expr', string),
  forMs: field('for', duration),
  keepFiringForMs: field('keep_firing_for', duration),
  labels: field('labels', decode.map(string)),
  annotations: field('annotations', decode.map(string)),
});

interface RawGroup {
  readonly name: string;
  readonly intervalMs: number;
  readonly queryOffsetMs: number | undefined;
  readonly limit: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly rules: readonly Placed<RuleConfig>[];
}

const group = placed<RawGroup>({
  name: field('name', string),
  intervalMs: field('interval', duration),
  queryOffsetMs: field('query_offset', decode.optional(duration)),
  limit: field('limit', int),
  labels: field('labels', decode.map(string)),
  rules: field('rules', list(rule)),
});

interface RawFile {
  readonly groups: readonly Placed<RawGroup>[];
}

/**
 * Reads a rule file. Only its first YAML document counts, as for Prometheus. Throws ConfigError that names
 * every group and rule with something wrong.
 */
export function parseRuleFile(
  text: string,
  file: string,
  checks: RuleFileChecks,
): readonly RuleGroupConfig[] {
  const decoder = decode.section<RawFile, readonly RuleGroupConfig[]>(
    { groups: field('groups', list(group)) },
    ({ groups }) => {
      checkGroups(groups, checks);
      return groups.map(({ value }) => ({
        ...value,
        file,
        rules: value.rules.map((placedRule) => placedRule.value),
      }));
    },
  );
  return decodeYaml(text, decoder, { file }, []).value;
}

function checkGroups(groups: readonly Placed<RawGroup>[], checks: RuleFileChecks): void {
  const seen = new Set<string>();
  for (const { value, report } of groups) {
    if (value.name === '') report('group name must not be empty', 'name');
    if (seen.has(value.name)) report(`group name "${value.name}" is repeated in the same file`, 'name');
    seen.add(value.name);
    checkLabels(value.labels, report);
    for (const [index, placedRule] of value.rules.entries()) {
      const name = placedRule.value.alert || placedRule.value.record;
      const prefix = `group "${value.name}", rule ${index + 1}, "${name}": `;
      checkRule(placedRule.value, (message, at) => placedRule.report(prefix + message, at), checks);
    }
  }
}

function checkLabels(labels: Readonly<Record<string, string>>, report: Report): void {
  for (const [name, value] of Object.entries(labels)) {
    if (!isValidLabelName(name) || name === '__name__') report(`invalid label name: ${name}`, 'labels');
    if (!value.isWellFormed()) report(`invalid label value: ${value}`, 'labels');
  }
}

function checkRule(config: RuleConfig, report: Report, checks: RuleFileChecks): void {
  if (config.record !== '' && config.alert !== '') {
    report("only one of 'record' and 'alert' must be set", 'alert');
  }
  if (config.record === '' && config.alert === '') report("one of 'record' or 'alert' must be set");
  if (config.expr === '') report("field 'expr' must be set in rule", 'expr');
  else {
    const problem = checks.validateExpr(config.expr);
    if (problem !== undefined) report(`could not parse expression: ${problem}`, 'expr');
  }
  if (config.record !== '') checkRecording(config, report);
  checkLabels(config.labels, report);
  for (const name of Object.keys(config.annotations)) {
    if (!isValidLabelName(name)) report(`invalid annotation name: ${name}`, 'annotations');
  }
  if (config.alert !== '') checkTemplates(config, report, checks);
}

function checkRecording(config: RuleConfig, report: Report): void {
  if (Object.keys(config.annotations).length > 0) {
    report("invalid field 'annotations' in recording rule", 'annotations');
  }
  if (config.forMs !== 0) report("invalid field 'for' in recording rule", 'for');
  if (config.keepFiringForMs !== 0) {
    report("invalid field 'keep_firing_for' in recording rule", 'keep_firing_for');
  }
  if (!isValidMetricName(config.record)) report(`invalid recording rule name: ${config.record}`, 'record');
  if (/[{}]/.test(config.record)) {
    report(`braces present in the recording rule name; should it be in expr?: ${config.record}`, 'record');
  }
}

function checkTemplates(config: RuleConfig, report: Report, checks: RuleFileChecks): void {
  for (const [kind, at, texts] of [
    ['label', 'labels', config.labels],
    ['annotation', 'annotations', config.annotations],
  ] as const) {
    for (const [name, text] of Object.entries(texts)) {
      const problem = checks.validateTemplate(text);
      if (problem !== undefined) report(`${kind} "${name}": ${problem}`, at);
    }
  }
}
