import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { isStaleNaN, type WriteBatch } from '../../model/index.ts';
import { RemoteRequestError } from '../errors.ts';
import { decodeOtlp } from './decode.ts';
import { readOtlpJson } from './read_json.ts';
import { readOtlpProtobuf } from './read_protobuf.ts';
import { encodeOtlp } from './testing/encode.ts';
import { type OtlpRules, type TranslatedOtlp, translateOtlp } from './translate.ts';

/** What Prometheus does when the section `otlp` says nothing. */
const rules: OtlpRules = {
  withSuffixes: true,
  allowUtf8: false,
  sanitizeUnderscore: true,
  preserveUnderscores: true,
  promoteAll: false,
  resourceAttributes: [],
  promoteScope: false,
  keepIdentifyingAttributes: false,
  convertToNhcb: false,
  allowDelta: false,
};

type Json = Record<string, unknown>;

const attributesOf = (given: Record<string, string>): object[] =>
  Object.entries(given).map(([key, stringValue]) => ({ key, value: { stringValue } }));

const timeUnixNano = '1700000000123000000';

/** A request of one resource and one scope. */
function request(metrics: readonly Json[], resource: Record<string, string> = {}): Json {
  const scope = { name: 'lib', version: '1.2', attributes: attributesOf({ 'a.b': 'c' }) };
  return {
    resourceMetrics: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeMetrics: [{ scope, metrics: [...metrics], schemaUrl: 'http://s' }],
      },
    ],
  };
}

function rowsOf({ series, refs, timestamps, values, histograms }: WriteBatch): string[] {
  return Array.from(refs, (ref, i) => {
    const value = isStaleNaN(values, i) ? 'stale' : String(values[i]);
    return `${series[ref]} ${histograms?.[i]?.toString() ?? value} ${timestamps[i]}`;
  }).sort();
}

function translate(given: Json, changes: Partial<OtlpRules> = {}): TranslatedOtlp {
  const resources = readOtlpJson(Buffer.from(JSON.stringify(given)));
  // Both encodings mean the same.
  assert.deepEqual(readOtlpProtobuf(encodeOtlp(given)), resources);
  return translateOtlp(resources, { ...rules, ...changes });
}

const rows = (given: Json, changes: Partial<OtlpRules> = {}): string[] =>
  rowsOf(translate(given, changes).batch);

const gauge = (name: string, unit = '', attributes: Record<string, string> = {}): Json => ({
  name,
  unit,
  gauge: { dataPoints: [{ timeUnixNano, asDouble: 1.5, attributes: attributesOf(attributes) }] },
});
const counter = (name: string, unit = ''): Json => ({
  name,
  unit,
  sum: { dataPoints: [{ timeUnixNano, asInt: '7' }], aggregationTemporality: 2, isMonotonic: true },
});

test('units and types become suffixes of names, each strategy in its way', () => {
  const metrics = [
    gauge('system.memory.usage', 'By'),
    gauge('ratio', '1'),
    gauge('9lives'),
    counter('http.requests', '{request}'),
    counter('io.total.bytes', 'By/s'),
    gauge('a  b__c', 'foo/bar baz'),
  ];
  const names = (changes: Partial<OtlpRules>): string[] =>
    translate(request(metrics), changes).batch.series.map((labels) => labels.metricName);
  assert.deepEqual(names({}), [
    'system_memory_usage_bytes',
    'ratio',
    '_9lives',
    'http_requests_total',
    'io_bytes_per_second_total',
    'a_b_c_foo_per_bar_baz',
  ]);
  assert.deepEqual(names({ withSuffixes: false }), [
    'system_memory_usage',
    'ratio',
    '_9lives',
    'http_requests',
    'io_total_bytes',
    'a_b__c',
  ]);
  assert.deepEqual(names({ allowUtf8: true }), [
    'system.memory.usage_bytes',
    'ratio_ratio',
    '9lives',
    'http.requests_total',
    'io.total.bytes_bytes_per_second_total',
    'a  b__c_foo_per_bar baz',
  ]);
  assert.deepEqual(names({ allowUtf8: true, withSuffixes: false })[0], 'system.memory.usage');
});

