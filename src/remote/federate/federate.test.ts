import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CounterResetHint,
  FloatHistogram,
  Labels,
  type SeriesColumns,
  setStaleNaN,
} from '../../model/index.ts';
import { federateFamilies } from './families.ts';
import { federateContentType, negotiateFederateFormat } from './format.ts';
import { federateProtobuf } from './protobuf.ts';
import { federateText } from './text.ts';

const delimited =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';

function series(labels: Record<string, string>, ...values: readonly number[]): SeriesColumns {
  return {
    labels: Labels.fromRecord(labels),
    timestamps: Float64Array.from(values, (_, i) => 1000 + i),
    values: Float64Array.from(values),
  };
}

test('the newest sample of each series is told with its time and the external labels that it lacks', () => {
  const all = [
    series({ __name__: 'a', b: '"\\\n' }, 1, 2.5),
    series({ __name__: 'a', cluster: 'own', instance: 'i' }, 0),
    series({ __name__: 'z' }, Number.NEGATIVE_INFINITY),
    series({ nameless: 'x' }, 1),
  ];
  const text = federateText(federateFamilies(all, { cluster: 'c1' }, false), 'underscores');
  assert.equal(
    text,
    [
      '# TYPE a untyped',
      'a{b="\\"\\\\\\n",cluster="c1",instance=""} 2.5 1001',
      'a{cluster="own",instance="i"} 0 1000',
      '# TYPE z untyped',
      'z{cluster="c1",instance=""} -Inf 1000',
      '',
    ].join('\n'),
  );
});

test('series that have ended are left out, native histograms too where the form has none', () => {
  const ended = series({ __name__: 'ended' }, 1, 2);
  setStaleNaN(ended.values, 1);
  const histogram = new FloatHistogram({ count: 1, sum: 1 });
  const native = { ...series({ __name__: 'h' }, 0), histograms: [histogram] };
  const gauge = { ...native, histograms: [histogram.withHint(CounterResetHint.Gauge)] };
  const stale = { ...native, histograms: [FloatHistogram.stale] };
  assert.deepEqual(federateFamilies([ended, stale, native], {}, false), []);
  const kinds = federateFamilies([ended, native, gauge, series({ __name__: 'h' }, 1), stale], {}, true);
  assert.deepEqual(
    kinds.map(({ name, kind }) => `${name} ${kind}`),
    ['h histogram', 'h gaugeHistogram', 'h untyped'],
  );
});

test('names are escaped as asked, or quoted', () => {
  const families = federateFamilies([series({ __name__: 'a.b', 'l.x': 'v' }, 1)], {}, false);
  assert.match(
    federateText(families, 'underscores'),
    /^# TYPE a_b untyped\na_b\{l_x="v",instance=""\} 1 1000\n$/,
  );
  assert.match(
    federateText(families, 'allow-utf-8'),
    /^# TYPE "a.b" untyped\n\{"a.b","l.x"="v",instance=""\} 1 1000\n$/,
  );
  assert.ok(Buffer.from(federateProtobuf(families, 'underscores')).includes('a_b'));
  assert.ok(Buffer.from(federateProtobuf(families, 'allow-utf-8')).includes('a.b'));
});

test('the form is the most wanted that there is, never OpenMetrics', () => {
  const type = (accept: string): string => federateContentType(negotiateFederateFormat(accept));
  const text = 'text/plain; version=0.0.4; charset=utf-8; escaping=';
  assert.equal(type(''), `${text}underscores`);
  assert.equal(type('application/openmetrics-text;version=1.0.0;escaping=allow-utf-8'), `${text}allow-utf-8`);
  assert.equal(
    type(`text/plain;q=0.5,${delimited}`),
    `${delimited.replaceAll(';', '; ')}; escaping=underscores`,
  );
  assert.equal(type(`${delimited};q=0.1,text/plain;escaping=dots`), `${text}dots`);
  assert.equal(type('text/plain;escaping=nonsense'), `${text}underscores`);
});
