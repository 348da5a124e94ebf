/** Random requests to the HTTP API, more or less malformed, drawn from a seed. */
import { gzipSync } from 'node:zlib';
import type { RawRequest } from '../../../src/api/testing/raw_http.ts';
import type { Random } from '../../../src/base/index.ts';

const paths: readonly string[] = [
  ...[
    'query',
    'query_range',
    'query_exemplars',
    'format_query',
    'parse_query',
    'series',
    'labels',
    'label/job/values',
  ],
  ...[
    'label/U__x/values',
    'targets',
    'targets/metadata',
    'metadata',
    'scrape_pools',
    'rules',
    'alerts',
    'alertmanagers',
  ],
  ...[
    'status/config',
    'status/flags',
    'status/tsdb',
    'status/runtimeinfo',
    'status/walreplay',
    'notifications',
    'features',
  ],
  ...[
    'write',
    'read',
    'otlp/v1/metrics',
    'admin/tsdb/delete_series',
    'admin/tsdb/clean_tombstones',
    'cluster',
    'none',
  ],
];
const names: readonly string[] = [
  ...[
    'query',
    'time',
    'start',
    'end',
    'step',
    'timeout',
    'limit',
    'lookback_delta',
    'stats',
    'match[]',
    'metric',
  ],
  ...[
    'match_target',
    'limit_per_metric',
    'state',
    'scrapePool',
    'type',
    'rule_name[]',
    'group_limit',
    'file[]',
  ],
  ...['group_next_token', 'exclude_alerts', 'partial_response', 'skip_head'],
];
const values: readonly string[] = [
  ...[
    '',
    '0',
    '1',
    '-1',
    '1.5',
    '1e300',
    '-1e300',
    'NaN',
    'Inf',
    '-Inf',
    '0x10',
    '9223372036854775807',
    '1_0',
  ],
  ...[
    '9'.repeat(400),
    '2024-01-01T00:00:00Z',
    '292277025-08-18T07:12:54.999999999Z',
    '-292273086-05-16T16:47:06Z',
  ],
  ...[
    '1s',
    '5m',
    '1y1y',
    '100000000y',
    'true',
    'x',
    'up',
    '{}',
    '{job="a"}',
    '{a=~"(a*)*b"}',
    '{a=~"("}',
    'up[5m]',
  ],
  ...[
    'sum(rate(up[5m]))',
    'up{',
    ')',
    '(((((',
    '-'.repeat(500),
    '1^'.repeat(300),
    'a+'.repeat(800),
    '('.repeat(3000),
  ],
  ...[
    'up offset -100000000y',
    'up[100000000y:1ms]',
    'vector(1) or '.repeat(50),
    '"\\xff"',
    '\u0000',
    '\ud800',
    '%',
    '%zz',
  ],
  ...[
    'é'.repeat(100),
    '\u202e',
    '<script>',
    '"; DROP',
    '../../etc/passwd',
    'a'.repeat(20_000),
    'absent(x[1y])',
  ],
];
const headers: readonly (readonly [string, string])[] = [
  ['Accept-Encoding', 'gzip;q=0, zstd'],
  ['Accept-Encoding', `${'gzip,'.repeat(500)}`],
  ['Accept', 'application/openmetrics-text;version=1.0.0;q=x'],
  ['Origin', 'http://x'.repeat(100)],
  ['Content-Encoding', 'snappy'],
  ['Content-Encoding', 'gzip'],
  ['Content-Type', 'application/x-protobuf;proto=io.prometheus.write.v2.Request'],
  ['Content-Type', 'application/x-protobuf'],
  ['Content-Type', 'application/json'],
  ['Content-Type', ';;;='],
  ['Authorization', 'Basic !!!'],
  ['X-Long', 'x'.repeat(50_000)],
  ['Range', 'bytes=0-1'],
  ['If-None-Match', '*'],
];
const others = ['PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'];
const methods = [...Array<string>(12).fill('GET'), ...Array<string>(6).fill('POST'), ...others];

const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)] as T;

function parameters(random: Random): string {
  return Array.from({ length: random.below(5) }, () => {
    const value = pick(random, values);
    // Some are not escaped, which is the client's mistake.
    const isRaw = random.below(6) === 0 && /^[\x21-\x7e]*$/.test(value) && !/[#\s]/.test(value);
    const text = isRaw ? value : encodeURIComponent(value.isWellFormed() ? value : value.toWellFormed());
    return `${encodeURIComponent(pick(random, names))}=${text}`;
  }).join('&');
}

function noise(random: Random, bytesMax: number): Uint8Array {
  const bytes = Uint8Array.from({ length: random.below(bytesMax) }, () => random.below(256));
  return random.below(4) === 0 ? gzipSync(bytes) : bytes;
}

export function randomRequest(random: Random): RawRequest {
  const method = pick(random, methods);
  const query = parameters(random);
  const path = `/api/v1/${pick(random, paths)}${query === '' ? '' : `?${query}`}`;
  const own = Object.fromEntries(Array.from({ length: random.below(3) }, () => pick(random, headers)));
  if (method === 'GET' || method === 'HEAD') return { method, path, headers: own };
  const isForm = random.below(2) === 0;
  const type = isForm ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {};
  const body = isForm ? Buffer.from(parameters(random)) : noise(random, 2000);
  return { method, path, headers: { ...own, ...type }, body };
}
