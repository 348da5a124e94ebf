import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordingSink } from '../testing/fixtures.ts';
import { bucket, double, family, int, label, message, nativeFields, types } from '../testing/proto_writer.ts';
import { CustomBucketsSink } from './custom_buckets.ts';
import { parseOpenMetrics } from './openmetrics.ts';
import { parseProtobuf } from './protobuf.ts';
import { plainExposition } from './sink.ts';
import { parseTextExposition } from './text.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Reading {
  readonly keepClassic?: boolean;
  readonly sink?: CustomBucketsSink;
  readonly recorded?: RecordingSink;
}

function lines(body: string | Uint8Array, reading: Reading = {}): string[] {
  const { keepClassic = false, recorded = new RecordingSink() } = reading;
  const sink = (reading.sink ?? new CustomBucketsSink(1, keepClassic)).begin(recorded, 0);
  const options = { ...plainExposition, classicHistograms: keepClassic };
  if (typeof body !== 'string') parseProtobuf(body, sink, options);
  else if (body.includes('# EOF')) parseOpenMetrics(encode(body), sink, options);
  else parseTextExposition(encode(body), sink, options);
  sink.end();
  return recorded.lines.splice(0).filter((line) => !/^(help|type|unit) /.test(line));
}

const classic = `# TYPE h histogram
h_bucket{a="b",le="1"} 1
h_bucket{a="b",le="+Inf"} 3
h_sum{a="b"} 4.5
h_count{a="b"} 3
h_bucket{a="c",le="1"} 0.5
h_bucket{a="c",le="2"} 0.5
h_count{a="c"} 1
# TYPE g gauge
g 1
h_bucket{a="d",le="1"} 1
`;
const natives = [
  '["h","a","b"] {count:3, sum:4.5, [-Inf,1]:1, (1,+Inf]:2}',
  '["h","a","c"] {count:1, sum:0, [-Inf,1]:0.5, (2,+Inf]:0.5}',
];

test('a classic histogram becomes a native one with its bounds, series of other families stay', () => {
  assert.deepEqual(lines(classic), [...natives, '["g"] 1', '["h_bucket","a","d","le","1"] 1']);
});

test('its series stay beside it where the job wants them', () => {
  const all = lines(classic, { keepClassic: true });
  assert.equal(all.length, 11);
  assert.deepEqual(
    all.filter((line) => natives.includes(line)),
    natives,
  );
  assert.equal(all[0], '["h_bucket","a","b","le","1.0"] 1');
});

test('the second time everything is known by its bytes', () => {
  const reading = { sink: new CustomBucketsSink(1, false), recorded: new RecordingSink() };
  const first = lines(classic, reading);
  reading.recorded.define = () => assert.fail('nothing is new');
  assert.deepEqual(
    lines(classic.replace('4.5', '5.5'), reading),
    first.map((line) => line.replace('4.5', '5.5')),
  );
});

test('a histogram whose numbers contradict each other is left out, without harm to the others', () => {
  const bad = [
    'h_bucket{le="1"} 2\nh_bucket{le="2"} 1\n',
    'h_bucket{le="1"} -1\n',
    'h_bucket{le="+Inf"} 2\nh_count 3\n',
    'h_count -1\n',
  ];
  for (const text of bad) {
    assert.deepEqual(lines(`# TYPE h histogram\n${text}# TYPE i histogram\ni_count 1\n`), [
      '["i"] {count:1, sum:0, [-Inf,+Inf]:1}',
    ]);
  }
});

test('buckets may come in any order, a bound twice, and names may be quoted', () => {
  const text =
    '# TYPE "h.x" histogram\n{"h.x_bucket",le="2"} 2\n{"h.x_bucket",le="1"} 1\n{"h.x_bucket",le="1"} 9\n';
  assert.deepEqual(lines(text), ['["h.x"] {count:2, sum:0, [-Inf,1]:1, (1,2]:1}']);
});

test('exemplars with a time go to the native histogram, in order of time', () => {
  const text =
    '# TYPE h histogram\nh_bucket{le="1"} 1 # {x="1"} 0.5 7\nh_bucket{le="+Inf"} 2 # {x="2"} 5 6\nh_count 2 # {} 9\n# EOF\n';
  assert.deepEqual(lines(text), [
    '["h"] {count:2, sum:0, [-Inf,1]:1, (1,+Inf]:1}',
    'exemplar ["x","2"] 5 @6000',
    'exemplar ["x","1"] 0.5 @7000',
  ]);
});

test('beside an exponential histogram the classic series are not made into another', () => {
  const body = family('h', types.histogram, [
    [label('a', 'b'), message(7, ...nativeFields, bucket(1, 3))],
    [label('a', 'c'), message(7, int(1, 2), double(2, 1), bucket(1, 1))],
  ]);
  const names = (keepClassic: boolean): string[] =>
    lines(body, { keepClassic }).map((line) => line.slice(0, line.indexOf(' ')));
  assert.deepEqual(names(false), ['["h","a","b"]', '["h","a","c"]']);
  const kept = names(true);
  assert.equal(kept.filter((name) => name.startsWith('["h",')).length, 2);
  assert.equal(kept.length, 10);
});
