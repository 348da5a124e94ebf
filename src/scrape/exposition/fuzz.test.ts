/**
 * Whatever a target sends, in whatever format it says: a scrape ends with a result, bad input with a reason, the memory is
 * bounded, and a loop that has seen it all before reads the same as one that has seen nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../base/index.ts';
import type { ScrapeConfig } from '../config_types.ts';
import type { ScrapeResult } from '../loop.ts';
import { expositionCases } from '../testing/exposition_cases.ts';
import { batchLines, clientOf, loopOver, scrapeConfig } from '../testing/fixtures.ts';
import {
  bucket,
  double,
  exposition,
  family,
  int,
  label,
  message,
  nativeFields,
  text,
  timestamp,
  types,
} from '../testing/proto_writer.ts';

const seed = 20_260_101;
/** Of wall time, spread over the kinds of jobs. */
const budgetMs = 3_000;
const grownBytesMax = 200 * 1024 * 1024;
const protobuf = 'application/vnd.google.protobuf';
const formats = ['text/plain', 'application/openmetrics-text', protobuf];

const exemplar = message(3, label('t', 'x'), double(2, 1), timestamp(3, 5));
const protobufBody = exposition(
  family(
    'c_total',
    types.counter,
    [[label('a', 'b'), message(3, double(1, 1), timestamp(3, 5))]],
    [text(2, 'h')],
  ),
  family('s', types.summary, [
    [message(4, int(1, 3), double(2, 1), message(3, double(1, 0.5), double(2, 2)))],
  ]),
  family('h', types.histogram, [[message(7, ...nativeFields, bucket(1, 3, exemplar))], [int(6, 99)]]),
  family('c', types.histogram, [[message(7, int(1, 4), bucket(1, 3), bucket(2, 4))]]),
);

const jobs: readonly Partial<ScrapeConfig>[] = [
  { scrapeNativeHistograms: true },
  {
    scrapeNativeHistograms: true,
    convertClassicHistogramsToNhcb: true,
    features: { startTimeZeroSamples: true, typeAndUnitLabels: true },
  },
  { scrapeNativeHistograms: true, convertClassicHistogramsToNhcb: true, alwaysScrapeClassicHistograms: true },
  {
    scrapeNativeHistograms: true,
    sampleLimit: 3,
    nativeHistogramBucketLimit: 2,
    trackTimestampsStaleness: true,
  },
];

const random = seededRandom(seed);
const encode = (body: string): Uint8Array => new TextEncoder().encode(body);
const corpus: readonly Uint8Array[] = [
  ...expositionCases.map(({ body }) => encode(body)),
  protobufBody,
  encode('# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_count 2\nh_created 1\n# EOF\n'),
];
const pick = <T>(list: readonly T[]): T => list[random.below(list.length)] as T;

/** A few bytes changed, cut out, doubled or taken from elsewhere. */
function mutated(original: Uint8Array): Uint8Array {
  let bytes: Buffer = Buffer.from(original);
  for (let change = random.below(4); change >= 0; change--) {
    const at = random.below(bytes.length + 1);
    const length = random.below(8);
    const other = pick(corpus);
    const from = random.below(other.length + 1);
    const parts = [
      [bytes.subarray(0, at), Uint8Array.of(random.below(256)), bytes.subarray(at + 1)],
      [bytes.subarray(0, at), bytes.subarray(at + length)],
      [bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)],
      [bytes.subarray(0, at), other.subarray(from, from + 20), bytes.subarray(at)],
    ];
    bytes = Buffer.concat(pick(parts));
  }
  return bytes;
}

/** What the target exposed. How a bound is written depends on the TYPE line before its series when it was new. */
const exposed = ({ batch, exposedSamples }: ScrapeResult): string[] =>
  batchLines(batch)
    .slice(0, exposedSamples)
    .map((line) => line.replace(/\b(le|quantile)="[^"]*"/g, '$1'));

for (const [index, job] of jobs.entries()) {
  test(`scrapes of bytes at random end with a result, job ${index}`, async () => {
    const endsMs = performance.now() + budgetMs / jobs.length;
    const config = scrapeConfig(job);
    const answers: { body: Uint8Array; contentType: string }[] = [];
    const client = {
      ...clientOf([]),
      get: async () => answers.at(-1) ?? { body: encode(''), contentType: '' },
    };
    const loop = await loopOver('h:1', config, { client });
    const before = process.memoryUsage().rss;
    for (let round = 0; performance.now() < endsMs; round++) {
      const body = mutated(pick(corpus));
      const contentType = pick(formats);
      answers.splice(0, answers.length, { body, contentType });
      const shown = `round ${round}: ${contentType} ${body.toString()}`;
      const result = await loop.scrape(10_000 + round);
      loop.release(result.batch);
      assert.equal(result.lastError === '', result.health === 'up', shown);
      const fresh = await loopOver('h:1', config, { client });
      const expected = await fresh.scrape(10_000 + round);
      assert.equal(result.lastError, expected.lastError, shown);
      assert.equal(result.counts.kept, expected.counts.kept, shown);
      if (job.features?.startTimeZeroSamples === true) continue;
      assert.deepEqual(exposed(result), exposed(expected), shown);
    }
    assert.ok(process.memoryUsage().rss - before < grownBytesMax);
  });
}
