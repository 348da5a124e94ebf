/**
 * Requests to the HTTP API, good and bad, over the data of promql/data.ts: asked of a real Prometheus and of a node of
 * ours, which have the same samples.
 */
import type { RawRequest } from '../../src/api/testing/raw_http.ts';

const encode = encodeURIComponent;
const paths: string[] = [];
const add = (path: string, ...queries: readonly string[]): void => {
  for (const query of queries) paths.push(`/api/v1/${path}${query === '' ? '' : `?${query}`}`);
};

const expressions: readonly string[] = [
  'up',
  'a+b',
  'sum(rate(a[5m]))',
  'sum by (job, instance) (rate(ops_total{mode=~"r.*"}[5m] offset 1m))',
  'topk without (x) (3, a) / on (job) group_left (zone) b > bool 2',
  '-(1 + 2) ^ 2 atan2 3',
  'a and on (x) b or c unless ignoring (y) d',
  'a[5m:30s] @ 10 offset -1m',
  'max_over_time(a[5m:] @ end())',
  'min_over_time(a{x!="y", z!~"q"}[1h] @ start())',
  '{"a b", c="d"}',
  'count_values("v", a)',
  'label_replace(a, "b", "$1", "c", "(.*)")',
  'label_join(a, "b", "-", "c", "d")',
  'round(a, 0.5) + vector(1) + time() + pi()',
  'day_of_week()',
  'histogram_quantile(0.9, sum by (le) (rate(latency_bucket[5m])))',
  'quantile(0.5, a) + scalar(b)',
  '1e300 * Inf - NaN + 0x1F + 5m',
  '"text"',
  'absent(nonexistent{a="b"})',
  'sort_desc(a) == b',
  `sum by (job, instance, mode, zone) (rate(ops_total{job="api", instance=~"a.*|b.*", mode!="none"}[5m])) / ignoring (mode) group_left sum by (job) (rate(queue[10m]))`,
  `histogram_quantile(0.99, sum by (le, job, instance) (rate(latency_bucket{job=~"api|db", instance!~"c.*"}[5m] offset 10m)))`,
  `(${'x'.repeat(60)} + ${'y'.repeat(60)}) * -${'z'.repeat(90)}`,
  ')',
  '',
  'sum(',
  'a b',
  'rate(a)',
  'foo(a)',
  '{}',
  'a{b=~"("}',
  '1 and 2',
  'sum by (a) (1)',
  'a[5m',
  'a offset',
  '"unclosed',
];
for (const expr of expressions) {
  add('parse_query', `query=${encode(expr)}`);
  add('format_query', `query=${encode(expr)}`);
}
add('parse_query', '');
add('format_query', '');

const selectors = [
  'ops_total',
  '{job="api"}',
  '{__name__=~"q.*"}',
  'queue{zone="x"}',
  'nothing',
  '{job=~".+"}',
];
const badSelectors = [')', '{}', '', '{a=~"("}', 'up[5m]', 'sum(up)'];
const times = [
  '',
  '&start=0',
  '&end=0',
  '&start=0&end=9999999999',
  '&start=2&end=1',
  '&start=x',
  '&end=2020-13-01T00:00:00Z',
];
for (const what of ['series', 'labels', 'label/job/values', 'label/__name__/values', 'label/U__le/values']) {
  for (const selector of [...selectors, ...badSelectors]) add(what, `match[]=${encode(selector)}`);
  for (const time of times) add(what, `match[]=ops_total${time}`);
  for (const limit of ['0', '-1', 'x', '1000', '']) add(what, `match[]=ops_total&limit=${limit}`);
  add(what, 'match[]=ops_total&match[]=queue', 'match[]=ops_total&match[]=)', '', 'a=%zz', 'match[]=up;a=b');
}
for (const name of [
  'instance',
  'mode',
  'none',
  'a-b',
  '0x',
  'U__',
  'U___30_x',
  '%C3%A4',
  '%FF',
  'le',
  'zone',
]) {
  add(`label/${name}/values`, '');
}
for (const limit of ['1', '2', '3']) {
  add('labels', `limit=${limit}`);
  add('label/instance/values', `limit=${limit}`, `match[]=ops_total&match[]=queue&limit=${limit}`);
}

