import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../model/index.ts';
import { type LoadedAlertmanagerConfig, parseAlertmanagerConfig } from './config.ts';
import { parseMatchers } from './matcher_text.ts';

function parse(text: string): LoadedAlertmanagerConfig {
  return parseAlertmanagerConfig(text, {
    file: 'a.yml',
    directory: '/etc/a',
    validateTemplate: (template) => (template.includes('}}') ? undefined : 'unclosed action'),
  });
}

function refusal(text: string): string {
  try {
    parse(text);
    return '';
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
}

/** A configuration whose one receiver has the given lines. */
function withReceiver(integrations: string, global = '{}'): string {
  return `global: ${global}\nroute: {receiver: r}\nreceivers:\n- name: r\n  ${integrations}`;
}

test('the smallest configuration has the defaults of Alertmanager', () => {
  const { global, route, receivers } = parse('route: {receiver: r}\nreceivers: [{name: r}]');
  assert.equal(global.resolveTimeoutMs, 300_000);
  assert.equal(global.smtpRequireTls, true);
  assert.equal(route.groupWaitMs, undefined);
  assert.deepEqual(receivers[0]?.labels, { name: 'r' });
  assert.deepEqual(receivers[0]?.webhookConfigs, []);
});

test('a webhook inherits the HTTP client of global, or has its own', () => {
  const { receivers } = parse(
    withReceiver(
      'webhook_configs: [{url: "http://x/y"}, {url: "http://z", http_config: {}, max_alerts: 3, timeout: 5s}]',
      '{http_config: {follow_redirects: false}}',
    ),
  );
  const [first, second] = receivers[0]?.webhookConfigs ?? [];
  assert.equal(first?.sendResolved, true);
  assert.equal(first?.httpConfig.followRedirects, false);
  assert.equal(second?.httpConfig.followRedirects, true);
  assert.equal(second?.maxAlerts, 3);
  assert.equal(second?.timeoutMs, 5000);
});

test('receivers take keys and addresses from global', () => {
  const text = withReceiver(
    'slack_configs: [{channel: c}]\n  opsgenie_configs: [{}]\n  email_configs: [{to: t}]\n  telegram_configs: [{chat_id: 1}]',
    '{slack_api_url: "http://s", opsgenie_api_key: k, smtp_from: f, smtp_smarthost: "m:25", telegram_bot_token: b}',
  );
  const [receiver] = parse(text).receivers;
  assert.equal(receiver?.slackConfigs?.[0]?.apiUrl, 'http://s');
  assert.equal(receiver?.opsgenieConfigs?.[0]?.apiKey, 'k');
  assert.equal(receiver?.opsgenieConfigs?.[0]?.apiUrl, 'https://api.opsgenie.com/');
  assert.equal(receiver?.emailConfigs?.[0]?.smarthost, 'm:25');
  assert.equal(receiver?.telegramConfigs?.[0]?.botToken, 'b');
});

test('mistakes are refused at their line', () => {
  const cases: readonly (readonly [text: string, expected: RegExp])[] = [
    ['', /a\.yml:1: route: no route provided/],
    ['receivers: [{name: r}]', /no routes provided/],
    ['route: {receiver: x}\nreceivers: [{name: r}]', /a\.yml:1: route\.receiver: undefined receiver "x"/],
    [
      'route: {receiver: r, matchers: [a=b]}\nreceivers: [{name: r}]',
      /root route must not have any matchers/,
    ],
    ['route: {receiver: r, continue: true}\nreceivers: [{name: r}]', /cannot have continue in root route/],
    ['route: {receiver: r}\nreceivers: [{name: r}, {name: r}]', /name "r" is not unique/],
    ['route: {receiver: r, group_by: [a, "..."]}\nreceivers: [{name: r}]', /wildcard group_by/],
    ['route: {receiver: r, group_interval: 0s}\nreceivers: [{name: r}]', /group_interval cannot be zero/],
    [
      'route: {receiver: r, routes: [{mute_time_intervals: [n]}]}\nreceivers: [{name: r}]',
      /undefined time interval "n"/,
    ],
    [
      withReceiver('webhook_configs: [{}]'),
      /a\.yml:5: receivers\[0\]\.webhook_configs\[0\]: one of url or url_file/,
    ],
    [withReceiver('webhook_configs: [{url: "ftp://x"}]'), /unsupported scheme/],
    [withReceiver('webhook_configs: [{url: "http://{{ x"}]'), /invalid template syntax/],
    [withReceiver('webhook_configs: [~]'), /missing webhook config/],
    [withReceiver('webhook_configs: [{url: "http://x", foo: 1}]'), /unknown field "foo"/],
    [withReceiver('pagerduty_configs: [{}]'), /missing service or routing key/],
    [withReceiver('email_configs: [{to: x}]'), /no global SMTP smarthost set/],
    [withReceiver('slack_configs: [{channel: c}]'), /no Slack API URL nor App token/],
    [withReceiver('pushover_configs: [{user_key: a}]'), /one of token or token_file/],
    [withReceiver('jira_configs: [{project: p}]'), /missing issue_type/],
    [withReceiver('opsgenie_configs: [{api_key: k, responders: [{type: team}]}]'), /at least one of id/],
    [withReceiver('', '{opsgenie_api_key: a, opsgenie_api_key_file: b}'), /at most one of opsgenie_api_key/],
  ];
  for (const [text, expected] of cases) assert.match(refusal(text), expected, text);
});

test('matchers in their three spellings become one sorted list', () => {
  const { route, inhibitRules } = parse(`
route:
  receiver: r
  routes:
    - match: {b: x}
      match_re: {a: "y|z"}
      matchers: ['c != "d"', '{e="f",g=~"h"}']
receivers: [{name: r}]
inhibit_rules:
  - {source_match: {s: v}, target_matchers: [t=~x], equal: [cluster]}
`);
  assert.deepEqual(route.routes[0]?.matchers, [
    { name: 'a', type: '=~', value: 'y|z' },
    { name: 'b', type: '=', value: 'x' },
    { name: 'c', type: '!=', value: 'd' },
    { name: 'e', type: '=', value: 'f' },
    { name: 'g', type: '=~', value: 'h' },
  ]);
  assert.deepEqual(inhibitRules[0]?.sourceMatchers, [{ name: 's', type: '=', value: 'v' }]);
});

test('matchers parse in both grammars', () => {
  assert.deepEqual(parseMatchers(''), []);
  assert.deepEqual(parseMatchers('foo=bar'), [{ name: 'foo', type: '=', value: 'bar' }]);
  assert.deepEqual(
    parseMatchers('foo=bar baz'),
    [{ name: 'foo', type: '=', value: 'bar baz' }],
    'classic only',
  );
  assert.deepEqual(
    parseMatchers('"föo"!~"a\\"b"'),
    [{ name: 'föo', type: '!~', value: 'a"b' }],
    'UTF-8 only',
  );
  assert.deepEqual(parseMatchers('{a="1",b="2",}').length, 2);
  for (const bad of ['foo', '=x', 'a=~"("', 'a="b', 'a="b" c', '{a=b', '"a"b"=c']) {
    // The classic grammar forgives a brace that is left open.
    if (bad !== '{a=b') assert.throws(() => parseMatchers(bad), bad);
  }
});

test('time intervals take names, ranges and zones', () => {
  const { timeIntervals } = parse(`
route: {receiver: r}
receivers: [{name: r}]
time_intervals:
  - name: office
    time_intervals:
      - times: [{start_time: 09:00, end_time: "24:00"}]
        weekdays: ['monday:friday', sunday]
        days_of_month: ['1:5', '-3:-1']
        months: ['january:march', 12]
        years: ['2024:2030']
        location: Europe/Berlin
`);
  assert.deepEqual(timeIntervals[0]?.timeIntervals[0], {
    times: [{ startMinute: 540, endMinute: 1440 }],
    weekdays: [
      { begin: 1, end: 5 },
      { begin: 0, end: 0 },
    ],
    daysOfMonth: [
      { begin: 1, end: 5 },
      { begin: -3, end: -1 },
    ],
    months: [
      { begin: 1, end: 3 },
      { begin: 12, end: 12 },
    ],
    years: [{ begin: 2024, end: 2030 }],
    location: 'Europe/Berlin',
  });
  const bad = (line: string): string =>
    refusal(
      `route: {receiver: r}\nreceivers: [{name: r}]\ntime_intervals: [{name: n, time_intervals: [{${line}}]}]`,
    );
  assert.match(bad('weekdays: ["friday:monday"]'), /start day cannot be before end day/);
  assert.match(bad('days_of_month: ["0"]'), /out of range/);
  assert.match(bad('days_of_month: ["-1:1"]'), /must be negative/);
  assert.match(bad('times: [{start_time: "9:00", end_time: "10:00"}]'), /couldn't parse timestamp/);
  assert.match(bad('times: [{start_time: "10:00", end_time: "10:00"}]'), /start time cannot be equal/);
  assert.match(bad('location: Nowhere/City'), /unknown time zone/);
});

test('secrets are not shown, and the configuration survives a structured clone', () => {
  const config = parse(
    withReceiver('webhook_configs: [{url: "http://user:pass@x/"}]', '{opsgenie_api_key: key1}'),
  );
  assert.doesNotMatch(config.shownYaml, /pass|key1/);
  assert.deepEqual(structuredClone(config), config);
});

test('a classic matcher loses the blanks around its value, in time of its length', () => {
  assert.deepEqual(parseMatchers(' foo = bar  baz \t'), [{ name: 'foo', type: '=', value: 'bar  baz' }]);
  const startMs = performance.now();
  assert.throws(() => parseMatchers(`a=x${' '.repeat(60_000)}"`), /unescaped double quote/);
  assert.ok(performance.now() - startMs < 500);
});

test('quoted matcher texts take escapes of Go', () => {
  assert.deepEqual(parseMatchers('"\\xc3\\xa4 b"="\\u00e4\\n"'), [{ name: 'ä b', type: '=', value: 'ä\n' }]);
  for (const bad of ['"a b"="\\xff"', '"a b"="\\q"', '"a b"="\\400"'])
    assert.throws(() => parseMatchers(bad), bad);
});