test('attributes become labels; those whose names become the same are joined', () => {
  const given = request([gauge('m', '', { 'a.b': '1', a_b: '2', '0x': '3', _u: '4', __v: '5', '': '' })]);
  assert.deepEqual(rows(given), []);
  const fine = request([gauge('m', '', { 'a.b': '1', a_b: '2', '0x': '3', _u: '4', __v: '5' })]);
  assert.deepEqual(rows(fine), ['m{__v="5", a_b="1;2", key_0x="3", key_u="4"} 1.5 1700000000123']);
  assert.deepEqual(rows(fine, { sanitizeUnderscore: false, preserveUnderscores: false }), [
    'm{_u="4", _v="5", a_b="1;2", key_0x="3"} 1.5 1700000000123',
  ]);
  assert.deepEqual(rows(fine, { allowUtf8: true, withSuffixes: false }), [
    'm{"0x"="3", __v="5", _u="4", "a.b"="1", a_b="2"} 1.5 1700000000123',
  ]);
});

test('the service becomes job and instance, the rest of the resource target_info or labels', () => {
  const resource = {
    'service.name': 's',
    'service.namespace': 'n',
    'service.instance.id': 'i',
    'host.name': 'h',
    env: 'e',
  };
  const given = request([gauge('m')], resource);
  assert.deepEqual(rows(given), [
    'm{instance="i", job="n/s"} 1.5 1700000000123',
    'target_info{env="e", host_name="h", instance="i", job="n/s"} 1 1700000000123',
  ]);
  assert.deepEqual(
    rows(given, { resourceAttributes: ['host.name', 'none'] })[0],
    'm{host_name="h", instance="i", job="n/s"} 1.5 1700000000123',
  );
  assert.deepEqual(
    rows(given, { promoteAll: true, resourceAttributes: ['host.name'] })[0],
    'm{env="e", instance="i", job="n/s", service_instance_id="i", service_name="s", service_namespace="n"} 1.5 1700000000123',
  );
  assert.match(rows(given, { keepIdentifyingAttributes: true })[1] ?? '', /service_name="s"/);
  assert.match(
    rows(given, { promoteScope: true })[0] ?? '',
    /otel_scope_a_b="c", otel_scope_name="lib", otel_scope_schema_url="http:\/\/s", otel_scope_version="1.2"/,
  );
  // Without anything to tell, or without anybody to tell it of, there is none.
  assert.equal(rows(request([gauge('m')], { 'service.name': 's' })).length, 1);
  assert.equal(rows(request([gauge('m')], { env: 'e' })).length, 1);
});

const histogramPoint = {
  timeUnixNano,
  count: '10',
  sum: 12.5,
  bucketCounts: ['0', '4', '5', '1'],
  explicitBounds: [0.1, 1, 2.5],
  exemplars: [
    {
      timeUnixNano,
      asDouble: 0.7,
      traceId: '00112233445566778899aabbccddeeff',
      spanId: '0011223344556677',
      filteredAttributes: attributesOf({ user: 'u' }),
    },
  ],
};

