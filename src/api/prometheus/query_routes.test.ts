import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerOf, FakeQueryError, prometheusServer, type Server } from '../testing/fake_backend.ts';

const form = { 'content-type': 'application/x-www-form-urlencoded' };

async function get(server: Server, url: string): Promise<string> {
  const { statusCode, body } = await server.app.inject({ url });
  return `${statusCode} ${body}`;
}

function error(type: string, message: string): string {
  return JSON.stringify({ status: 'error', errorType: type, error: message });
}

const notPositive = 'zero or negative query resolution step widths are not accepted. Try a positive integer';
const overflow = 'to a valid duration. It overflows int64';

/** Parameters of /api/v1/query beside `query=1`, and the message of the refusal. */
const refusedQueries: [string, string][] = [
  [
    'time=abc',
    `invalid parameter "time": invalid time value for 'time': cannot parse "abc" to a valid timestamp`,
  ],
  [
    'time=0x10',
    `invalid parameter "time": invalid time value for 'time': cannot parse "0x10" to a valid timestamp`,
  ],
  [
    'time=NaN',
    `invalid parameter "time": invalid time value for 'time': cannot parse "NaN" to a valid timestamp`,
  ],
  [
    'time=2020-02-30T00:00:00Z',
    `invalid parameter "time": invalid time value for 'time': cannot parse "2020-02-30T00:00:00Z" to a valid timestamp`,
  ],
  [
    'time=2020-01-01T00:00:00.5+02:00',
    `invalid parameter "time": invalid time value for 'time': cannot parse "2020-01-01T00:00:00.5 02:00" to a valid timestamp`,
  ],
  ['timeout=abc', 'invalid parameter "timeout": cannot parse "abc" to a valid duration'],
  ['timeout=1d1d', 'invalid parameter "timeout": cannot parse "1d1d" to a valid duration'],
  ['timeout=1e300', `invalid parameter "timeout": cannot parse "1e300" ${overflow}`],
  ['limit=-1', 'invalid parameter "limit": limit must be non-negative'],
  ['limit=1.5', 'invalid parameter "limit": strconv.Atoi: parsing "1.5": invalid syntax'],
  ['limit=%22%0a', 'invalid parameter "limit": strconv.Atoi: parsing "\\"\\n": invalid syntax'],
  [
    'limit=99999999999999999999',
    'invalid parameter "limit": strconv.Atoi: parsing "99999999999999999999": value out of range',
  ],
  ['lookback_delta=x', 'error parsing lookback delta duration: cannot parse "x" to a valid duration'],
  ['limit=x&time=x&timeout=x', 'invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax'],
];

for (const [parameters, message] of refusedQueries) {
  test(`query refuses ${parameters}`, async () => {
    const server = await prometheusServer();
    const answer = await get(server, `/api/v1/query?query=1&${parameters}`);
    assert.equal(answer, `400 ${error('bad_data', message)}`);
    assert.deepEqual(server.calls, []);
  });
}

const refusedRanges: [string, string][] = [
  ['', 'invalid parameter "start": cannot parse "" to a valid timestamp'],
  ['start=1', 'invalid parameter "end": cannot parse "" to a valid timestamp'],
  ['start=1&end=0&step=1', 'invalid parameter "end": end timestamp must not be before start time'],
  ['start=1&end=2', 'invalid parameter "step": cannot parse "" to a valid duration'],
  ['start=1&end=2&step=0', `invalid parameter "step": ${notPositive}`],
  ['start=1&end=2&step=-1', `invalid parameter "step": ${notPositive}`],
  ['start=1&end=2&step=1x', 'invalid parameter "step": cannot parse "1x" to a valid duration'],
  ['start=1&end=2&step=1&timeout=x', 'invalid parameter "timeout": cannot parse "x" to a valid duration'],
  [
    'start=0&end=11001&step=1',
    'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
  ],
];

for (const [parameters, message] of refusedRanges) {
  test(`query_range refuses ${parameters === '' ? 'missing times' : parameters}`, async () => {
    const server = await prometheusServer();
    const answer = await get(server, `/api/v1/query_range?query=1&${parameters}`);
    assert.equal(answer, `400 ${error('bad_data', message)}`);
  });
}

