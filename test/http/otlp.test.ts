/** Metrics that OpenTelemetry sends to a running node, in both encodings, and what queries then find. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { message, text } from '../../src/scrape/testing/proto_writer.ts';
import { startNode } from './node.ts';

const testTimeoutMs = 60_000;

/** Wire type 1, written by hand: OTLP's times and numbers are fixed64. */
function fixed64(field: number, write: (view: DataView) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(9));
  view.setUint8(0, (field << 3) | 1);
  write(new DataView(view.buffer, 1));
  return new Uint8Array(view.buffer);
}

const time = (field: number, nanoseconds: bigint): Uint8Array =>
  fixed64(field, (view) => view.setBigUint64(0, nanoseconds, true));
const float = (field: number, value: number): Uint8Array =>
  fixed64(field, (view) => view.setFloat64(0, value, true));
const attribute = (field: number, key: string, value: string): Uint8Array =>
  message(field, text(1, key), message(2, text(1, value)));

/** ExportMetricsServiceRequest: a gauge and a monotonic cumulative sum of one service. */
function protobufRequest(nanoseconds: bigint): Uint8Array {
  const point = (value: number): Uint8Array =>
    message(1, time(3, nanoseconds), float(4, value), attribute(7, 'http.method', 'GET'));
  const gauge = message(2, text(1, 'queue.depth'), message(5, point(4.5)));
  const cumulative = Uint8Array.of(0x10, 2, 0x18, 1);
  const sum = message(2, text(1, 'http.requests'), text(3, '1'), message(7, point(17), cumulative));
  const resource = message(
    1,
    attribute(1, 'service.name', 'shop'),
    attribute(1, 'service.instance.id', 'shop-1'),
    attribute(1, 'cloud.region', 'eu'),
  );
  return message(1, resource, message(2, gauge, sum));
}

function jsonRequest(nanoseconds: bigint): string {
  const attributes = [{ key: 'service.name', value: { stringValue: 'till' } }];
  const timeUnixNano = String(nanoseconds);
  const point = { timeUnixNano, count: '6', sum: 9, bucketCounts: ['1', '2', '3'], explicitBounds: [0.5, 2] };
  const histogram = { aggregationTemporality: 2, dataPoints: [point] };
  const metrics = [{ name: 'latency', unit: 's', histogram }];
  return JSON.stringify({ resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ metrics }] }] });
}

test('OTLP metrics by protobuf and JSON, compressed or not, are series of their service', {
  timeout: testTimeoutMs,
}, async (context) => {
  const node = await startNode(context, ['--web.enable-otlp-receiver']);
  const nowMs = Date.now();
  const nanoseconds = BigInt(nowMs) * 1_000_000n;
  const post = async (body: Uint8Array | string, headers: Record<string, string>): Promise<number> => {
    const init = { method: 'POST', body: Buffer.from(body as Uint8Array), headers };
    const response = await fetch(`${node.url}/api/v1/otlp/v1/metrics`, init);
    await response.text();
    return response.status;
  };
  const find = async (query: string): Promise<string[]> => {
    const parameters = new URLSearchParams({ query, time: String(nowMs / 1000) });
    const { data } = (await (await fetch(`${node.url}/api/v1/query?${parameters}`)).json()) as {
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    return data.result.map(({ metric, value }) => `${JSON.stringify(metric)} ${value[1]}`).sort();
  };
  const type = 'application/x-protobuf';
  assert.equal(await post(protobufRequest(nanoseconds), { 'content-type': type }), 200);
  const shop = '"instance":"shop-1","job":"shop"';
  assert.deepEqual(await find('{job="shop",__name__!="target_info"}'), [
    `{"__name__":"http_requests_total","http_method":"GET",${shop}} 17`,
    `{"__name__":"queue_depth","http_method":"GET",${shop}} 4.5`,
  ]);
  assert.deepEqual(await find('target_info{job="shop"}'), [
    `{"__name__":"target_info","cloud_region":"eu",${shop}} 1`,
  ]);
  const json = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  assert.equal(await post(gzipSync(jsonRequest(nanoseconds)), json), 200);
  assert.deepEqual(await find('{job="till"}'), [
    '{"__name__":"latency_seconds_bucket","job":"till","le":"+Inf"} 6',
    '{"__name__":"latency_seconds_bucket","job":"till","le":"0.5"} 1',
    '{"__name__":"latency_seconds_bucket","job":"till","le":"2"} 3',
    '{"__name__":"latency_seconds_count","job":"till"} 6',
    '{"__name__":"latency_seconds_sum","job":"till"} 9',
  ]);
  // A repetition, as after a lost answer, changes nothing; a broken body is refused.
  assert.equal(await post(gzipSync(jsonRequest(nanoseconds)), json), 200);
  assert.equal(await post('{"resourceMetrics": [', { 'content-type': 'application/json' }), 400);
  assert.equal(await post(Uint8Array.of(0x0a, 0xff), { 'content-type': type }), 400);
  assert.deepEqual(await find('count({job="till"})'), ['{} 5']);
});
