/** What the hash of a label set costs, for a set of the usual size; every new series is hashed once. */
import { xxHash64Bytes, xxHash64Words } from '../../src/model/index.ts';
import type { Figure } from '../figure.ts';

const labels =
  '__name__ http_request_duration_seconds_bucket code 200 handler /api/v1/query_range instance 10.0.13.77:9090 ' +
  'job prometheus le 0.25 method GET namespace monitoring';
const flat = labels.split(' ');
const rounds = 200_000;
const mebibyte = new Uint8Array(2 ** 20).map((_, i) => (i * 31) & 0xff);
const mebibytes = 50;

export default async function* xxhash64(): AsyncGenerator<Figure> {
  for (let i = 0; i < rounds / 4; i++) xxHash64Words(flat);
  const startedMs = performance.now();
  for (let i = 0; i < rounds; i++) xxHash64Words(flat);
  yield { figure: 'eight labels', value: ((performance.now() - startedMs) * 1e6) / rounds, unit: 'ns/set' };
  xxHash64Bytes(mebibyte);
  const bytesStartedMs = performance.now();
  for (let i = 0; i < mebibytes; i++) xxHash64Bytes(mebibyte);
  yield { figure: 'bulk', value: (mebibytes * 1000) / (performance.now() - bytesStartedMs), unit: 'MiB/s' };
}