test('histograms become classic ones with exemplars at their buckets, or native ones with custom buckets', () => {
  const given = request([
    { name: 'h', unit: 's', histogram: { dataPoints: [histogramPoint], aggregationTemporality: 2 } },
  ]);
  const { batch } = translate(given);
  assert.deepEqual(rowsOf(batch), [
    'h_seconds_bucket{le="+Inf"} 10 1700000000123',
    'h_seconds_bucket{le="0.1"} 0 1700000000123',
    'h_seconds_bucket{le="1"} 4 1700000000123',
    'h_seconds_bucket{le="2.5"} 9 1700000000123',
    'h_seconds_count 10 1700000000123',
    'h_seconds_sum 12.5 1700000000123',
  ]);
  const [exemplar] = batch.exemplars ?? [];
  assert.equal(String(batch.series[exemplar?.ref ?? 0]), 'h_seconds_bucket{le="1"}');
  assert.equal(
    String(exemplar?.labels),
    '{span_id="0011223344556677", trace_id="00112233445566778899aabbccddeeff", user="u"}',
  );
  assert.deepEqual(batch.metadata, [{ metric: 'h_seconds', type: 'histogram', help: '', unit: 's' }]);
  assert.deepEqual(rows(given, { convertToNhcb: true }), [
    'h_seconds {count:10, sum:12.5, (0.1,1]:4, (1,2.5]:5, (2.5,+Inf]:1} 1700000000123',
  ]);
});

test('exponential histograms become native ones, of a finer scale than there is merged', () => {
  const point = (scale: number, more: Json = {}): Json => ({
    timeUnixNano,
    count: '9',
    sum: 4.5,
    scale,
    zeroCount: '1',
    positive: { offset: -1, bucketCounts: ['1', '0', '0', '0', '3'] },
    negative: { offset: 0, bucketCounts: ['4'] },
    ...more,
  });
  const of = (...dataPoints: Json[]): Json =>
    request([{ name: 'e', exponentialHistogram: { dataPoints, aggregationTemporality: 2 } }]);
  const [row] = rows(of(point(0)));
  assert.match(
    row ?? '',
    /^e \{count:9, sum:4.5, \[-2,-1\):4, \[-1e-128,1e-128\]:1, \(0.5,1\]:1, \(8,16\]:3\}/,
  );
  const { batch } = translate(of(point(9)));
  assert.equal(batch.histograms?.[0]?.schema, 8);
  assert.deepEqual([...(batch.histograms?.[0]?.positiveBuckets ?? [])], [1, 0, 3]);
  const stale = translate(of(point(0, { flags: 1 })));
  assert.equal(stale.batch.histograms?.[0]?.isStale, true);
  assert.match(translate(of(point(-5))).firstError ?? '', /Scale must be >= -4, was -5/);
  assert.match(translate(of(point(0, { count: '1' }))).firstError ?? '', /observations|count/);
});

test('summaries become quantiles; a point without a value ends its series', () => {
  const point = (more: Json): Json => ({
    timeUnixNano,
    count: '2',
    sum: 3,
    quantileValues: [{ quantile: 0.5, value: 1 }],
    ...more,
  });
  const given = request([
    {
      name: 's',
      summary: { dataPoints: [point({}), point({ flags: 1, attributes: attributesOf({ x: 'y' }) })] },
    },
  ]);
  assert.deepEqual(rows(given), [
    's_count 2 1700000000123',
    's_count{x="y"} stale 1700000000123',
    's_sum 3 1700000000123',
    's_sum{x="y"} stale 1700000000123',
    's{quantile="0.5", x="y"} stale 1700000000123',
    's{quantile="0.5"} 1 1700000000123',
  ]);
});

test('delta temporality is left out unless it is wanted, and the rest is kept', () => {
  const delta = {
    name: 'd',
    sum: { dataPoints: [{ timeUnixNano, asInt: '-3' }], aggregationTemporality: 1 },
  };
  const given = request([delta, gauge('m'), { name: 'unknown' }]);
  const { batch, refused, firstError } = translate(given);
  assert.deepEqual(rowsOf(batch), ['m 1.5 1700000000123']);
  assert.equal(refused, 2);
  assert.match(firstError ?? '', /invalid temporality and type combination for metric "d"/);
  const taken = translate(given, { allowDelta: true });
  assert.deepEqual(rowsOf(taken.batch), ['d -3 1700000000123', 'm 1.5 1700000000123']);
  assert.equal(taken.batch.metadata?.[0]?.type, 'unknown');
});