add('query_exemplars', ...expressions.map((expr) => `query=${encode(expr)}`));
add(
  'query_exemplars',
  ...times.map((time) => `query=ops_total${time}`),
  'query=ops_total%2Bqueue',
  'query={job="api"}',
);

add(
  'targets',
  '',
  'state=active',
  'state=dropped',
  'state=ANY',
  'state=x',
  'scrapePool=down',
  'scrapePool=none',
);
add('targets/metadata', '', 'limit=0', 'limit=1', 'limit=-1', 'limit=x', 'metric=fixed_total', 'metric=none');
add(
  'targets/metadata',
  ...['{job="fixed"}', '{job="none"}', '{}', ')', 'fixed'].map((one) => `match_target=${encode(one)}`),
);
add(
  'targets/metadata',
  'match_target={job="fixed"}&metric=fixed_gauge',
  'match_target={job="fixed"}&limit=1',
);
add(
  'metadata',
  'metric=fixed_total',
  'metric=none',
  'limit=0',
  'limit=x',
  'limit_per_metric=x',
  'metric=fixed_gauge&limit=1',
);
add('scrape_pools', '');
add(
  'rules',
  '',
  'type=alert',
  'type=record',
  'type=x',
  'rule_name[]=Low',
  'rule_name[]=Low&rule_name[]=kept',
);
add(
  'rules',
  'rule_group[]=first',
  'rule_group[]=none',
  'file[]=none',
  'exclude_alerts=true',
  'exclude_alerts=x',
);
add(
  'rules',
  'match[]={severity="page"}',
  'match[]={severity="x"}',
  'match[]=)',
  'match[]={}',
  'group_limit=1',
  'group_limit=9',
);
add('rules', 'group_limit=-1', 'group_limit=x', 'group_next_token=x', 'group_limit=1&group_next_token=x');
add('alerts', '');
add('alertmanagers', '');
add('status/walreplay', '');
add('status/tsdb', 'limit=x', 'limit=0', 'limit=-1');
add('notifications', '');
add('nothing', '');
add('status', '');

const methods: readonly (readonly [method: string, path: string])[] = [
  ...[
    'query_exemplars',
    'format_query',
    'parse_query',
    'targets/metadata',
    'status/tsdb',
    'notifications',
  ].flatMap((path) =>
    ['PUT', 'DELETE', 'OPTIONS', 'HEAD'].map((method) => [method, `/api/v1/${path}`] as const),
  ),
  ...['delete_series', 'clean_tombstones', 'snapshot'].flatMap((name) =>
    ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'].map(
      (method) => [method, `/api/v1/admin/tsdb/${name}`] as const,
    ),
  ),
  ['POST', '/api/v1/admin/tsdb/delete_series?match[]=)'],
  ['POST', '/api/v1/admin/tsdb/delete_series?match[]=up&start=x'],
  ['POST', '/api/v1/admin/tsdb/delete_series?match[]=nothing&start=5&end=3'],
  ['POST', '/api/v1/admin/tsdb/delete_series?match[]=nothing'],
  ['POST', '/api/v1/admin/tsdb/snapshot?skip_head=x'],
];

const form = (path: string, body: string): RawRequest => ({
  method: 'POST',
  path: `/api/v1/${path}`,
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  body: Buffer.from(body),
});

export const requests: readonly RawRequest[] = [
  ...paths.map((path) => ({
    path: path.replaceAll('{', '%7B').replaceAll('}', '%7D').replaceAll('"', '%22'),
  })),
  ...methods.map(([method, path]) => ({ method, path })),
  form('series', `match[]=${encode('ops_total{job="api"}')}`),
  form('labels', 'match[]=queue&limit=2'),
  form('query_exemplars', 'query=ops_total'),
  form('parse_query', 'query=a%2Bb'),
  form('format_query', 'query=a%2Bb'),
  form('admin/tsdb/delete_series', 'match[]=nothing'),
  form('label/job/values', ''),
];
