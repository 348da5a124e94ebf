import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExpositionError } from '../errors.ts';
import { RecordingSink } from '../testing/fixtures.ts';
import {
  bucket,
  double,
  exposition,
  family,
  int,
  label,
  message,
  nativeFields,
  packedDoubles,
  text,
  timestamp,
  types,
  zigzag,
} from '../testing/proto_writer.ts';
import { parseProtobuf } from './protobuf.ts';
import { type ExpositionOptions, plainExposition } from './sink.ts';

function lines(body: Uint8Array, options: Partial<ExpositionOptions> = {}): string[] {
  const sink = new RecordingSink();
  parseProtobuf(body, sink, { ...plainExposition, ...options });
  return sink.lines;
}

const samples = (body: Uint8Array, options?: Partial<ExpositionOptions>): string[] =>
  lines(body, options).filter((line) => !/^(help|type|unit) /.test(line));

test('counters, gauges and untyped metrics are one series each, with help, unit, time and exemplar', () => {
  const exemplar = message(2, label('trace', 'x'), double(2, 0.5), timestamp(3, 1500));
  const body = exposition(
    family(
      'a_bytes_total',
      types.counter,
      [
        [label('x', 'y'), message(3, double(1, 2), exemplar)],
        [message(3, double(1, 3)), int(6, -5)],
      ],
      [text(2, 'Help \\n.'), text(5, 'bytes')],
    ),
    family('g', types.gauge, [[message(2, double(1, -0))]]),
    family('u', types.untyped, [[message(5, double(1, Number.NaN))]]),
    family('empty', types.gauge, []),
  );
  assert.deepEqual(lines(body), [
    'help a_bytes_total: Help \\\\n.',
    'unit a_bytes_total: bytes',
    'type a_bytes_total: counter',
    '["a_bytes_total","x","y"] 2',
    'exemplar ["trace","x"] 0.5 @1500',
    '["a_bytes_total"] 3 @-5',
    'help g: ',
    'type g: gauge',
    '["g"] -0',
    'help u: ',
    'type u: unknown',
    '["u"] NaN',
  ]);
});

test('summaries and classic histograms are spread over series in a fixed order', () => {
  const quantile = message(3, double(1, 0.5), double(2, 7));
  const body = exposition(
    family('s', types.summary, [[label('a', 'b'), message(4, int(1, 3), double(2, 9), quantile)]]),
    family('h', types.histogram, [[message(7, int(1, 4), double(2, 2.5), bucket(1, 3))]]),
    family('i', types.histogram, [[message(7, double(4, 4.5), bucket(1, 3), bucket(Infinity, 4))]]),
  );
  assert.deepEqual(samples(body), [
    '["s_count","a","b"] 3',
    '["s_sum","a","b"] 9',
    '["s","a","b","quantile","0.5"] 7',
    '["h_count"] 4',
    '["h_sum"] 2.5',
    '["h_bucket","le","1.0"] 3',
    '["h_bucket","le","+Inf"] 4',
    '["i_count"] 4.5',
    '["i_sum"] 0',
    '["i_bucket","le","1.0"] 3',
    '["i_bucket","le","+Inf"] 4',
  ]);
});

test('native histograms of integers and floats, and classic buckets beside them where these are wanted', () => {
  const floats = [
    double(4, 3),
    double(2, 1),
    int(5, zigzag(0)),
    message(12, int(1, zigzag(1)), int(2, 2)),
    packedDoubles(14, [1, 2]),
  ];
  const body = exposition(
    family('h', types.histogram, [[label('a', 'b'), message(7, ...nativeFields, bucket(1, 3))]]),
    family('f', types.gaugeHistogram, [[message(7, ...floats)]]),
  );
  const native =
    '["h","a","b"] {count:7, sum:12.5, [-0.5,-0.35355339059327373):1, [-0.001,0.001]:1, (0.7071067811865475,1]:2, (1,1.414213562373095]:3}';
  const float = '["f"] {count:3, sum:1, (1,2]:1, (2,4]:2}';
  assert.deepEqual(samples(body), [native, float]);
  assert.deepEqual(samples(body, { classicHistograms: true }), [
    native,
    '["h_count","a","b"] 7',
    '["h_sum","a","b"] 12.5',
    '["h_bucket","a","b","le","1.0"] 3',
    '["h_bucket","a","b","le","+Inf"] 7',
    float,
  ]);
});