test('values of attributes are texts as the collector gives them', () => {
  const value = (given: object): string => {
    const attributes = [{ key: 'k', value: given }];
    const point = { timeUnixNano, asDouble: 0, attributes };
    const [labels] = translate(request([{ name: 'm', gauge: { dataPoints: [point] } }])).batch.series;
    return labels?.get('k') ?? '';
  };
  assert.equal(value({ boolValue: true }), 'true');
  assert.equal(value({ intValue: '-12' }), '-12');
  assert.equal(value({ doubleValue: 1e21 }), '1e+21');
  assert.equal(value({ bytesValue: 'AQI=' }), 'AQI=');
  const list = { values: [{ stringValue: '<a>' }, { intValue: '1' }, { boolValue: false }] };
  assert.equal(value({ arrayValue: list }), '["\\u003ca\\u003e",1,false]');
  const fields = {
    values: [
      { key: 'z', value: { doubleValue: 0.5 } },
      { key: 'a', value: { arrayValue: list } },
    ],
  };
  assert.equal(value({ kvlistValue: fields }), '{"a":["\\u003ca\\u003e",1,false],"z":0.5}');
});

test('compressed bodies are bounded, and what is no OTLP is refused with a reason', async () => {
  const json = Buffer.from(JSON.stringify(request([gauge('m')])));
  assert.equal((await decodeOtlp({ bytes: gzipSync(json), isGzip: true, isJson: true })).length, 1);
  const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024));
  const refused = (bytes: Uint8Array, isGzip: boolean, isJson: boolean, code: string): Promise<void> =>
    assert.rejects(decodeOtlp({ bytes, isGzip, isJson }), { name: 'RemoteRequestError', code });
  await refused(bomb, true, false, 'request_too_large');
  await refused(Buffer.from('x'), true, false, 'gzip_corrupt');
  await refused(Buffer.from('{'), false, true, 'message_malformed');
  await refused(Buffer.from('[]'), false, true, 'message_malformed');
  await refused(Buffer.from('{"resourceMetrics":[{"scopeMetrics":{}}]}'), false, true, 'message_malformed');
  let value: Json = { stringValue: 'deep' };
  for (let depth = 0; depth < 100; depth++) value = { arrayValue: { values: [value] } };
  const deep = request([{ name: 'm', gauge: { dataPoints: [{ attributes: [{ key: 'k', value }] }] } }]);
  await refused(Buffer.from(JSON.stringify(deep)), false, true, 'message_malformed');
  await refused(encodeOtlp(deep), false, false, 'message_malformed');
});

test('arbitrary and damaged bytes give metrics or a coded error', () => {
  const good = encodeOtlp(
    request(
      [
        gauge('m', 'By', { a: 'b' }),
        { name: 'h', histogram: { dataPoints: [histogramPoint], aggregationTemporality: 2 } },
      ],
      { 'service.name': 's', x: 'y' },
    ),
  );
  const text = JSON.stringify(request([counter('c')]));
  const tryIt = (read: () => ReturnType<typeof readOtlpJson>): void => {
    try {
      translateOtlp(read(), rules);
    } catch (error) {
      assert.ok(error instanceof RemoteRequestError, String(error));
    }
  };
  const damage = fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }));
  fc.assert(
    fc.property(damage, fc.uint8Array({ maxLength: 40 }), ([at, byte], noise) => {
      const bytes = good.slice();
      bytes[at] = byte;
      tryIt(() => readOtlpProtobuf(bytes));
      tryIt(() => readOtlpProtobuf(noise));
      const cut = at % text.length;
      tryIt(() =>
        readOtlpJson(Buffer.from(`${text.slice(0, cut)}${String.fromCharCode(byte)}${text.slice(cut + 1)}`)),
      );
    }),
    { numRuns: 1000, seed: 3 },
  );
});