test('query takes times as seconds and as RFC 3339, in the backend milliseconds', async () => {
  const server = await prometheusServer();
  const times: [string, number][] = [
    ['0', 0],
    ['1700000000.123', 1_700_000_000_123],
    ['-1.5', -1500],
    ['1e3', 1_000_000],
    ['%2B1', 1000],
    ['2020-01-01T00:00:00Z', 1_577_836_800_000],
    ['2020-01-01T00:00:00.123456%2B02:00', 1_577_829_600_123],
    ['', 1_700_000_000_000],
    ['1&time=2', 1000],
  ];
  for (const [text, expected] of times) {
    await get(server, `/api/v1/query?query=1&time=${text}`);
    assert.equal(server.calls.at(-1)?.args[1], expected, text);
  }
});

test('query passes timeout, limit, lookback, partial_response, stats and explain on, and who asks', async () => {
  const server = await prometheusServer();
  await get(server, '/api/v1/query?query=a&timeout=5m&limit=%2B7&lookback_delta=1.5&partial_response=false');
  const request = { clientIP: '127.0.0.1', method: 'GET', path: '/api/v1/query' };
  const options = { timeoutMs: 300_000, limit: 7, lookbackMs: 1500, partialResponse: false };
  const args = ['a', 1_700_000_000_000, { ...options, explains: false, request }];
  assert.deepEqual(server.calls, [{ method: 'query', args }]);
  await get(server, '/api/v1/query?query=a&stats=all&explain=true');
  const asked = { partialResponse: true, stats: 'all', explains: true, request };
  assert.deepEqual(server.calls[1]?.args[2], asked);
  await get(server, '/api/v1/query?query=a&stats=0');
  assert.deepEqual(server.calls[2]?.args[2], { ...asked, stats: 'query', explains: false });
});

test('a timeout that is over before it starts ends the query', async () => {
  const server = await prometheusServer();
  const answer = await get(server, '/api/v1/query?query=1&timeout=0');
  assert.equal(answer, `503 ${error('timeout', 'query timed out in query execution')}`);
});

test('11,000 points are allowed, and fractions of a step more', async () => {
  const server = await prometheusServer();
  await get(server, '/api/v1/query_range?query=1&start=0&end=11000.9&step=1');
  assert.deepEqual(server.calls.at(-1)?.args[1], { startMs: 0, endMs: 11_000_900, stepMs: 1000 });
});

test('what cannot be parsed is told with the name of its parameter where Prometheus tells it', async () => {
  const server = await prometheusServer();
  const message = "1:2: parse error: unexpected right parenthesis ')'";
  const query = error('bad_data', `invalid parameter "query": ${message}`);
  assert.equal(await get(server, '/api/v1/query?query=)'), `400 ${query}`);
  assert.equal(await get(server, '/api/v1/query_range?query=)&start=0&end=1&step=1'), `400 ${query}`);
  const match = error('bad_data', `invalid parameter "match[]": ${message}`);
  assert.equal(await get(server, '/api/v1/series?match[]=)'), `400 ${match}`);
  assert.equal(await get(server, '/api/v1/labels?match[]=)'), `400 ${error('bad_data', message)}`);
  assert.equal(await get(server, '/api/v1/label/a/values?match[]=)'), `400 ${error('bad_data', message)}`);
});

test('success is wrapped as it is, with warnings and infos only where there are any', async () => {
  const server = await prometheusServer();
  const { headers, body } = await server.app.inject({ url: '/api/v1/query?query=1' });
  assert.equal(body, '{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}');
  assert.equal(headers['content-type'], 'application/json');
  server.script.answer = async () => answerOf('[]', { warnings: ['<w> & "q"'], infos: ['i\u2028'] });
  assert.equal(
    await get(server, '/api/v1/query?query=1'),
    '200 {"status":"success","data":[],"warnings":["\\u003cw\\u003e \\u0026 \\"q\\""],"infos":["i\\u2028"]}',
  );
});

const statuses: [string, number][] = [
  ['bad_data', 400],
  ['execution', 422],
  ['canceled', 499],
  ['timeout', 503],
  ['unavailable', 503],
  ['internal', 500],
];

