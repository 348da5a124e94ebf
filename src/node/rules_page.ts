/** The rule groups of all nodes as one page of /api/v1/rules: joined, filtered, cut where the asker wants it. */
import { createHash } from 'node:crypto';
import type { RulesFilter } from '../api/index.ts';
import { CodedError } from '../base/index.ts';
import { Labels, type Matcher, matchesAll } from '../model/index.ts';
import { parseSelector } from '../promql/index.ts';
import { type AlertingRuleView, type RuleGroupView, ruleGroupKey } from '../rules/index.ts';

export interface RulesPage {
  readonly groups: readonly RuleGroupView[];
  /** Where the next page begins; absent on the last one. */
  readonly groupNextToken?: string;
}

/** Sorted by file and name. A group that is just moving may be told by both of its nodes: it counts once. */
export function distinctGroups(groups: readonly RuleGroupView[]): RuleGroupView[] {
  const byKey = new Map(groups.map((group) => [ruleGroupKey(group.file, group.name), group]));
  return [...byKey.values()].sort((a, b) => compare(a.file, b.file) || compare(a.name, b.name));
}

/** Groups named in one warning at most. */
const namedMax = 10;

/** A warning when configured groups are told by nobody: they are between two nodes, or theirs is away. */
export function missingGroups(configured: readonly string[], groups: readonly RuleGroupView[]): string[] {
  const there = new Set(groups.map(({ file, name }) => ruleGroupKey(file, name)));
  const missing = configured.filter((key) => !there.has(key));
  if (missing.length === 0) return [];
  const named = missing.slice(0, namedMax).join(', ');
  const others = missing.length > namedMax ? ` and ${missing.length - namedMax} more` : '';
  return [`incomplete answer: nobody runs rule group ${named}${others} at present`];
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Throws QueryError or CodedError `bad_data` on a selector or a token that makes no sense. */
export function rulesPage(groups: readonly RuleGroupView[], filter: RulesFilter): RulesPage {
  const matcherSets = filter.match.map((text) => parseSelector(text));
  const sorted = distinctGroups(groups);
  const { groupLimit, groupNextToken } = filter;
  if (groupLimit === undefined) {
    return { groups: sorted.flatMap((group) => filteredGroup(group, filter, matcherSets)) };
  }
  const from =
    groupNextToken === undefined ? 0 : sorted.findIndex((group) => tokenOf(group) === groupNextToken);
  if (from < 0) {
    const reason = `invalid group_next_token '${groupNextToken}'. were rule groups changed?`;
    throw new CodedError('bad_data', `invalid parameter "group_next_token": ${reason}`);
  }
  const page: RuleGroupView[] = [];
  for (const group of sorted.slice(from)) {
    const [passed] = filteredGroup(group, filter, matcherSets);
    if (passed === undefined) continue;
    if (page.length === groupLimit) return { groups: page, groupNextToken: tokenOf(group) };
    page.push(passed);
  }
  return { groups: page };
}

/** As Prometheus makes it, though only we read it. */
function tokenOf({ file, name }: RuleGroupView): string {
  return createHash('sha1').update(`${file};${name}`).digest('hex');
}

/** The group with the rules that pass, or nothing when none does. */
function filteredGroup(
  group: RuleGroupView,
  filter: RulesFilter,
  matcherSets: readonly (readonly Matcher[])[],
): RuleGroupView[] {
  const isListed = (list: readonly string[], value: string): boolean =>
    list.length === 0 || list.includes(value);
  if (!isListed(filter.ruleGroups, group.name) || !isListed(filter.files, group.file)) return [];
  const type = filter.type === 'alert' ? 'alerting' : 'recording';
  const isWanted = ({ labels, name, type: own }: RuleGroupView['rules'][number]): boolean => {
    if (!isListed(filter.ruleNames, name) || (filter.type !== undefined && own !== type)) return false;
    const set = Labels.fromRecord(labels ?? {});
    return matcherSets.length === 0 || matcherSets.some((matchers) => matchesAll(matchers, set));
  };
  const rules = group.rules
    .filter(isWanted)
    .map((rule) => (rule.type === 'alerting' && filter.excludeAlerts ? withoutAlerts(rule) : rule));
  return rules.length === 0 ? [] : [{ ...group, rules }];
}

function withoutAlerts(rule: AlertingRuleView): AlertingRuleView {
  return { ...rule, alerts: null };
}