test('of a native histogram only exemplars with a time count, its own before those of its buckets', () => {
  const timed = (field: number, ms: number): Uint8Array => message(field, double(2, ms), timestamp(3, ms));
  const untimed = (field: number): Uint8Array => message(field, double(2, 1));
  const own = family('h', types.histogram, [
    [message(7, ...nativeFields, untimed(16), timed(16, 20), timed(16, 10), bucket(1, 3, timed(3, 5)))],
  ]);
  const ofBuckets = family('h', types.histogram, [
    [message(7, ...nativeFields, bucket(1, 3, timed(3, 5)), bucket(2, 3, untimed(3)))],
  ]);
  const exemplars = (body: Uint8Array): string[] => samples(body).slice(1);
  assert.deepEqual(exemplars(own), ['exemplar [] 20 @20', 'exemplar [] 10 @10']);
  assert.deepEqual(exemplars(ofBuckets), ['exemplar [] 5 @5']);
});

test('start times are given only where they are asked for', () => {
  const body = exposition(
    family('c', types.counter, [[message(3, double(1, 2), timestamp(3, 1234))]]),
    family('s', types.summary, [[message(4, int(1, 3), timestamp(4, 5))]]),
    family('h', types.histogram, [[message(7, ...nativeFields, timestamp(15, 6))]]),
  );
  assert.ok(samples(body).every((line) => !line.includes('since')));
  const since = samples(body, { startTimes: true }).map((line) => line.split(' since ')[1]);
  assert.deepEqual(since, ['1234', '5', '5', '6']);
});

test('type and unit become labels and push aside exposed ones of these names', () => {
  const body = family(
    'a_bytes',
    types.gauge,
    [[label('__type__', 'own'), label('x', 'y'), message(2, double(1, 1))]],
    [text(5, 'bytes')],
  );
  assert.deepEqual(samples(body, { typeAndUnitLabels: true }), [
    '["a_bytes","__type__","gauge","__unit__","bytes","x","y"] 1',
  ]);
});

test('the same series is recognised by its bytes, neighbours of similar bytes are told apart', () => {
  const one = (name: string, ...labels: Uint8Array[]): Uint8Array =>
    family(name, types.gauge, [[...labels, message(2, double(1, 1))]]);
  const body = exposition(
    one('a', label('b', 'c')),
    one('ab', label('', 'c').slice(0, 0), label('c', 'd')),
    one('a', label('b', 'c')),
    one('a', label('b', 'cd')),
    one('a', label('b', 'c'), label('d', 'e')),
  );
  assert.deepEqual([...new Set(samples(body))].length, 4);
});

test('what is no message, no name or no text is refused in known words', () => {
  const gauge = message(2, double(1, 1));
  const refusals: [Uint8Array, string][] = [
    [Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x01), 'clientpb: invalid varint encountered'],
    [Uint8Array.of(5, 1), 'clientpb: insufficient length of buffer, expected at least 6 bytes, got 2 bytes'],
    [family('', types.gauge, [[gauge]]), 'invalid metric name: '],
    [family('a', 9, [[gauge]]), 'unknown metric type for metric "a": 9'],
    [family('a', types.gauge, [[gauge]], [text(5, 's')]), 'unit "s" not a suffix of metric "a"'],
    [family('a', types.gauge, [[label('', 'x'), gauge]]), 'invalid label name: '],
    [family('a', types.gauge, [[message(2, Uint8Array.of(9, 1))]]), 'unexpected EOF'],
    [family('a', types.gauge, [[int(2, 1)]]), 'proto: wrong wireType = 0 for field Gauge'],
    [family('a', types.gauge, [[Uint8Array.of(0x0c)]]), 'proto: Metric: wiretype end group for non-group'],
  ];
  for (const [body, reason] of refusals) {
    assert.throws(
      () => lines(body),
      (error) => error instanceof ExpositionError && error.message === reason,
      reason,
    );
  }
});