for (const [errorType, status] of statuses) {
  test(`an error of kind ${errorType} has status ${status}`, async () => {
    const server = await prometheusServer();
    server.script.answer = async () => {
      throw new FakeQueryError(errorType, 'a < b');
    };
    const answer = await get(server, '/api/v1/labels');
    assert.equal(answer, `${status} {"status":"error","errorType":"${errorType}","error":"a \\u003c b"}`);
  });
}

test('a form body counts before the query string', async () => {
  const server = await prometheusServer();
  const payload = 'query=2&time=2';
  await server.app.inject({
    method: 'POST',
    url: '/api/v1/query?query=1&time=1&limit=3',
    headers: form,
    payload,
  });
  const request = { clientIP: '127.0.0.1', method: 'POST', path: '/api/v1/query' };
  const options = { limit: 3, partialResponse: true, explains: false, request };
  assert.deepEqual(server.calls[0]?.args, ['2', 2000, options]);
});

test('other bodies hold no parameters', async () => {
  const server = await prometheusServer();
  for (const type of ['text/plain', 'application/json', undefined]) {
    const headers = type === undefined ? {} : { 'content-type': type };
    const { statusCode, body } = await server.app.inject({
      method: 'POST',
      url: '/api/v1/query',
      headers,
      payload: Buffer.from('query=2'),
    });
    assert.equal(statusCode, 400, type);
    assert.match(body, /no expression found in input/, type);
  }
});

test('a pair with a bad escape or a semicolon is left out, and the others count', async () => {
  const server = await prometheusServer();
  await get(server, '/api/v1/query?%zz=1&a=1;b&query=up&time=5');
  assert.deepEqual(server.calls[0]?.args.slice(0, 2), ['up', 5000]);
  assert.match(await get(server, '/api/v1/query?query=1%'), /no expression found/);
});

test('series refuses a request with a malformed parameter, as Prometheus does', async () => {
  const server = await prometheusServer();
  assert.equal(
    await get(server, '/api/v1/series?match[]=up&%zz'),
    `400 ${error('bad_data', 'error parsing form values: invalid URL escape "%zz"')}`,
  );
  assert.equal(
    await get(server, '/api/v1/series?match=up'),
    `400 ${error('bad_data', 'no match[] parameter provided')}`,
  );
});

test('selectors arrive all, with bounds that mean everything when none are given', async () => {
  const server = await prometheusServer();
  await get(server, '/api/v1/series?match[]=a&match%5B%5D=b&start=1&end=2&limit=3');
  const request = { selectors: ['a', 'b'], fromMs: 1000, toMs: 2000, limit: 3 };
  assert.deepEqual(server.calls[0]?.args, [request]);
  await get(server, '/api/v1/labels');
  const everything = { selectors: [], fromMs: -8_640_000_000_000_000, toMs: 8_640_000_000_000_000 };
  assert.deepEqual(server.calls[1]?.args, [everything]);
  assert.equal(await get(server, '/api/v1/labels?start=2&end=1'), '200 {"status":"success","data":[]}');
});

const labelNames: [string, string][] = [
  ['job', 'job'],
  ['a.b', 'a.b'],
  ['%C3%A4', 'ä'],
  ['U__a_2e_b', 'a.b'],
  ['U__a__b', 'a_b'],
  ['U__a_zz_', 'U__a_zz_'],
  ['%20', ' '],
  ['x'.repeat(500), 'x'.repeat(500)],
];

for (const [path, name] of labelNames) {
  test(`/label/${path.slice(0, 20)}/values asks for ${JSON.stringify(name.slice(0, 20))}`, async () => {
    const server = await prometheusServer();
    assert.equal(await get(server, `/api/v1/label/${path}/values`), '200 {"status":"success","data":[]}');
    assert.equal(server.calls[0]?.args[0], name);
  });
}

test('an escaped empty label name is refused', async () => {
  const server = await prometheusServer();
  const answer = await get(server, '/api/v1/label/U__/values');
  assert.equal(answer, `400 ${error('bad_data', 'invalid label name: ""')}`);
});
