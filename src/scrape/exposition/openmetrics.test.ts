import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordingSink } from '../testing/fixtures.ts';
import { parseOpenMetrics } from './openmetrics.ts';
import type { ParseOutcome } from './sink.ts';

function parse(text: string): { lines: string[]; outcome: ParseOutcome } {
  const sink = new RecordingSink();
  const outcome = parseOpenMetrics(new TextEncoder().encode(text), sink);
  return { lines: sink.lines, outcome };
}

test('timestamps are seconds, exemplars follow their sample, the end is marked', () => {
  const { lines, outcome } = parse(
    '# HELP a Help.\n# TYPE a counter\n# UNIT a_seconds seconds\na_total 1 1.5\n' +
      'a_total{x="y"} 2 # {trace_id="abc"} 0.5 1.25\na_total{x="z"} 3 4.0 # {} 0.5\n{"q.q"} 4\n# EOF\n',
  );
  assert.deepEqual(lines, [
    'help a: Help.',
    'type a: counter',
    'unit a_seconds: seconds',
    '["a_total"] 1 @1500',
    '["a_total","x","y"] 2',
    'exemplar ["trace_id","abc"] 0.5 @1250',
    '["a_total","x","z"] 3 @4000',
    'exemplar [] 0.5',
    '["q.q"] 4',
  ]);
  assert.deepEqual(outcome, { samples: 4, exemplars: 2 });
});

test('what the format forbids is refused', () => {
  const refusals: [string, RegExp][] = [
    ['a 1\n', /data does not end with # EOF$/],
    ['', /does not end with # EOF/],
    ['# EOF\na 1\n', /unexpected data after # EOF$/],
    ['a  1\n# EOF\n', /expected value after metric/],
    ['\n# EOF\n', /expected a valid start token/],
    ['# comment\n# EOF\n', /expected a valid start token/],
    ['a{x = "y"} 1\n# EOF\n', /expected equal/],
    ['a{x="y"z="w"} 1\n# EOF\n', /expected comma or brace close/],
    ['a 1 NaN\n# EOF\n', /invalid timestamp/],
    ['a 1 # {x="y"}\n# EOF\n', /expected value after exemplar labels/],
    ['a 1 # {"x"} 1\n# EOF\n', /expected label name/],
    ['# UNIT a seconds\n# EOF\n', /unit "seconds" not a suffix of metric "a"/],
    ['# TYPE a untyped\n# EOF\n', /invalid metric type/],
  ];
  for (const [text, reason] of refusals) assert.throws(() => parse(text), reason, JSON.stringify(text));
});

test('the last line feed may be missing', () => {
  assert.deepEqual(parse('a 1\n# EOF').lines, ['["a"] 1']);
});
