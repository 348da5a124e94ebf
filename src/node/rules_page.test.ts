import assert from 'node:assert/strict';
import test from 'node:test';
import type { RulesFilter } from '../api/index.ts';
import type { RuleGroupView } from '../rules/index.ts';
import { distinctGroups, rulesPage } from './rules_page.ts';

const all: RulesFilter = { ruleNames: [], ruleGroups: [], files: [], excludeAlerts: false, match: [] };

function group(
  file: string,
  name: string,
  ...rules: { name: string; type: string; labels?: object }[]
): RuleGroupView {
  const alerts = [{ labels: {} }];
  const shown = rules.map((rule) => (rule.type === 'alerting' ? { labels: {}, alerts, ...rule } : rule));
  return { file, name, rules: shown } as unknown as RuleGroupView;
}

const groups = [
  group('b.yml', 'g', { name: 'r1', type: 'recording' }),
  group('a.yml', 'z', { name: 'A', type: 'alerting', labels: { severity: 'page' } }),
  group(
    'a.yml',
    'g',
    { name: 'A', type: 'alerting' },
    { name: 'r2', type: 'recording', labels: { team: 'x' } },
  ),
  group('a.yml', 'empty'),
];
const shown = (filter: Partial<RulesFilter>): string[] =>
  rulesPage(groups, { ...all, ...filter }).groups.map(
    ({ file, name, rules }) => `${file} ${name}: ${rules.map((rule) => rule.name).join(' ')}`,
  );

test('groups come by file and name, those without a rule that passes are left out', () => {
  assert.deepEqual(shown({}), ['a.yml g: A r2', 'a.yml z: A', 'b.yml g: r1']);
  assert.deepEqual(shown({ type: 'record' }), ['a.yml g: r2', 'b.yml g: r1']);
  assert.deepEqual(shown({ ruleNames: ['A'], files: ['a.yml'], ruleGroups: ['z'] }), ['a.yml z: A']);
});

test('match[] selects by the labels of rules; any of several selectors will do', () => {
  assert.deepEqual(shown({ match: ['{severity="page"}'] }), ['a.yml z: A']);
  assert.deepEqual(shown({ match: ['{severity=~"p.*"}', '{team="x"}'] }), ['a.yml g: r2', 'a.yml z: A']);
  assert.throws(() => shown({ match: ['{severity='] }), { code: 'bad_data' });
  assert.throws(() => shown({ match: ['1'] }), { code: 'bad_data' });
});

test('pages follow one another without a gap, whatever is filtered out', () => {
  const pages: string[][] = [];
  let token: string | undefined;
  do {
    const filter = { ...all, groupLimit: 1, ...(token === undefined ? {} : { groupNextToken: token }) };
    const page = rulesPage(groups, filter);
    pages.push(page.groups.map(({ file, name }) => `${file} ${name}`));
    token = page.groupNextToken;
  } while (token !== undefined);
  assert.deepEqual(pages, [['a.yml g'], ['a.yml z'], ['b.yml g']]);
  assert.deepEqual(Object.keys(rulesPage(groups, { ...all, groupLimit: 3 })), ['groups']);
});

test('a token of a group that is not there any more is refused as by Prometheus', () => {
  assert.throws(() => rulesPage(groups, { ...all, groupLimit: 1, groupNextToken: 'gone' }), {
    code: 'bad_data',
    message: `invalid parameter "group_next_token": invalid group_next_token 'gone'. were rule groups changed?`,
  });
});

test('exclude_alerts leaves the alerts out', () => {
  const [first] = rulesPage(groups, { ...all, type: 'alert', excludeAlerts: true }).groups;
  assert.equal((first?.rules[0] as { alerts: unknown } | undefined)?.alerts, null);
});

test('a group that two nodes tell of while it moves counts once', () => {
  assert.equal(distinctGroups([...groups, ...groups]).length, groups.length);
});
